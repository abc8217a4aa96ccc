"""The extension as Python sees it, without JAX: its answers to small modules and to other bytes."""

import re
import threading
import tomllib
from pathlib import Path
from typing import Any

import pytest

from cfp import _cfp_core, _native
from cfp.errors import UnreadableHloError
from cfp.ir import Analysis
from cfp.passes.analyze_hlo import analyze_module

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(__file__).parent / "data"


def hlo(name: str) -> bytes:
    return (DATA / f"{name}.hlo.pb").read_bytes()


@pytest.mark.parametrize("name", ["mlp", "loop", "no_contraction"])
def test_an_analysis_verifies(name: str) -> None:
    analysis = analyze_module(hlo(name), name)
    analysis.verify()
    assert analysis.name == name
    assert analysis.warnings == ()


def test_two_matrices_are_two_blocks() -> None:
    analysis = analyze_module(hlo("mlp"))
    assert [analysis.phases(block) for block in range(len(analysis.blocks))] == [
        {"forward": 1, "backward": 1},  # of the first matrix only the weight has a gradient
        {"forward": 1, "backward": 2},
    ]
    assert [analysis.ops[one.op].shape for one in analysis.contractions[:2]] == [
        "f32[8,48]",
        "f32[8,24]",
    ]


def test_a_strategy_says_what_it_cuts_and_what_that_communicates() -> None:
    first, _ = analyze_module(hlo("mlp")).blocks
    pieces = {one.origin: one.granule for one in first.strategies}
    assert pieces == {"activation": 8, "weight": 48, "contracted": 16}
    contracted = first.strategies[-1]
    (reduced,) = contracted.collectives
    assert (reduced.kind, reduced.size_bytes) == ("all-reduce", 8 * 48 * 4)
    assert contracted.factors == (f"%{reduced.value} k0",)


def test_a_loop_counts_its_trips() -> None:
    analysis = analyze_module(hlo("loop"))
    (segment,) = analysis.segments
    assert (segment.blocks, segment.times) == (1, 4)
    assert {one.trip_count for one in analysis.regions[1:]} == {4}
    assert {one.flops for one in analysis.contractions} == {2.0 * 8 * 16 * 16 * 4}


def test_without_contraction_there_is_no_block() -> None:
    analysis = analyze_module(hlo("no_contraction"))
    assert (analysis.blocks, analysis.segments) == ((), ())
    assert {op.owner for op in analysis.ops} == {"nobody"}


def test_an_op_keeps_the_line_that_the_hlo_records() -> None:
    analysis = analyze_module(hlo("mlp"))
    source = (Path(__file__).parent / "make_data.py").read_text().splitlines()
    for one in analysis.contractions[:2]:
        place = analysis.ops[one.op].source
        assert place.file == "make_data.py"
        assert "x @ weights[0]" in source[place.line - 1]


def test_the_same_bytes_give_the_same_analysis() -> None:
    assert analyze_module(hlo("loop")).to_json() == analyze_module(hlo("loop")).to_json()


def test_json_returns_the_same_analysis() -> None:
    analysis = analyze_module(hlo("mlp"))
    again = Analysis.from_json(analysis.to_json())
    assert again == analysis
    assert (again.timing, str(again)) == (None, str(analysis))


@pytest.mark.parametrize("bad", [b"", b"no HLO at all", hlo("mlp")[:-7], hlo("mlp")[3:]])
def test_other_bytes_are_refused(bad: bytes) -> None:
    with pytest.raises(_cfp_core.HloError) as low:
        _cfp_core.read(bad)
    with pytest.raises(UnreadableHloError) as found:
        analyze_module(bad, "some.pb")
    assert str(low.value) in found.value.what
    assert found.value.where == "some.pb"


@pytest.mark.parametrize("bad", [None, "text", 3])
def test_only_bytes_are_read(bad: Any) -> None:
    with pytest.raises(TypeError):
        _cfp_core.read(bad)


def test_records_cannot_be_changed() -> None:
    records = _cfp_core.read(hlo("mlp")).records()
    with pytest.raises(AttributeError):
        records.module = "another"  # type: ignore[misc]
    records.ops.clear()
    assert len(records.ops) > 10


def test_two_threads_can_analyse() -> None:
    found: list[Analysis] = []
    threads = [
        threading.Thread(target=lambda: found.append(analyze_module(hlo("loop")))) for _ in range(2)
    ]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert found[0] == found[1]


def test_one_version() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert (_cfp_core.__version__, _native.CORE_VERSION) == (version, version)


def test_every_clause_is_in_the_spec() -> None:
    promised = set(re.findall(r"\*\*(B\d+(?:\.\d+)?)\*\*", (ROOT / "docs" / "spec.md").read_text()))
    analysis = analyze_module(hlo("loop"))
    labels = {op.label for op in analysis.ops} | {one.label for one in analysis.contractions}
    assert labels <= promised

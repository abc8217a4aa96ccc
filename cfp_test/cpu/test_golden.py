"""The dumps of small models are what they were, and the documentation quotes them as they are."""

import re
from pathlib import Path

import jax
import pytest

from cfp.options import Options
from cfp.pipeline import analyze_step, parallel_step
from cfp.runtime.request import Request
from cfp_test import gpt
from cfp_test.golden.dumps import FOLDER, JAX_VERSION, OVERVIEW, STEPS, decided, dumps_of, golden_of

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "reading_a_dump.md").read_text(encoding="utf-8")
with_the_jax_of_the_goldens = pytest.mark.skipif(
    jax.__version__ != JAX_VERSION, reason=f"JAX {JAX_VERSION} counts and numbers the ops so"
)


@pytest.fixture(autouse=True)
def in_the_checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)  # source files are told from the current folder


@with_the_jax_of_the_goldens
@pytest.mark.parametrize("name", STEPS)
def test_the_dumps_are_as_before(name: str) -> None:
    assert dumps_of(name) == golden_of(name)


@pytest.mark.smoke
@pytest.mark.parametrize("name", STEPS)
def test_the_same_is_decided_with_every_jax(name: str) -> None:
    dumps, golden = dumps_of(name), golden_of(name)
    for file in OVERVIEW:
        assert decided(dumps[file]) == decided(golden[file])


def test_numbers_and_counts_of_ops_are_not_decided_but_strategies_are() -> None:
    dump = "3 ops: 1 in blocks; 9 FLOP\n %24 dot  13 ops: B5 3,\n B10.2 3\n 0 weight %24 n0"
    other = "4 ops: 2 in\n blocks; 9 FLOP\n %7 dot  2 ops: B5 2\n 0 weight %7 n0"
    assert decided(dump) == decided(other) == [";", "9", "FLOP", "dot", "0", "weight", "n0"]
    assert decided(dump) != decided(other.replace("n0", "n1"))


def test_every_golden_belongs_to_a_step() -> None:
    kept = {f"{name}/{file}" for name, (_, _, files) in STEPS.items() for file in files}
    assert {str(file.relative_to(FOLDER)) for file in FOLDER.rglob("*.txt")} == kept


def quotations() -> list[str]:
    """The lines that docs/reading_a_dump.md quotes, cut at every `…`."""
    quoted = re.findall(r"<!-- quoted -->\n```\n(.*?)```", PAGE, re.DOTALL)
    return [line for block in quoted for line in block.splitlines() if line]


@with_the_jax_of_the_goldens
def test_the_documentation_quotes_real_dumps(tmp_path: Path) -> None:
    step, args = gpt.train_step(num_layer=2)
    analyzed, planned = (Options(dump_dir=str(tmp_path / one)) for one in ("analyzed", "planned"))
    traced, analysis = analyze_step(step, args, options=analyzed)
    parallel_step(traced, analysis, Request(plan="data:4 x megatron:2"), planned)
    files = list(tmp_path.rglob("*.txt"))
    assert {file.name for file in files} == set(re.findall(r"^\| `(.*)` \|", PAGE, re.MULTILINE))
    said = [line for file in files for line in file.read_text().splitlines()]
    assert len(quotations()) > 20
    wrong = [
        quoted
        for quoted in quotations()
        if not any(all(part.strip() in line for part in quoted.split("…")) for line in said)
    ]
    assert wrong == []

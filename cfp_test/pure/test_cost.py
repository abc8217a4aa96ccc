"""Costs and their keys as data: contradictions are found, JSON is strict, digests are stable."""

import json
from dataclasses import fields, replace
from math import inf, nan

import pytest
from hypothesis import given

from cfp.errors import InconsistentError, UnreadableJsonError
from cfp.ir.cost import Cost, CostKey
from cfp.ir.memory import MemoryUse
from cfp_test.pure.small_costs import COST, FAILED, KEY, MODELLED, costs, keys
from cfp_test.two_processes import printed_by_two_processes

OVERLAPPED = replace(
    COST,
    exposed_communication_s=0.0031,
    memory=MemoryUse(2**20, 0, 0, 2**20),
    repeats=1,
    spread_s=0.0,
)


@pytest.mark.parametrize(
    ("cost", "text"),
    [
        (COST, "41.2 ms ± 0.3, 7 runs, measured (cpu clock) on cpu, 2026-11-21"),
        (MODELLED, "412 ms ± 20, analytic (model clock) on TPU v5e, 2026-11-21"),
        (
            replace(MODELLED, spread_s=0.0, source="compiled"),
            "412 ms, compiled (model clock) on TPU v5e, 2026-11-21",
        ),
        (
            OVERLAPPED,
            """41.2 ms ± 0, 3.10 ms of it exposed communication, 2.00 MiB, 1 run, \
measured (cpu clock) on cpu, 2026-11-21""",
        ),
        (
            FAILED,
            """cannot run: out of memory: 9.1 GiB, \
measured (wall clock) on NVIDIA H100 80GB HBM3, 2026-11-21""",
        ),
    ],
)
def test_a_cost_tells_its_unit_and_provenance(cost: Cost, text: str) -> None:
    cost.verify()
    assert str(cost) == text


@pytest.mark.parametrize(
    ("time_s", "spread_s", "text"),
    [
        (1.0, 0.25, "1.00 s ± 0.25"),
        (0.0412, 0.0123, "41.2 ms ± 12"),
        (0.0412, 0.00997, "41.2 ms ± 10"),
        (0.0412, 0.00000001, "41.2 ms ± 0"),
        (3e-6, 1.5e-6, "3.00 us ± 1.5"),
        (3e-6, 1.5, "3.00 us ± 1500000"),
    ],
)
def test_a_spread_is_in_the_unit_of_its_time(time_s: float, spread_s: float, text: str) -> None:
    assert replace(COST, time_s=time_s, spread_s=spread_s).time_text == text


@pytest.mark.parametrize(
    ("broken", "fact"),
    [
        (replace(COST, source="guessed"), "'guessed' is no source"),
        (replace(COST, clock="sun"), "'sun' is no clock"),
        (replace(COST, clock="model"), "measured by the model clock"),
        (replace(MODELLED, clock="wall"), "analytic by the wall clock"),
        (replace(COST, device=""), "it names no device"),
        (replace(COST, when="21.11.2026"), "'21.11.2026' is no day"),
        (replace(COST, when="20261121"), "'20261121' is no day"),
        (replace(COST, time_s=inf), "a time and a failure exclude each other"),
        (replace(COST, failure="crash"), "a time and a failure exclude each other"),
        (replace(COST, time_s=nan), "its time is nan"),
        (replace(COST, time_s=-1.0), "its time is -1.0"),
        (replace(COST, spread_s=nan), "a part of its time is none"),
        (replace(COST, exposed_communication_s=inf), "a part of its time is none"),
        (replace(COST, repeats=-1), "it was repeated -1 times"),
        (replace(MODELLED, repeats=3), "a model was repeated"),
        (replace(COST, repeats=0), "it was measured and never run"),
        (replace(COST, memory=MemoryUse(1, 1, 3, 0)), "a part of its memory is negative"),
    ],
)
def test_a_cost_finds_its_contradictions(broken: Cost, fact: str) -> None:
    with pytest.raises(InconsistentError) as caught:
        broken.verify()
    assert caught.value.what == f"the Cost contradicts itself: {fact}"


@given(costs)
def test_a_cost_survives_strict_json(cost: Cost) -> None:
    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    text = cost.to_json()
    json.loads(text, parse_constant=refuse)
    assert Cost.from_json(text) == cost


def test_a_failure_is_infinite_and_has_no_time_in_json() -> None:
    assert FAILED.time_s == inf
    assert json.loads(FAILED.to_json())["time_s"] is None
    assert min(COST.time_s, FAILED.time_s) == COST.time_s


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"time_s": None}, UnreadableJsonError),
        ({"time_s": "1"}, UnreadableJsonError),
        ({"clock": "sun"}, InconsistentError),
        ({"failure": "crash"}, InconsistentError),
        ({"mood": "good"}, UnreadableJsonError),
        ({"time_s": nan}, UnreadableJsonError),
        ({"time_s": inf, "failure": "crash"}, UnreadableJsonError),
    ],
)
def test_changed_json_is_refused(changes: dict[str, object], error: type[Exception]) -> None:
    text = json.dumps({**json.loads(COST.to_json()), **changes})
    with pytest.raises(error):
        Cost.from_json(text)


@pytest.mark.parametrize("text", ["", "[]", "{}", "null", "[" * 100_000])
def test_no_cost_is_read_from_nonsense(text: str) -> None:
    with pytest.raises(UnreadableJsonError):
        Cost.from_json(text)


# ---- keys


@given(keys)
def test_a_key_survives_json(key: CostKey) -> None:
    key.verify()
    read = CostKey.from_json(key.to_json())
    assert (read, read.digest()) == (key, key.digest())


@given(keys, keys)
def test_keys_are_equal_where_their_digests_are(one: CostKey, other: CostKey) -> None:
    assert (one.digest() == other.digest()) == (one == other)


def test_every_part_of_a_key_counts() -> None:
    others = [
        *(
            replace(KEY, **{one.name: f"{getattr(KEY, one.name)}x"})
            for one in fields(KEY)
            if one.name not in ("versions", "flags")
        ),
        *(
            replace(KEY, versions=replace(KEY.versions, **{one.name: "x"}))
            for one in fields(KEY.versions)
        ),
        replace(KEY, flags=()),
        replace(KEY, flags=(*KEY.flags, "--fast")),
        replace(KEY, flags=("--fast", *KEY.flags)),
    ]
    assert len({one.digest() for one in [KEY, *others]}) == 1 + len(others)


def test_a_digest_is_the_same_in_every_process() -> None:
    program = (
        "import sys; from cfp.ir.cost import CostKey;print(CostKey.from_json(sys.argv[1]).digest())"
    )
    digests = printed_by_two_processes(program, KEY.to_json())
    assert digests == {KEY.digest()}


def test_the_address_of_a_recorded_cost_is_for_good() -> None:
    """Another digest for the same key would lose every cost that users have recorded."""
    assert KEY.digest() == "b9d5554c47e295bd52a427e7ac73dfda9a3109a4af5354118de2cbc8b80f8447"


@pytest.mark.parametrize(
    ("broken", "fact"),
    [
        (replace(KEY, program=""), "it names no program"),
        (replace(KEY, mesh=""), "it names no mesh"),
        (replace(KEY, device=""), "it names no device"),
        (replace(KEY, source="recorded"), "'recorded' is no source"),
    ],
)
def test_a_key_finds_its_contradictions(broken: CostKey, fact: str) -> None:
    with pytest.raises(InconsistentError) as caught:
        broken.verify()
    assert caught.value.what == f"the CostKey contradicts itself: {fact}"


def test_a_key_prints() -> None:
    assert str(KEY) == "[batch->data, ., .] of program 9f31c0aa on data:8, cpu, measured"
    assert str(KEY.versions) == "jax 0.10.2, jaxlib 0.10.2, cfp 0.1.0"

"""A plan as people read it, and what one plan does otherwise than another."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfp.ir.layout import AxisCut
from cfp.ir.mesh import Mesh
from cfp.ir.name_patterns import star_numbers, tell_together
from cfp.ir.plan import Choice, Plan, Storage
from cfp.ir.plan_text import blocks_text

DATA = AxisCut("data", 0)
ROWS = AxisCut("model", 0)
COLUMNS = AxisCut("model", 1)
HEADS = ("state.params", "state.optimizer[0].mu", "state.optimizer[0].nu")
WEIGHTS = {
    "qkv": ((AxisCut("model", 1, 3),), (64, 192)),
    "w1": ((COLUMNS,), (64, 256)),
    "w2": ((ROWS,), (256, 64)),
    "scale": ((), (64,)),
}
STATE = tuple(
    Storage(f"{head}['layer_{layer}']['{name}']", cuts, shape, "float32")
    for head in HEADS
    for layer in range(12)
    for name, (cuts, shape) in WEIGHTS.items()
)
PLAN = Plan(
    name="data x megatron",
    step="train_step",
    fingerprint="9f31c0aa" * 8,
    jax_version="0.10.2",
    mesh=Mesh((("data", 4), ("model", 2))),
    choices=(
        Choice((0,), (0, -1), "[batch->data, ., .]"),
        Choice(tuple(range(1, 24, 2)), (0, 3), "[batch->data, ., heads->model]"),
        Choice(tuple(range(2, 25, 2)), (0, 2), "[batch->data, ., hidden->model]"),
    ),
    storage=(
        *STATE,
        Storage("state.optimizer[0].count", (), (), "int32"),
        Storage("batch['x']", (DATA,), (16, 32), "int32"),
        Storage("batch['y']", (DATA,), (16, 32), "int32"),
        Storage("rng", (), (), "key<fry>"),
    ),
)
PAGE = """\
plan 'data x megatron' for step `train_step` on data:4 x model:2, 8 devices
  fingerprint 9f31c0aa9f31, made with jax 0.10.2

choices: for each axis of the mesh the number of a strategy of these blocks, . for none
  data  model  in words                         blocks
     0      .  [batch->data, ., .]              0
     0      3  [batch->data, ., heads->model]   1, 3, …, 23
     0      2  [batch->data, ., hidden->model]  2, 4, …, 24

storage: 148 arrays, 6.20 MiB; one device holds 3.10 MiB
  dim 1 by model inside each of 3 parts: 36 arrays, 1.69 MiB; one device holds 864 KiB
      ['layer_*']['qkv'] of state.params, state.optimizer[0].mu, state.optimizer[0].nu
  dim 1 by model: 36 arrays, 2.25 MiB; one device holds 1.12 MiB
      ['layer_*']['w1'] of state.params, state.optimizer[0].mu, state.optimizer[0].nu
  dim 0 by model: 36 arrays, 2.25 MiB; one device holds 1.12 MiB
      ['layer_*']['w2'] of state.params, state.optimizer[0].mu, state.optimizer[0].nu
  whole: 38 arrays, 9.01 KiB; one device holds 9.01 KiB
      ['layer_*']['scale'] of state.params, state.optimizer[0].mu, state.optimizer[0].nu;
      state.optimizer[0].count; rng
  dim 0 by data: 2 arrays, 4.00 KiB; one device holds 1.00 KiB
      batch['x']; batch['y']"""


def test_a_plan_is_one_page() -> None:
    assert str(PLAN) == PAGE


def test_a_plan_that_decides_nothing_prints() -> None:
    empty = Plan("none", "step", "", "0.10.2", Mesh((("a", 1),)), (), ())
    assert str(empty) == (
        "plan 'none' for step `step` on a:1, 1 device\n  fingerprint , made with jax 0.10.2"
    )


def test_arrays_that_are_not_known_have_no_bytes() -> None:
    unknown = replace(PLAN, storage=(Storage("w", (ROWS,)),))
    assert "storage: 1 array\n  dim 0 by model: 1 array\n      w" in str(unknown)


def test_of_very_many_names_the_first_are_told() -> None:
    many = tuple(Storage(chr(0x4E00 + number), ()) for number in range(100))
    assert str(replace(PLAN, storage=many)).endswith("; … 60 more")


@pytest.mark.parametrize(
    ("blocks", "text"),
    [
        ((), ""),
        ((5,), "5"),
        ((1, 2, 3), "1, 2, 3"),
        ((4, 3, 2, 1), "1, 2, …, 4"),
        ((0, 2, 4, 6, 7, 9), "0, 2, …, 6, 7, 9"),
        ((0, 1, 5, 9, 13, 17), "0, 1, 5, …, 17"),
    ],
)
def test_blocks_at_equal_distances_are_told_by_their_ends(
    blocks: tuple[int, ...], text: str
) -> None:
    assert blocks_text(blocks) == text


# ---- differences


def test_nothing_differs() -> None:
    assert PLAN.diff(replace(PLAN)) == "the same plan"


def test_a_plan_worded_otherwise_decides_the_same() -> None:
    assert PLAN.diff(replace(PLAN, name="mine")) == (
        "plan 'data x megatron' -> plan 'mine'\n  the same decisions, grouped or worded otherwise"
    )


def moments_by_data(one: Storage) -> Storage:
    return replace(one, cuts=(DATA,)) if "optimizer[0].mu['" in one.argument else one


def test_what_changes_alike_is_told_once() -> None:
    other = replace(
        PLAN,
        name="zero1",
        choices=(*PLAN.choices[:2], replace(PLAN.choices[2], strategies=(0, -1), notation="[.]")),
        storage=tuple(map(moments_by_data, PLAN.storage)),
    )
    assert (
        PLAN.diff(other)
        == """\
plan 'data x megatron' -> plan 'zero1'
  blocks 2, 4, …, 24: data 0, model 2 [batch->data, ., hidden->model] -> data 0 [.]
  storage: dim 1 by model inside each of 3 parts -> dim 0 by data
      state.optimizer[0].mu['layer_*']['qkv']
  storage: dim 1 by model -> dim 0 by data
      state.optimizer[0].mu['layer_*']['w1']
  storage: dim 0 by model -> dim 0 by data
      state.optimizer[0].mu['layer_*']['w2']
  storage: whole -> dim 0 by data
      state.optimizer[0].mu['layer_*']['scale']"""
    )


def test_what_a_plan_is_for_can_differ_too() -> None:
    other = replace(
        PLAN,
        fingerprint="77" * 32,
        jax_version="0.12.0.1",
        mesh=Mesh((("data", 8),)),
        choices=(Choice((0, 1), (-1,), ""),),
        storage=(Storage("batch['x']", (DATA,), (32, 32), "int32"), PLAN.storage[-1]),
    )
    assert (
        replace(PLAN, choices=PLAN.choices[:1], storage=PLAN.storage[-3:]).diff(other)
        == """\
plan 'data x megatron' -> plan 'data x megatron'
  fingerprint: 9f31c0aa9f31 -> 777777777777
  jax: 0.10.2 -> 0.12.0.1
  mesh: data:4 x model:2 -> data:8
  blocks 0: data 0 [batch->data, ., .] -> no split
  blocks 1: not in the plan -> no split
  storage: int32[16,32] dim 0 by data -> int32[32,32] dim 0 by data
      batch['x']
  storage: dim 0 by data -> not in the plan
      batch['y']"""
    )


# ---- names


def test_numbers_that_decide_are_kept() -> None:
    cuts = {f"layer_{layer}.w{number}": number for layer in range(3) for number in (1, 2)}
    assert set(star_numbers(cuts).values()) == {"layer_*.w1", "layer_*.w2"}


def test_a_number_that_is_always_the_same_is_kept() -> None:
    assert star_numbers({"a[0].x1": 0, "a[0].x2": 0}) == {
        "a[0].x1": "a[0].x*",
        "a[0].x2": "a[0].x*",
    }


NAMES = st.text(alphabet="ab12", max_size=4)


@given(st.dictionaries(NAMES, st.integers(0, 1)))
def test_a_pattern_stands_for_one_group(group_of: dict[str, int]) -> None:
    patterns = star_numbers(group_of)
    assert list(patterns) == list(group_of)
    groups = {(pattern, group_of[name]) for name, pattern in patterns.items()}
    assert len(groups) == len(set(patterns.values()))


def test_names_that_end_alike_are_told_together() -> None:
    names = [f"{head}['{key}']" for head in ("p", "mu") for key in "ab"]
    assert tell_together([*names, "mu['c']", "count"]) == [
        "['a'], ['b'] of p, mu",
        "mu['c']",
        "count",
    ]

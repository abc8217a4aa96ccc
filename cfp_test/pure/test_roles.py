"""What the arguments of a step are for, told from a graph made by hand."""

from dataclasses import replace

import pytest

from cfp.ir import Analysis, Op
from cfp.ir.roles import Role, argument_roles
from cfp_test.pure.small_steps import analysis, op, strategy

BLOCK, UPDATE = ("block", 0), ("optimizer", 1)
# y = x·w + bias, and g = xᵀ·(y - labels) moves w by its moment; decay is one number of the state
OPS: tuple[Op, ...] = (
    op("parameter", "f32[8,4]"),  # 0 x
    op("parameter", "f32[4,6]"),  # 1 w
    op("parameter", "f32[6]"),  # 2 bias, frozen
    op("parameter", "f32[8,6]"),  # 3 labels
    op("parameter", "f32[4,6]"),  # 4 moment of w
    op("parameter", "f32[]"),  # 5 decay
    op("parameter", "f32[6]"),  # 6 running mean
    op("parameter", "u32[2]"),  # 7 key
    op("broadcast", "f32[8,6]", (2,)),  # 8
    op("dot", "f32[8,6]", (0, 1), BLOCK),  # 9
    op("add", "f32[8,6]", (9, 8), BLOCK),  # 10
    op("negate", "f32[8,6]", (3,)),  # 11
    op("broadcast", "u32[8,6]", (7,)),  # 12
    op("add", "f32[8,6]", (10, 11), BLOCK),  # 13
    op("multiply", "f32[8,6]", (13, 12), BLOCK),  # 14
    op("dot", "f32[4,6]", (0, 14), BLOCK),  # 15
    op("multiply", "f32[4,6]", (4, 5)),  # 16
    op("add", "f32[4,6]", (15, 16), UPDATE),  # 17
    op("add", "f32[4,6]", (1, 17), UPDATE),  # 18
    op("multiply", "f32[6]", (6, 5)),  # 19
    op("reduce", "f32[6]", (9, 19), BLOCK),  # 20
)
NAMES = ("x", "w", "bias", "labels", "moment", "decay", "mean", "key")
BATCH = strategy(
    "activation",
    "%9 m0",
    8,
    [(0, 9, 0, 1), (8, 10, 0, 1), (11, 13, 0, 1), (12, 14, 0, 1), (9, -1, 0, 1)],
)
COLUMNS = strategy(
    "weight",
    "%9 n0",
    6,
    [(1, 9, 1, 1), (8, 10, 1, 1), (11, 13, 1, 1), (12, 14, 1, 1), (19, 20, 0, 1), (9, -1, 1, 1)],
)
STEP = analysis(OPS, ([BATCH, COLUMNS],), {9: 1.0, 15: 1.0}, NAMES, (17, 18, 20))


def roles(step: Analysis) -> dict[str, Role]:
    return dict(zip(step.arguments, argument_roles(step), strict=True))


def test_every_argument_has_its_role() -> None:
    assert roles(STEP) == {
        "x": Role("data"),
        "w": Role("parameter", 1),
        "bias": Role("parameter", 2),  # frozen: only a split of the weights leads to it
        "labels": Role("data"),
        "moment": Role("optimizer", 1),
        "decay": Role("other"),
        "mean": Role("other"),  # no contraction depends on it
        "key": Role("other"),  # no split leads through the random bits
    }


def test_state_of_another_shape_belongs_to_no_parameter() -> None:
    ops = list(STEP.ops)
    ops[4] = op("parameter", "f32[6]")
    assert roles(replace(STEP, ops=tuple(ops)))["moment"] == Role("other")


def test_state_that_a_block_reads_is_no_optimizer_state() -> None:
    ops = list(STEP.ops)
    ops[17] = op("add", "f32[4,6]", (15, 16), BLOCK)
    assert roles(replace(STEP, ops=tuple(ops)))["moment"] == Role("other")


def test_an_argument_that_the_step_ignores_is_other() -> None:
    ignoring = replace(STEP, arguments=(*NAMES, "unused"), parameters=(*STEP.parameters, -1))
    assert roles(ignoring)["unused"] == Role("other")


@pytest.mark.parametrize(
    ("labels", "before"),
    [
        ("f32[2,4,6]", "reshape"),  # the batch begins with the first of two dimensions
        ("f32[48]", "reshape"),
        ("f32[6,8]", "transpose"),
        ("f32[8]", "broadcast"),
    ],
)
def test_a_split_is_led_back_through_what_nobody_owns(labels: str, before: str) -> None:
    ops = list(STEP.ops)
    ops[3] = op("parameter", labels)
    ops[11] = op(before, "f32[8,6]", (3,))
    assert roles(replace(STEP, ops=tuple(ops)))["labels"] == Role("data")


def test_a_source_that_the_core_names_is_believed() -> None:
    named = replace(BATCH, inputs=(), sources=((3, 0),))
    sourced = analysis(OPS, ([named, COLUMNS],), {9: 1.0, 15: 1.0}, NAMES)
    assert [roles(sourced)[name].kind for name in ("x", "labels")] == ["other", "data"]

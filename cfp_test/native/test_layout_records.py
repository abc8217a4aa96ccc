"""Layouts as Python asks for them, without JAX: of small modules, and of axes that do not fit."""

from pathlib import Path

import pytest

from cfp import _cfp_core as core
from cfp._native import Axis, lay_out_axes
from cfp.ir.analysis import Analysis
from cfp.ir.layout import AxisCut
from cfp.passes.analyze_hlo import analyze_module

DATA = Path(__file__).parent / "data"


def analysis_of(name: str) -> Analysis:
    return analyze_module((DATA / f"{name}.hlo.pb").read_bytes(), name)


@pytest.fixture(scope="module")
def mlp() -> Analysis:
    return analysis_of("mlp")


def choice(analysis: Analysis, *origins: str) -> tuple[int, ...]:
    """Per block the strategy of this origin, -1 where it is "whole"."""
    return tuple(
        next(
            (number for number, one in enumerate(block.strategies) if one.origin == origin),
            -1,
        )
        for block, origin in zip(analysis.blocks, origins, strict=True)
    )


def test_columns_then_rows(mlp: Analysis) -> None:
    axis = Axis("model", 4, choice(mlp, "weight", "contracted"))
    (laid,) = lay_out_axes(mlp, [axis], ())
    first, second = (one.op for one in mlp.contractions[:2])
    assert laid.axis == "model"
    assert laid.values[first] == AxisCut("model", 1)
    assert second not in laid.values
    assert laid.uses[second, 0] == AxisCut("model", 1)
    assert laid.uses[first, 0] is None
    summed = [one for one in laid.movements if one.value == second]
    assert [(one.kind, one.reader, one.times) for one in summed] == [("all-reduce", second, 1)]


def test_arguments_lie_as_their_readers_want_them(mlp: Analysis) -> None:
    (laid,) = lay_out_axes(mlp, [Axis("data", 4, choice(mlp, "activation", "activation"))], ())
    assert laid.wanted
    for argument, cut in laid.wanted.items():
        assert laid.values[mlp.parameters[argument]] == cut


def test_a_place_holds(mlp: Analysis) -> None:
    chosen = choice(mlp, "activation", "activation")
    weight = mlp.ops[mlp.contractions[0].op].operands[1]
    stored = tuple((0, 1) if op == weight else None for op in mlp.parameters)
    (laid,) = lay_out_axes(mlp, [Axis("data", 4, chosen, stored)], ())
    assert laid.values[weight] == AxisCut("data", 0)
    assert [one.kind for one in laid.movements if one.value == weight] == ["all-gather"]


def test_what_moves_in_a_loop_moves_on_every_trip() -> None:
    loop = analysis_of("loop")
    (laid,) = lay_out_axes(loop, [Axis("data", 4, choice(loop, "activation"))], ())
    assert {one.times for one in laid.movements} == {4}


def test_every_axis_by_itself(mlp: Analysis) -> None:
    data = Axis("data", 2, choice(mlp, "activation", "activation"))
    model = Axis("model", 4, choice(mlp, "weight", "contracted"))
    both = lay_out_axes(mlp, [data, model], ())
    alone = [lay_out_axes(mlp, [one], ())[0] for one in (data, model)]
    assert [one.values for one in both] == [one.values for one in alone]


@pytest.mark.parametrize(
    ("axis", "reason"),
    [
        (Axis("a", 0, (-1, -1)), "axis 0 has size 0"),
        (Axis("a", 2, (-1,)), "one strategy for each of 2 blocks, not 1"),
        (Axis("a", 2, (-1, 7)), "block 1 has no strategy 7"),
        (Axis("a", 5, (0, -1)), "cuts into 8 pieces at most, not into 5"),
        (Axis("a", 2, (-1, -1), (None,)), "a place for each of"),
    ],
)
def test_an_axis_that_does_not_fit_is_refused(mlp: Analysis, axis: Axis, reason: str) -> None:
    with pytest.raises(core.HloError, match=reason):
        lay_out_axes(mlp, [axis], ())


@pytest.mark.parametrize("dim", [2, -2, 70_000, 65_536])
def test_a_place_names_a_dimension(mlp: Analysis, dim: int) -> None:
    stored = ((dim, 1), *(None for _ in mlp.parameters[1:]))
    with pytest.raises(core.HloError, match="dimension"):
        lay_out_axes(mlp, [Axis("a", 2, (-1, -1), stored)], ())


def test_results_continue_arguments_that_are_there(mlp: Analysis) -> None:
    continues = [len(mlp.parameters), *(-1 for _ in mlp.results[1:])]
    with pytest.raises(core.HloError, match="result 0 cannot be the next argument"):
        lay_out_axes(mlp, [Axis("a", 2, (-1, -1))], continues)


def test_records_of_cuts_are_whole_numbers() -> None:
    with pytest.raises(TypeError):
        core.CutRecord(0.5, 1)  # type: ignore[arg-type]
    cut = core.CutRecord(1, 3)
    assert (cut.dim, cut.outer) == (1, 3)

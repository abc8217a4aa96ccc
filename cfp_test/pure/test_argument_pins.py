"""Pins and the patterns of arguments: what is matched, what is demanded, what is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfp import errors
from cfp.ir import ArrayInfo, Mesh, TracedStep
from cfp.ir.argument_patterns import matching
from cfp.ir.argument_pins import Demand, demanded, refuse_broken
from cfp.ir.layout import AxisCut, partition

MESH = Mesh.parse("data:4 x model:2")
SHAPES = {
    "state.params['wte']": (64, 16),
    "state.params['head']['kernel']": (16, 64),
    "state.step": (),
    "batch['x']": (8, 16),
    "batch2": (8,),
}
STEP = TracedStep(
    name="train",
    hlo=b"hlo",
    arguments=tuple(ArrayInfo(name, shape, "float32") for name, shape in SHAPES.items()),
    results=(),
    equations=(),
)


@pytest.mark.parametrize(
    ("pattern", "numbers"),
    [
        ("state.params['wte']", [0]),
        ("state.params", [0, 1]),
        ("state", [0, 1, 2]),
        ("batch", [3]),
        ("*['kernel']", [1]),
        ("state.*['*']", [0, 1]),
        ("*", [0, 1, 2, 3, 4]),
    ],
)
def test_what_a_pattern_matches(pattern: str, numbers: list[int]) -> None:
    assert matching(STEP, pattern, "here") == tuple(numbers)


@pytest.mark.parametrize("pattern", ["state.param", "tate", "", "state.params['WTE']", "wte"])
def test_a_pattern_that_matches_nothing(pattern: str) -> None:
    with pytest.raises(errors.UnknownArgumentError, match="where: here"):
        matching(STEP, pattern, "here")


def test_the_closest_names_are_told() -> None:
    with pytest.raises(errors.UnknownArgumentError, match=r"close to it are state.params\['wte'\]"):
        matching(STEP, "state.param['wte']", "here")


def test_what_pins_demand() -> None:
    pins = {"batch": ("data",), "state.params": "replicated", "*['wte']": (None, None)}
    assert demanded(STEP, MESH, pins) == {
        0: Demand("state.params", ((), ())),
        1: Demand("state.params", ((), ())),
        3: Demand("batch", (("data",), ())),
    }


def test_pins_that_contradict_each_other() -> None:
    pins = {"state.params": "replicated", "*['wte']": (None, "model")}
    expected = errors.ContradictingPinsError(
        "state.params['wte']", "state.params: whole", "*['wte']: dim 1 by model"
    )
    with pytest.raises(errors.ContradictingPinsError) as found:
        demanded(STEP, MESH, pins)
    assert str(found.value) == str(expected)


SIDES = st.lists(st.sampled_from(["data", "model"]), unique=True, max_size=2)


@given(st.permutations([0, 1]), SIDES)
def test_a_pin_holds_just_for_what_it_says(dims, axes) -> None:
    cuts = tuple(AxisCut(axis, dim) for axis, dim in zip(axes, dims, strict=False))
    spec = partition(cuts, 2)
    whole = ((),) * (len(SHAPES) - 1)
    demands = demanded(STEP, MESH, {"*['wte']": spec})
    refuse_broken(STEP, "plan", (cuts, *whole), demands)
    if cuts:
        with pytest.raises(errors.BrokenPinError):
            refuse_broken(STEP, "plan", ((), *whole), demands)

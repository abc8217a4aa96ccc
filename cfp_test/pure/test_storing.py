"""How arguments may be stored beyond their use."""

from dataclasses import replace
from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from cfp.ir import Region
from cfp.ir.layout import AxisCut, Cuts
from cfp.ir.mesh import Mesh
from cfp.ir.storing import looped_dims, stored_further, ways_to_store
from cfp_test.pure.small_steps import analysis, op

MESH = Mesh.parse("data:4 x fsdp:2 x model:2")
USED = (AxisCut("model", 1),)
SHAPES = st.lists(st.sampled_from([0, 1, 2, 3, 4, 6, 8, 12, 16]), max_size=4).map(tuple)
LOOPED = st.sets(st.integers(0, 3))


def test_the_largest_dimension_that_is_whole_in_use_is_cut() -> None:
    assert stored_further(USED, (8, 64, 16), MESH, ["data"]) == (AxisCut("data", 2), *USED)
    assert stored_further(USED, (8, 64, 8), MESH, ["data"]) == (AxisCut("data", 0), *USED)
    assert stored_further((), (8, 64), MESH, ["fsdp"]) == (AxisCut("fsdp", 1),)


def test_axes_stand_in_the_order_of_the_mesh() -> None:
    assert stored_further((), (16,), MESH, ["model", "data"]) == (
        AxisCut("data", 0),
        AxisCut("model", 0),
    )


def test_there_may_be_no_room() -> None:
    assert stored_further((), (6, 9), MESH, ["data"]) is None
    assert stored_further((), (), MESH, ["data"]) is None
    assert stored_further(USED, (9, 64), MESH, ["data"]) is None  # 64 is not whole in use
    assert stored_further(USED, (64, 64), MESH, ["model"]) is None  # use has the axis already
    assert stored_further((), (64, 9), MESH, ["data"], looped=(0,)) is None


@given(SHAPES, LOOPED)
def test_ways_give_every_device_an_equal_part(shape: tuple[int, ...], looped: set[int]) -> None:
    ways = list(ways_to_store(shape, MESH, looped))
    assert ways[0] == ()
    assert len(set(ways)) == len(ways)
    for cuts in ways:
        axes = [cut.axis for cut in cuts]
        assert all(shape[cut.dim] % MESH.size(*axes) == 0 for cut in cuts)
        assert not looped & {cut.dim for cut in cuts}


@given(SHAPES, LOOPED)
def test_no_way_is_forgotten(shape: tuple[int, ...], looped: set[int]) -> None:
    def fits(axes: tuple[str, ...]) -> bool:
        free = [size for dim, size in enumerate(shape) if dim not in looped and size]
        return any(size % MESH.size(*axes) == 0 for size in free)

    ways = {tuple(cut.axis for cut in cuts) for cuts in ways_to_store(shape, MESH, looped)}
    sets = (axes for count in (1, 2, 3) for axes in combinations(MESH.names, count))
    assert ways == {(), *filter(fits, sets)}


def test_an_axis_of_one_device_is_no_way() -> None:
    ways: list[Cuts] = list(ways_to_store((8,), Mesh.parse("a:1 x b:2"), ()))
    assert ways == [(), (AxisCut("b", 0),)]


def test_what_a_loop_slices_is_known() -> None:
    ops = (
        op("parameter", "f32[12,8,4]"),
        replace(op("dynamic-slice", "f32[1,8,4]", (0,)), region=1),
        op("parameter", "f32[12,8]"),
        op("dynamic-slice", "f32[1,8]", (2,)),  # in no loop
    )
    step = analysis(ops, (), {})
    body = Region(0, "body", 12, trip_count_known=True, times=12)
    assert looped_dims(replace(step, regions=(*step.regions, body))) == {0: (0,)}

"""What is alive at once: which values take memory, and the best order to compute them in."""

from dataclasses import replace
from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from cfp.costs.buffers import Buffers
from cfp.costs.liveness import Sizes, peak_bytes
from cfp.costs.memory import predict_memory
from cfp.ir.layout import AxisCut, Layout, Transfer
from cfp.ir.mesh import Mesh
from cfp.ir.op import Region
from cfp.ir.step import ArrayInfo, TracedStep
from cfp_test.pure.small_steps import analysis, op

MESH = Mesh.parse("data:4")


def buffers_of(ops, results):
    return Buffers(analysis(ops, (), {}, results=results))


def test_elementwise_ops_take_no_memory_but_a_dear_one_with_two_readers_does():
    buffers = buffers_of(
        (
            op("parameter", "f32[8]"),
            op("dot", "f32[8]", (0,)),
            op("add", "f32[8]", (1, 0)),
            op("exponential", "f32[8]", (2,)),
            op("dot", "f32[8]", (3,)),
            op("add", "f32[8]", (3, 4)),
            op("reshape", "f32[2,4]", (5,)),
            op("dot", "f32[8]", (6,)),
        ),
        (7,),
    )
    assert [one for one, made in enumerate(buffers.is_made) if made] == [1, 3, 4, 5, 7]
    assert buffers.home[6] == 5
    reads = {task.op: task.reads for task in buffers.tasks(0)}
    assert reads == {1: {0}, 3: {1, 0}, 4: {3}, 5: {3, 4}, 7: {5}}
    assert buffers.runner(2) == 3


def test_a_loop_keeps_its_state_in_place():
    ops = (
        op("parameter", "f32[8]"),
        op("broadcast", "f32[4,8]"),
        replace(op("carry", "f32[8]", (0,)), region=1),
        replace(op("carry", "f32[4,8]", (1,)), region=1),
        replace(op("dot", "f32[8]", (2,)), region=1),
        replace(op("dynamic-update-slice", "f32[4,8]", (3, 4)), region=1),
        op("loop", "(f32[8], f32[4,8])", (4, 5)),
        op("get-tuple-element", "f32[4,8]", (6,)),
        op("dot", "f32[8]", (7,)),
    )
    loop = Region(0, "loop", 4, trip_count_known=True, times=4)
    made = analysis(ops, (), {}, results=(8,))
    buffers = Buffers(replace(made, regions=(*made.regions, loop)))
    (task,) = [one for one in buffers.tasks(0) if one.regions]
    assert (task.op, task.makes, task.regions) == (6, (2, 3), (1,))
    assert buffers.home[5] == buffers.home[7] == 3
    sizes = Sizes({2: 32, 3: 128, 4: 32}, {})
    assert peak_bytes(buffers, sizes) == 32 + 128 + 32


@st.composite
def graphs(draw):
    """Dots of random sizes, each of one or two earlier values; the last is the result."""
    count = draw(st.integers(1, 6))
    ops = [op("parameter", "f32[1]")]
    for number in range(1, count + 1):
        operands = draw(st.lists(st.integers(0, number - 1), min_size=1, max_size=2, unique=True))
        ops.append(op("dot", f"f32[{draw(st.integers(1, 9))}]", tuple(operands)))
    return tuple(ops)


def brute_force(ops, order, size):
    alive, peak = set(), 0
    for place, number in enumerate(order):
        alive.add(number)
        peak = max(peak, sum(size[one] for one in alive))
        later = {operand for one in order[place + 1 :] for operand in ops[one].operands}
        alive &= later
    return peak


@given(graphs())
def test_the_order_is_no_better_than_the_best_and_no_worse_than_that_of_the_ops(ops):
    dots = range(1, len(ops))
    size = {one: int(ops[one].shape[4:-1]) for one in dots}
    orders = [
        order
        for order in permutations(dots)
        if all(
            operand == 0 or order.index(operand) < place
            for place, one in enumerate(order)
            for operand in ops[one].operands
        )
    ]
    found = peak_bytes(buffers_of(ops, (len(ops) - 1,)), Sizes(size, {}))
    assert min(brute_force(ops, order, size) for order in orders) <= found
    assert found <= brute_force(ops, tuple(dots), size)


# ---- a whole step

W, X = ArrayInfo("w", (64, 64), "float32", donated=True), ArrayInfo("x", (8, 64), "float32")


def step_of(*results):
    return TracedStep("step", b"hlo", (W, X), results, ())


def test_prediction_of_a_cut_step():
    """The weight w is read by the last dot, maybe after its next value is made: it is copied."""
    ops = (
        op("parameter", "f32[64,64]"),
        op("parameter", "f32[8,64]"),
        op("dot", "f32[8,64]", (1, 0)),
        op("dot", "f32[64,64]", (2, 1)),
        op("add", "f32[64,64]", (0, 3)),
        op("dot", "f32[8,64]", (2, 0)),
    )
    rows = (AxisCut("data", 0),)
    laid = Layout(
        mesh=MESH,
        values=((), rows, rows, (), (), rows),
        arguments=((), rows),
        made=((), rows),
        results=((), rows),
        pins=(),
        transfers=(Transfer("all-gather", "data", 2, 3, 1, 2048),),
    )
    made = analysis(ops, (), {}, ("w", "x"), (4, 5))
    step = step_of(replace(W, name="result[0]", continues=0), replace(X, name="result[1]"))
    found = predict_memory(step, made, laid)
    assert found.arguments == 64 * 64 * 4 + 2 * 64 * 4
    assert found.results == 64 * 64 * 4 + 2 * 64 * 4 + 16
    assert found.aliased == 64 * 64 * 4
    copied, hidden, gradient, gathered = 64 * 64 * 4, 2 * 64 * 4, 64 * 64 * 4, 2048
    assert found.temporaries == copied + hidden + gradient + gathered
    assert found.peak == found.arguments + found.results - found.aliased + found.temporaries


def test_narrow_floats_take_as_many_bits_as_they_are_computed_in():
    ops = (
        op("parameter", "f32[64,64]"),
        op("parameter", "f32[8,64]"),
        op("dot", "bf16[8,64]", (1, 0)),
        op("dot", "f32[8,64]", (2, 0)),
    )
    laid = Layout(MESH, ((),) * 4, ((), ()), ((),), ((),), (), ())
    made = analysis(ops, (), {}, ("w", "x"), (3,))
    step = step_of(replace(X, name="result"))
    assert predict_memory(step, made, laid).temporaries == 8 * 64 * 2
    assert predict_memory(step, made, laid, narrowest_float=32).temporaries == 8 * 64 * 4

"""lay_out: a plan to what it means for every value of the step.

The core lays out each mesh axis by itself: strategies say what forward ops work on, gradients
mirror them, all else follows. Here the axes are put together, and what was decided is tied to the
equations of the step, so that it can be pinned:

    %311 dot, axis data on m0, axis model on n0
    pin 412: x cut by data in dim 0, W by model in dim 1, the result by data in 0, by model in 2

Only contractions are pinned, both operands and the result; what lies between them follows. A
partial result that its readers take parts of is pinned as the sum lies before it is scattered: the
compiler finds the slice that follows, and cannot cut a product in a factor that it sums over.
"""

from collections import Counter
from collections.abc import Iterator

from cfp._native import Axis, AxisLayout, lay_out_axes
from cfp.ir.analysis import Analysis
from cfp.ir.layout import Cuts, Layout, Pin, Transfer
from cfp.ir.mesh import Mesh
from cfp.ir.plan import WHOLE, Plan
from cfp.ir.shape import dims, size_bytes
from cfp.ir.step import TracedStep
from cfp.ir.storing import stored_as_used

# Equations whose operands are those of the HLO op, in order.
_PINNED = {
    "dot_general": "dot",
    "conv_general_dilated": "convolution",
    "gather": "gather",
    "scatter-add": "scatter",
    "scatter_add": "scatter",
    "ragged_dot_general": "ragged-dot",
}
_SUMS = ("all-reduce", "reduce-scatter")


def lay_out(step: TracedStep, analysis: Analysis, plan: Plan) -> Layout:
    """The consequences of `plan`, which must be one for this step."""
    arguments = _stored(step, plan)
    axes = _axes(analysis, plan, arguments)
    laid = lay_out_axes(analysis, axes, [one.continues for one in step.results])
    values = _values(laid, len(analysis.ops))
    summed = _summed(laid, values)
    made = tuple(values[op] for op in analysis.results)
    return Layout(
        mesh=plan.mesh,
        values=values,
        arguments=arguments,
        made=made,
        results=tuple(
            arguments[one.continues] if one.continues >= 0 else cuts
            for one, cuts in zip(step.results, made, strict=True)
        ),
        pins=tuple(_pins(step, analysis, plan.mesh, laid, summed)),
        transfers=tuple(_transfers(analysis, plan.mesh, laid, values, summed)),
    )


def _stored(step: TracedStep, plan: Plan) -> tuple[Cuts, ...]:
    """How each argument lies between steps; what the plan does not name is whole."""
    by_name = {one.argument: one.cuts for one in plan.storage}
    return tuple(by_name.get(one.name, ()) for one in step.arguments)


def _axes(analysis: Analysis, plan: Plan, arguments: tuple[Cuts, ...]) -> list[Axis]:
    choices: dict[int, tuple[int, ...]] = {
        block: one.strategies for one in plan.choices for block in one.blocks
    }
    whole = (WHOLE,) * len(plan.mesh.axes)
    return [
        Axis(
            name,
            size,
            tuple(choices.get(block, whole)[number] for block in range(len(analysis.blocks))),
            tuple(_place(cuts, name) for cuts in arguments),
        )
        for number, (name, size) in enumerate(plan.mesh.axes)
    ]


def _place(cuts: Cuts, axis: str) -> tuple[int, int] | None:
    return next(((cut.dim, cut.outer) for cut in cuts if cut.axis == axis), None)


# ---- the axes together


def _values(laid: tuple[AxisLayout, ...], ops: int) -> tuple[Cuts, ...]:
    """How each op's result lies."""
    return tuple(tuple(one.values[op] for one in laid if op in one.values) for op in range(ops))


def _uses(laid: tuple[AxisLayout, ...]) -> dict[int, list[Cuts]]:
    """How each contraction uses its operands, in their order."""
    uses: dict[int, list[Cuts]] = {}
    for op, operand in laid[0].uses if laid else ():
        cuts = (one.uses[op, operand] for one in laid)
        uses.setdefault(op, []).append(tuple(cut for cut in cuts if cut))
    return uses


def _summed(laid: tuple[AxisLayout, ...], values: tuple[Cuts, ...]) -> dict[int, Cuts]:
    """How every result lies before it is scattered."""
    scattered = {
        (one.value, axis.axis)
        for axis in laid
        for one in axis.movements
        if one.kind == "reduce-scatter"
    }
    return {
        op: tuple(cut for cut in cuts if (op, cut.axis) not in scattered)
        for op, cuts in enumerate(values)
    }


def _pins(
    step: TracedStep,
    analysis: Analysis,
    mesh: Mesh,
    laid: tuple[AxisLayout, ...],
    results: dict[int, Cuts],
) -> Iterator[Pin]:
    """One for every equation that became exactly one contraction."""
    ops = Counter(analysis.ops[one.op].source.equation for one in analysis.contractions)
    uses, exchanged = _uses(laid), _exchanged_from_parts(analysis, laid)
    for one in analysis.contractions:
        op = analysis.ops[one.op]
        path = op.source.equation
        if ops[path] == 1 and path and _PINNED.get(step.equation(path).primitive) == op.opcode:
            cuts = results[one.op]
            folded = stored_as_used(cuts, dims(op.shape), mesh) if one.op in exchanged else None
            yield Pin(path, tuple(uses[one.op]), cuts, folded)


def _exchanged_from_parts(analysis: Analysis, laid: tuple[AxisLayout, ...]) -> set[int]:
    """The ops that are cut inside parts until they, or what follows them, are exchanged."""
    found: set[int] = set()
    for axis in laid:
        leaves = {one.value for one in axis.movements if one.kind == "all-to-all"}
        for op in reversed(range(len(analysis.ops))):
            if op in leaves and op in axis.values and axis.values[op].outer > 1:
                found.add(op)
                leaves.update(analysis.ops[op].operands)
    return found


def _transfers(
    analysis: Analysis,
    mesh: Mesh,
    laid: tuple[AxisLayout, ...],
    values: tuple[Cuts, ...],
    summed: dict[int, Cuts],
) -> Iterator[Transfer]:
    """What moves; partial results are summed on every axis before they are scattered on any."""
    gathered = {
        (one.value, axis.axis)
        for axis in laid
        for one in axis.movements
        if one.kind == "all-gather"
    }
    for axis in laid:
        for one in axis.movements:
            cuts = summed[one.value] if one.kind in _SUMS else values[one.value]
            others = _cut_meanwhile(cuts, axis.axis)
            if one.kind == "all-to-all":
                others = [axis.axis, *(a for a in others if (one.value, a) not in gathered)]
            size = size_bytes(analysis.ops[one.value].shape) // mesh.size(*others)
            yield Transfer(one.kind, axis.axis, one.value, one.reader, one.times, size)


def _cut_meanwhile(cuts: Cuts, axis: str) -> list[str]:
    """The other axes that cut a value while it moves on one.

    A dimension that is cut inside parts is cut in a row, by other axes, only after that is undone.
    """
    undone = {cut.dim for cut in cuts if cut.axis == axis and cut.outer > 1}
    return [cut.axis for cut in cuts if cut.axis != axis and cut.dim not in undone]

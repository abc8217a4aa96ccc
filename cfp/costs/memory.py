"""Predicts the memory of one device from the step and its layout alone: nothing is compiled.

    predict_memory(step, analysis, layout)      MemoryUse(arguments=12.1 MiB, …)

Arguments, results and what is aliased follow from the layout exactly. Temporaries are the most
that is alive at once (`liveness`) of the values that take memory (`buffers`), cut as the layout
says, and
- a donated argument that is still read when its next value may be written is copied first;
- an argument that is gathered stays so for all its readers; any other value that is gathered is
  there while its reader runs;
- floats that are narrower than `narrowest_float` bits take that many: XLA on CPU computes bfloat16
  in float32.
"""

from math import prod

from cfp.costs.buffers import Buffer, Buffers, Task
from cfp.costs.liveness import Sizes, peak_bytes
from cfp.ir import shape
from cfp.ir.analysis import Analysis
from cfp.ir.layout import Cuts, Layout, Transfer
from cfp.ir.memory import MemoryUse
from cfp.ir.step import ArrayInfo, TracedStep
from cfp.ir.step_text import size_bytes

POINTER_BYTES = 8  # a program gives its results as a list of where each lies
_NARROW_FLOATS = ("bf16", "f16", "f8")


def predict_memory(
    step: TracedStep, analysis: Analysis, layout: Layout, narrowest_float: int = 8
) -> MemoryUse:
    """The memory of one device while the step runs."""
    pairs = zip(step.results, layout.results, strict=True)
    aliased = sum(
        _local(size_bytes(one), cuts, layout)
        for one, cuts in pairs
        if _is_aliased(step, layout, one, cuts)
    )
    return MemoryUse(
        arguments=_total(step.arguments, layout.arguments, layout),
        results=_total(step.results, layout.results, layout) + POINTER_BYTES * len(step.results),
        aliased=aliased,
        temporaries=_temporaries(step, analysis, layout, narrowest_float),
    )


def _is_aliased(step: TracedStep, layout: Layout, result: ArrayInfo, cuts: Cuts) -> bool:
    """Whether a result is written over the argument that it continues."""
    number = result.continues
    return number >= 0 and step.arguments[number].donated and layout.arguments[number] == cuts


def _total(arrays: tuple[ArrayInfo, ...], places: tuple[Cuts, ...], layout: Layout) -> int:
    return sum(
        _local(size_bytes(one), cuts, layout) for one, cuts in zip(arrays, places, strict=True)
    )


def _local(size: int, cuts: Cuts, layout: Layout) -> int:
    """What one device holds of so many bytes."""
    return -(-size // layout.mesh.size(*(cut.axis for cut in cuts)))


def _temporaries(step: TracedStep, analysis: Analysis, layout: Layout, narrowest: int) -> int:
    buffers = Buffers(analysis)
    placed = {buffers.home[one] for one in analysis.results if one >= 0}
    size = {
        number: _local(_size_bytes(op.shape, narrowest), layout.values[number], layout)
        for number, op in enumerate(analysis.ops)
        if buffers.is_made[number] and number not in placed
    }
    for one in _copied(step, analysis, buffers):
        size[one] = _local(shape.size_bytes(analysis.ops[one].shape), layout.values[one], layout)
    beside: dict[int, int] = {}
    for one in _gathered(layout):
        if analysis.ops[one.value].opcode == "parameter":
            size[one.value] = max(size.get(one.value, 0), one.size_bytes)
        else:
            runner = buffers.runner(one.reader)
            beside[runner] = beside.get(runner, 0) + one.size_bytes
    return peak_bytes(buffers, Sizes(size, beside))


def _gathered(layout: Layout) -> list[Transfer]:
    """What is gathered for an op, not for the results: these lie in a place of their own."""
    return [one for one in layout.transfers if one.kind == "all-gather" and one.reader >= 0]


def _size_bytes(text: str, narrowest: int) -> int:
    """Of an array whose floats are computed in so many bits at least."""
    if not text.startswith(_NARROW_FLOATS):
        return shape.size_bytes(text)
    bits = max(narrowest, shape.bits(text.partition("[")[0]))
    return prod(shape.dims(text)) * bits // 8


def _copied(step: TracedStep, analysis: Analysis, buffers: Buffers) -> list[Buffer]:
    """The donated arguments that some task reads and need not have read when it is overwritten."""
    next_value = {
        analysis.parameters[one.continues]: buffers.home[result]
        for one, result in zip(step.results, analysis.results, strict=True)
        if one.continues >= 0 and step.arguments[one.continues].donated and result >= 0
    }
    tasks = buffers.tasks(0)
    later = _made_later(tasks, frozenset(next_value.values()))
    return [
        argument
        for argument, value in next_value.items()
        if any(argument in one.reads and not later[one.op] >> value & 1 for one in tasks)
    ]


def _made_later(tasks: list[Task], values: frozenset[Buffer]) -> dict[int, int]:
    """For each task a number whose bit `v` says whether value `v` is made by it or needs it."""
    by_buffer: dict[Buffer, int] = {}
    by_task: dict[int, int] = {}
    for task in reversed(tasks):
        mask = 0
        for one in task.makes:
            mask |= by_buffer.get(one, 0) | (1 << one if one in values else 0)
        for one in task.reads:
            by_buffer[one] = by_buffer.get(one, 0) | mask
        by_task[task.op] = mask
    return by_task

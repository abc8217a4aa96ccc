"""Names for the dimensions of a step: logical axes, as flax and MaxText call them.

    w1 [64,256]   h = x·w1 [8,256]   w2 [256,64]     dim 1, dim 1 and dim 0 are "params_w1_1"

Dimensions that belong together share a name: that of the first argument that brings it in, its last
two keys and the number of the dimension. A dimension that nothing cuts has no name. Where one array
has two dimensions of one name (the two positions of attention scores), only one may keep it: the
one that the plan cuts, or else the first.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from cfp.formats.dimension_classes import (
    DimensionClasses,
    Place,
    argument_ops,
    dimension_classes,
)
from cfp.ir.analysis import Analysis
from cfp.ir.layout import Cuts, Layout
from cfp.ir.op import Op
from cfp.ir.shape import dims
from cfp.ir.step import TracedStep

LogicalAxes = tuple[str | None, ...]

_WORD = re.compile(r"[A-Za-z][A-Za-z_]*(?<!_)")
_ORIGINS = ("activation", "weight", "late", "contracted")


@dataclass(frozen=True)
class NamedArray:
    """An argument or activation: what it is called, its logical axes, and how it lies."""

    name: str
    axes: LogicalAxes
    cuts: Cuts


@dataclass(frozen=True)
class DimensionNames:
    """The names of all dimensions of a step, by class."""

    classes: DimensionClasses
    name_of: Mapping[Place, str]

    def array(self, name: str, op: int, rank: int, cuts: Cuts) -> NamedArray:
        """The value of an op under its own name, with those of its dimensions."""
        axes = [self.name_of.get(self.classes.of((op, dim))) for dim in range(rank)]
        return NamedArray(name, _each_once(axes, cuts), cuts)


def name_dimensions(step: TracedStep, analysis: Analysis, layout: Layout) -> DimensionNames:
    """The names of the dimensions that a strategy cuts, or the storage of this layout."""
    classes = dimension_classes(analysis)
    ops = argument_ops(analysis)
    stored = ((op, cut.dim) for op, cuts in zip(ops, layout.arguments, strict=True) for cut in cuts)
    name_of: dict[Place, str] = {}
    for op, dim in (*_brought_in(analysis), *stored):
        if (standing := classes.of((op, dim))) not in name_of:
            argument = ops.index(op)
            words = _WORD.findall(step.arguments[argument].name.removesuffix(".value"))
            name_of[standing] = _name(words, argument, dim, name_of.values())
    return DimensionNames(classes, name_of)


def named_arguments(
    step: TracedStep, analysis: Analysis, layout: Layout, names: DimensionNames
) -> tuple[NamedArray, ...]:
    """The arguments of the step."""
    rows = zip(argument_ops(analysis), step.arguments, layout.arguments, strict=True)
    return tuple(names.array(one.name, op, len(one.shape), cuts) for op, one, cuts in rows)


def named_activations(
    analysis: Analysis, layout: Layout, names: DimensionNames
) -> tuple[NamedArray, ...]:
    """The activations that a plan decides: what forward contractions make."""
    made = [one.op for one in analysis.contractions if one.phase == "forward"]
    rows = ((op, analysis.ops[op], layout.values[op]) for op in made)
    return tuple(names.array(_told(one), op, len(dims(one.shape)), cuts) for op, one, cuts in rows)


def _told(op: Op) -> str:
    """`model.py:57 dot f32[8,32,64]`."""
    return f"{op.source} {op.opcode} {op.shape}"


def _brought_in(analysis: Analysis) -> list[Place]:
    """A dimension of an argument for each strategy: those of data first, summed ones last."""
    strategies = [
        strategy
        for number in analysis.distinct_blocks
        for strategy in analysis.blocks[number].strategies
        if strategy.sources
    ]
    ordered = sorted(strategies, key=lambda one: _ORIGINS.index(one.origin))
    ops = argument_ops(analysis)
    return [(ops[one.sources[0][0]], one.sources[0][1]) for one in ordered]


def _name(words: Sequence[str], argument: int, dim: int, taken: Collection[str]) -> str:
    """The last keys of an argument, two or as many as make the name another, and the dimension."""
    names = ["_".join([*words[-count:], str(dim)]) for count in range(2, len(words) + 1)]
    numbered = "_".join([*words, "argument", str(argument), str(dim)])
    return next((name for name in names if name not in taken), numbered)


def _each_once(axes: Sequence[str | None], cuts: Cuts) -> LogicalAxes:
    """The names, of those that stand twice the one on a dimension that is cut, or the first."""
    is_cut = {cut.dim for cut in cuts}
    keeper: dict[str | None, int] = {}
    for dim in sorted(range(len(axes)), key=lambda dim: (dim not in is_cut, dim)):
        keeper.setdefault(axes[dim], dim)
    return tuple(name if keeper[name] == dim else None for dim, name in enumerate(axes))

"""A plan as logical axis rules, the form in which flax and MaxText are told how to shard.

    RULES = (("batch_x_0", "data"), ("params_w1_1", "model"))
    ARGUMENTS = (("state.params['w1']", (None, "params_w1_1")), …)

    flax.linen.logical_to_mesh_axes((None, "params_w1_1"), RULES)       P(None, "model")

A rule gives a name to mesh axes, everywhere: a plan has this form only where dimensions that belong
together lie alike. As in MaxText, activations have names of their own (`activation_…`) where they
lie otherwise than arguments do; moments of the optimizer have not. Earlier rules win: where two
dimensions of one array ask for the same mesh axis, the order of the rules decides.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise

from cfp.errors import NoSuchFormError
from cfp.formats.logical_axes import (
    LogicalAxes,
    NamedArray,
    name_dimensions,
    named_activations,
    named_arguments,
)
from cfp.ir.analysis import Analysis
from cfp.ir.array_text import cuts_text
from cfp.ir.layout import Layout, partition
from cfp.ir.plan import Plan
from cfp.ir.step import TracedStep

MeshAxes = tuple[str, ...]
Named = tuple[tuple[str, LogicalAxes], ...]


@dataclass(frozen=True)
class LogicalRules:
    """What cuts each name, the strongest rule first; and the names of the arrays' dimensions.

    The activations are those that contractions make, by line of the model.
    """

    plan: str
    mesh: str
    rules: tuple[tuple[str, MeshAxes], ...]
    arguments: Named
    activations: Named

    def __str__(self) -> str:
        """The rules as Python source, with nothing in it but tables."""
        rules = (f"    ({json.dumps(name)}, {_mesh_axes_text(axes)})," for name, axes in self.rules)
        return "\n".join(
            [
                f'"""Plan {self.plan!r} on {self.mesh} as rules for flax and MaxText."""',
                *("", "RULES = (", *rules, ")"),
                *("", "ARGUMENTS = (", *map(_named_text, self.arguments), ")"),
                *("", "ACTIVATIONS = (", *map(_named_text, self.activations), ")", ""),
            ]
        )


def to_maxtext_rules(
    step: TracedStep, analysis: Analysis, layout: Layout, plan: Plan
) -> LogicalRules:
    """The rules under which flax lays the arguments and activations out as the plan does."""
    names = name_dimensions(step, analysis, layout)
    arguments = named_arguments(step, analysis, layout, names)
    activations = named_activations(analysis, layout, names)
    try:
        asked = _mesh_axes(arguments)
        activations = _renamed(activations, asked)
        asked |= _mesh_axes(activations)
        order = _order((*arguments, *activations), asked)
    except _InexpressibleError as reason:
        raise NoSuchFormError(plan.name, "logical axis rules", str(reason)) from None
    return LogicalRules(
        plan=plan.name,
        mesh=str(plan.mesh),
        rules=tuple((name, asked[name]) for name in order),
        arguments=tuple((one.name, one.axes) for one in arguments),
        activations=tuple(dict.fromkeys((one.name, one.axes) for one in activations)),
    )


class _InexpressibleError(Exception):
    """Why no rules say what a plan says."""


# ---- which mesh axes a name asks for


def _mesh_axes(arrays: Iterable[NamedArray]) -> dict[str, MeshAxes]:
    """The mesh axes that cut each name, wherever anything does."""
    asked: dict[str, MeshAxes] = {}
    first: dict[str, str] = {}
    for array in arrays:
        for name, axes in _dimensions(array):
            if axes and asked.get(name):
                _refuse_unequal(name, (first[name], asked[name]), (array.name, axes))
            if axes or name not in asked:
                asked[name], first[name] = axes, array.name
    return asked


def _refuse_unequal(name: str, one: tuple[str, MeshAxes], other: tuple[str, MeshAxes]) -> None:
    if one[1] != other[1]:
        cut = [f"by {' and '.join(axes)} in {array}" for array, axes in (one, other)]
        raise _InexpressibleError(f"{name} is cut {cut[0]}, and {cut[1]}")


def _dimensions(array: NamedArray) -> Iterator[tuple[str, MeshAxes]]:
    """The names of an array, each with the mesh axes that cut it there."""
    if any(cut.outer > 1 for cut in array.cuts):
        raise _InexpressibleError(f"{array.name} lies {cuts_text(array.cuts)}")
    by_dim = partition(array.cuts, len(array.axes))
    for dim, (name, axes) in enumerate(zip(array.axes, by_dim, strict=True)):
        if name is not None:
            yield name, axes
        elif axes:
            raise _InexpressibleError(
                f"{array.name} is cut at dim {dim}, which has no name that is not used already"
            )


def _renamed(
    activations: Sequence[NamedArray], by_arguments: dict[str, MeshAxes]
) -> tuple[NamedArray, ...]:
    """The activations, with names of their own where they lie otherwise than arguments do."""
    asked = _mesh_axes(activations)
    names = {
        name: name if by_arguments.get(name, axes) == axes else f"activation_{name}"
        for name, axes in asked.items()
    }
    return tuple(
        replace(one, axes=tuple(name and names[name] for name in one.axes)) for one in activations
    )


# ---- which rule comes first


def _order(arrays: Sequence[NamedArray], asked: dict[str, MeshAxes]) -> list[str]:
    """The names, so that each comes after those that take its mesh axes away in some array."""
    stronger: dict[str, dict[str, str]] = {name: {} for name in asked}  # and in which array
    for array in arrays:
        dimensions = list(_dimensions(array))
        for name, axes in dimensions:
            if not axes and asked[name]:
                winner = _stronger(array, name, dimensions, asked)
                stronger[name].setdefault(winner, array.name)
    try:
        order = TopologicalSorter(stronger).static_order()
        return sorted(order, key=lambda name: not asked[name])
    except CycleError as error:
        cycle = [
            f"{winner} before {name} in {stronger[name][winner]}"
            for winner, name in pairwise(error.args[1])
        ]
        raise _InexpressibleError(f"the plan cuts {', '.join(cycle)}") from None


def _stronger(
    array: NamedArray,
    name: str,
    dimensions: Sequence[tuple[str, MeshAxes]],
    asked: dict[str, MeshAxes],
) -> str:
    """Of an array's dimensions, the one that has what `name` asks for."""
    for other, axes in dimensions:
        if not set(axes).isdisjoint(asked[name]):
            return other
    raise _InexpressibleError(
        f"{name} is cut by {' and '.join(asked[name])} elsewhere, and whole in {array.name}"
    )


# ---- source code


def _named_text(row: tuple[str, LogicalAxes]) -> str:
    name, axes = row
    shown = [json.dumps(axis) if axis else "None" for axis in axes]
    return f"    ({json.dumps(name)}, {_tuple_text(shown)}),"


def _mesh_axes_text(axes: MeshAxes) -> str:
    shown = [json.dumps(axis) for axis in axes]
    return shown[0] if len(shown) == 1 else _tuple_text(shown) if shown else "None"


def _tuple_text(items: Sequence[str]) -> str:
    return f"({items[0]},)" if len(items) == 1 else f"({', '.join(items)})"

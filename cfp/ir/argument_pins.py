"""What a user demands of the places of arguments, and whether a plan agrees.

    pins = {"state.params": "replicated", "batch": P("data")}
    demanded(step, mesh, pins)           {0: state.params, whole; 1: batch, dim 0 by data}
    refuse_broken(step, "fsdp", …)       state.params['wte'] is dim 0 by data: an error

A pin says what a PartitionSpec says: the axes that cut each dimension, none for those left out. It
holds for every argument that its pattern matches.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cfp.errors import (
    BrokenPinError,
    ContradictingPinsError,
    IndivisibleError,
    UnreadablePinError,
)
from cfp.ir.argument_patterns import matching
from cfp.ir.array_text import cuts_text
from cfp.ir.layout import Cuts, partition
from cfp.ir.mesh import Mesh
from cfp.ir.step import ArrayInfo, TracedStep

REPLICATED = "replicated"
WHERE = "the pins given to parallelize"

Axes = tuple[tuple[str, ...], ...]  # for each dimension the axes that cut it
ArgumentPins = Mapping[str, Any]  # by pattern: "replicated" or a PartitionSpec


@dataclass(frozen=True, slots=True)
class Demand:
    """What the pin of `pattern` says about one argument."""

    pattern: str
    axes: Axes

    def __str__(self) -> str:
        told = [f"dim {dim} by {' and '.join(axes)}" for dim, axes in enumerate(self.axes) if axes]
        return f"{self.pattern}: {', '.join(told) or 'whole'}"


def demanded(step: TracedStep, mesh: Mesh, pins: ArgumentPins) -> dict[int, Demand]:
    """What is demanded of each argument that a pin matches, by its number."""
    demands: dict[int, Demand] = {}
    for pattern, pin in pins.items():
        axes = _axes(pattern, pin, mesh)
        for number in matching(step, pattern, WHERE):
            demand = Demand(pattern, _of_rank(pattern, pin, axes, step.arguments[number]))
            _refuse_uneven(step.arguments[number], demand, mesh)
            other = demands.setdefault(number, demand)
            if other.axes != demand.axes:
                name = step.arguments[number].name
                raise ContradictingPinsError(name, str(other), str(demand))
    return demands


def refuse_broken(
    step: TracedStep, plan: str, arguments: Iterable[Cuts], demands: Mapping[int, Demand]
) -> None:
    """Raises where `arguments`, as the plan lays them, are not as demanded."""
    for number, (info, cuts) in enumerate(zip(step.arguments, arguments, strict=True)):
        demand = demands.get(number)
        if demand and demand.axes != partition(cuts, len(info.shape)):
            raise BrokenPinError(info.name, str(demand), plan, cuts_text(cuts))


def _axes(pattern: str, pin: Any, mesh: Mesh) -> Axes:
    if isinstance(pin, str):
        if pin != REPLICATED:
            raise UnreadablePinError(pattern, repr(pin), "it is another word")
        return ()
    try:
        axes = tuple(_axes_of_dim(one) for one in pin)
    except TypeError:
        raise UnreadablePinError(pattern, repr(pin), "it is no PartitionSpec") from None
    for name in (name for names in axes for name in names):
        if name not in mesh.names:
            problem = f"{name!r} is no axis of the mesh {mesh}"
            raise UnreadablePinError(pattern, repr(pin), problem)
    return axes


def _axes_of_dim(entry: Any) -> tuple[str, ...]:
    """`()` for None, `("data",)` for "data"."""
    return () if entry is None else (entry,) if isinstance(entry, str) else tuple(entry)


def _of_rank(pattern: str, pin: Any, axes: Axes, info: ArrayInfo) -> Axes:
    """The axes of every dimension; those that the pin leaves out are not cut."""
    rank = len(info.shape)
    if len(axes) > rank:
        problem = f"it names {len(axes)} dimensions, and {info.name} has {rank}"
        raise UnreadablePinError(pattern, repr(pin), problem)
    return axes + ((),) * (rank - len(axes))


def _refuse_uneven(info: ArrayInfo, demand: Demand, mesh: Mesh) -> None:
    for dim, (size, axes) in enumerate(zip(info.shape, demand.axes, strict=True)):
        if size % mesh.size(*axes):
            raise IndivisibleError(f"argument {info.name}", WHERE, dim, size, mesh.size(*axes))

"""Where the axes of a mesh lie on a network: which members of which wiring a collective joins.

The last axis of a mesh is laid innermost, as devices are counted. data:8 x model:4 on
[switch:8] [tree:4], four nodes of eight devices:

    model   4 of the switch, neighbours                       two such groups beside each other
    data    2 of the switch, 4 apart; and all 4 of the tree   8 devices of a node share its links

On rings and lines, members that are `stride` apart send over `stride` links, and as many groups
share every link. Above the first level all devices inside a member share its links, because every
device runs the same program at the same time.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from math import prod

from cfp.errors import UnfitNetworkError
from cfp.ir.mesh import Mesh
from cfp.ir.network import Network, Wiring

_GRID_FORMS = frozenset(("ring", "line"))


@dataclass(frozen=True, slots=True)
class Span:
    """`count` members of a wiring, `stride` apart, whose links `sharing` devices use at once.

    slot is the level and the place of the wiring in its network.
    """

    wiring: Wiring
    slot: tuple[int, int]
    count: int
    stride: int = 1
    sharing: float = 1.0

    @property
    def is_closed(self) -> bool:
        """Whether it goes all around a ring."""
        whole = self.count * self.stride == self.wiring.size
        return self.wiring.form == "ring" and whole and self.wiring.size > 2

    @property
    def hops(self) -> int:
        """Links between two neighbours of the span."""
        return self.stride if self.wiring.form in _GRID_FORMS else 1

    @property
    def latency_s(self) -> float:
        """Seconds until a message begins to arrive at a neighbour."""
        return self.hops * self.wiring.link.latency.value

    @property
    def bytes_per_second(self) -> float:
        """What one device can send to one neighbour, or into the switch."""
        wiring = self.wiring
        return wiring.links * wiring.link.bandwidth.per_second / (self.sharing * self.hops)


Spans = tuple[Span, ...]  # of one level
Route = tuple[Spans, ...]  # of a collective: the levels that it crosses, from the inside


@dataclass(frozen=True)
class LaidMesh:
    """A mesh on a network: the spans of each axis."""

    mesh: Mesh
    network: Network
    spans: dict[str, Spans]

    def route(self, axes: Iterable[str]) -> Route:
        """What a collective over these axes runs over; () where they have one device."""
        taken = sorted((span for axis in axes for span in self.spans[axis]), key=_place)
        joined = list(_joined(taken))
        return tuple(tuple(level) for _, level in groupby(joined, key=lambda span: span.slot[0]))


def lay_mesh(mesh: Mesh, network: Network) -> LaidMesh:
    """The mesh on the inner part of the network that it fills."""
    free = _Free(mesh, network)
    spans = {name: tuple(free.take(name, size)) for name, size in reversed(mesh.axes)}
    return LaidMesh(mesh, network, spans)


def crowded(route: Route, flows: float) -> Route:
    """The route where so many collectives run at once, each with its share of every link."""
    return tuple(
        tuple(replace(span, sharing=span.sharing * flows) for span in spans) for spans in route
    )


def _place(span: Span) -> tuple[int, int, int]:
    return (*span.slot, span.stride)


def _joined(spans: list[Span]) -> Iterator[Span]:
    """Spans of one wiring made one, where together they are evenly apart or that is no matter."""
    held: Span | None = None
    for span in spans:
        if held and held.slot == span.slot and _follows(held, span):
            held = replace(held, count=held.count * span.count)
            continue
        if held:
            yield held
        held = span
    if held:
        yield held


def _follows(inner: Span, outer: Span) -> bool:
    evenly = inner.stride * inner.count == outer.stride
    return evenly or inner.wiring.form not in _GRID_FORMS


class _Free:
    """What is left of a network while axes are laid on it."""

    def __init__(self, mesh: Mesh, network: Network) -> None:
        self._mesh, self._network = mesh, network
        self._slots = [
            (wiring, (number, place))
            for number, level in enumerate(network.levels)
            for place, wiring in reversed(list(enumerate(level)))
        ]
        self._used = 1  # members of the first slot that the axes so far tell apart

    def take(self, axis: str, size: int) -> Iterator[Span]:
        """The next members, `size` in all."""
        while size > 1:
            wiring, slot = self._next_slot(axis)
            free = wiring.size // self._used
            if size % free and free % size:
                raise self._unfit(f"axis {axis} has {size} left where {free} of {wiring} are free")
            count = min(size, free)
            yield Span(wiring, slot, count, self._used, self._inside(slot[0]))
            self._used *= count
            size //= count

    def _next_slot(self, axis: str) -> tuple[Wiring, tuple[int, int]]:
        while self._slots and self._slots[0][0].size == self._used:
            del self._slots[0]
            self._used = 1
        if not self._slots:
            fact = f"no device is left for axis {axis}, it joins {self._network.devices}"
            raise self._unfit(fact)
        return self._slots[0]

    def _inside(self, level: int) -> int:
        """The devices of one member of a level."""
        return prod(one.size for inner in self._network.levels[:level] for one in inner)

    def _unfit(self, problem: str) -> UnfitNetworkError:
        return UnfitNetworkError(str(self._mesh), self._network.name, problem)

"""Collectives that were found beside those that a layout predicts.

    predicted    all-reduce of h on model, 4 times        found  4 all-reduces along model
    predicted    all-reduce of W on data and on pod       found  1 along both: it counts on each

A collective is matched by what it sends: kind, axis and how many numbers; or, where the compiler
moved it past a slice or a sum, by kind, axis and place in the step. Numbers, not bytes: XLA on CPU
sends bfloat16 as float32. A platform that makes no reduce-scatter does an all-reduce and takes a
slice: there a predicted one counts as the other.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import permutations

from cfp.audit.found_collectives import FoundCollective
from cfp.audit.sources import source_of
from cfp.ir.analysis import Analysis
from cfp.ir.audit import Traffic, Unexplained
from cfp.ir.layout import Layout
from cfp.ir.mesh import Mesh
from cfp.ir.shape import bits
from cfp.ir.step import TracedStep

NO_REDUCE_SCATTER = frozenset(("cpu",))
_AS_COMPILED = {"gather-partials": "all-gather", "halo": "collective-permute"}


@dataclass(frozen=True, slots=True)
class Link:
    """A kind of collective on one axis."""

    kind: str
    axis: str


_Key = tuple[Link, int | str]  # what is sent, or the equation where


@dataclass(frozen=True, slots=True)
class _Expected:
    """A predicted transfer as the platform would make it; places are equations that may make it."""

    link: Link
    elements: int
    size_bytes: int
    times: int
    places: frozenset[str]


def compare_collectives(
    found: Iterable[FoundCollective],
    step: TracedStep,
    analysis: Analysis,
    layout: Layout,
    platform: str,
) -> tuple[tuple[Traffic, ...], tuple[Unexplained, ...]]:
    """What is sent by kind and axis, and the collectives that no prediction explains."""
    found = tuple(found)
    expected = tuple(_expected(analysis, layout, platform))
    traffic = tuple(_traffic(found, expected, layout.mesh))
    unexplained = tuple(_unexplained(found, expected, layout.mesh, step))
    return traffic, unexplained


def _expected(analysis: Analysis, layout: Layout, platform: str) -> Iterator[_Expected]:
    for one in layout.transfers:
        kind = _AS_COMPILED.get(one.kind, one.kind)
        if kind == "reduce-scatter" and platform in NO_REDUCE_SCATTER:
            kind = "all-reduce"
        op = analysis.ops[one.value]
        width = bits(op.shape.partition("[")[0]) or 8
        ends = [op, *([analysis.ops[one.reader]] if one.reader >= 0 else [])]
        yield _Expected(
            Link(kind, one.axis),
            one.size_bytes * 8 // width,
            one.size_bytes,
            one.times,
            frozenset(end.source.equation for end in ends if end.source.equation),
        )


# ---- by kind and axis


def _traffic(
    found: Iterable[FoundCollective], expected: Iterable[_Expected], mesh: Mesh
) -> Iterator[Traffic]:
    predicted, predicted_bytes = Counter[Link](), Counter[Link]()
    for one in expected:
        predicted[one.link] += one.times
        predicted_bytes[one.link] += one.times * one.size_bytes
    made, made_bytes = Counter[Link](), Counter[Link]()
    for one in found:
        for axis, part in zip(one.axes, _sizes(one, one.axes, mesh), strict=True):
            made[Link(one.kind, axis)] += one.times
            made_bytes[Link(one.kind, axis)] += one.times * one.size_bytes * part // one.elements
    order = {name: place for place, name in enumerate(mesh.names)}
    for link in sorted({*predicted, *made}, key=lambda link: (link.kind, order[link.axis])):
        yield Traffic(
            link.kind,
            link.axis,
            predicted[link],
            predicted_bytes[link],
            made[link],
            made_bytes[link],
        )


def _sizes(one: FoundCollective, axes: tuple[str, ...], mesh: Mesh) -> list[int]:
    """The numbers sent on each axis by one collective along several, as one after the other.

    Gathers grow: the last axis sees all of it. Other kinds send the same on each.
    """
    sizes = [one.elements]
    for axis in reversed(axes[1:]):
        shrinks = one.kind in ("all-gather", "reduce-scatter")
        sizes.append(max(1, sizes[-1] // mesh.size(axis)) if shrinks else sizes[-1])
    return sizes[::-1]


# ---- what is not explained


def _unexplained(
    found: Iterable[FoundCollective],
    expected: Sequence[_Expected],
    mesh: Mesh,
    step: TracedStep,
) -> Iterator[Unexplained]:
    """The collectives that remain: by size first, by place what is left of the predictions."""
    left = _Left(expected)
    rest = [one for one in found if not left.take(_by_size(one, mesh), one.times)]
    for one in rest:
        places: list[_Key] = [(Link(one.kind, axis), one.instruction.equation) for axis in one.axes]
        if not left.take([places], one.times):
            yield _told(one, step)


def _by_size(one: FoundCollective, mesh: Mesh) -> Iterator[list[_Key]]:
    """What it would be as collectives on one axis each, in every order of its axes."""
    for axes in permutations(one.axes):
        sizes = _sizes(one, axes, mesh)
        yield [(Link(one.kind, axis), size) for axis, size in zip(axes, sizes, strict=True)]


class _Left:
    """How often each prediction may still explain something."""

    def __init__(self, expected: Sequence[_Expected]) -> None:
        self._times = [one.times for one in expected]
        self._numbers: dict[_Key, list[int]] = {}
        for number, one in enumerate(expected):
            for key in ((one.link, one.elements), *((one.link, place) for place in one.places)):
                self._numbers.setdefault(key, []).append(number)

    def take(self, ways: Iterable[list[_Key]], times: int) -> bool:
        """Takes so many of each key, in the first of these ways in which all are left."""
        for keys in ways:
            if all(
                sum(self._times[one] for one in self._numbers.get(key, ())) >= times for key in keys
            ):
                for key in keys:
                    self._use(key, times)
                return True
        return False

    def _use(self, key: _Key, times: int) -> None:
        for number in self._numbers[key]:
            used = min(times, self._times[number])
            self._times[number] -= used
            times -= used


def _told(one: FoundCollective, step: TracedStep) -> Unexplained:
    return Unexplained(
        kind=one.kind,
        axes=" and ".join(one.axes),
        shape=", ".join(map(str, one.instruction.arrays)),
        times=one.times,
        size_bytes=one.size_bytes * one.times,
        instruction=one.instruction.name,
        equation=one.instruction.equation,
        source=source_of(step, one.instruction.equation),
    )

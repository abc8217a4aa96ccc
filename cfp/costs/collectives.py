"""How long a collective takes on its route through a network; `cfp.costs.wirings` has the terms.

A value of V bytes on n devices, by what one device has of the result: V of an all-reduce, an
all-gather, an all-to-all or a collective-permute, V/n of a reduce-scatter.

    all-gather          from the outside in: each level gathers what those outside it have gathered
    reduce-scatter      the same backwards, V being the whole value
    all-reduce          a reduce-scatter and an all-gather
    all-to-all          an exchange of V on each level
    collective-permute  the slowest shift; of the devices of a member one sends to the next member

The dimensions of a grid work at once: the value is cut into as many parts as there are dimensions,
and each part takes them in another order; or one after the other, where that is faster.

All-reduce of 256 MB on data:32, four nodes of [switch:8] 450 GB/s and [tree:4] 8 × 50 GB/s:

    switch  2 × 7/8 × 256 MB / 450 GB/s           996 us
    tree    2 × 3/4 × 256/8 MB / (400/8 GB/s)     960 us
    in all, with 2 × 3 messages of 1 us and 2 × 2 of 3 us: 1974 us

Everything here is a pure function of numbers, made to be called for thousands of candidates.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import permutations
from math import prod

from cfp.costs.spans import Route, Span, Spans
from cfp.costs.wirings import exchange_s, gather_s, shift_s


def collective_s(kind: str, size_bytes: float, route: Route) -> float:
    """Seconds of a collective of a kind of `cfp.ir.workload`; size_bytes is one device's result."""
    return _SECONDS[kind](size_bytes, route)


def route_spread(route: Route) -> float:
    """How far off a time on this route may be, as a share of it: by its worst link."""
    return max((span.wiring.link.spread for spans in route for span in spans), default=0.0)


def devices_of(route: Route) -> int:
    """How many devices take part."""
    return prod(_members(spans) for spans in route)


def _gather(size_bytes: float, route: Route) -> float:
    seconds, value_bytes = 0.0, size_bytes
    for spans in route:
        seconds += _gather_on_level(value_bytes, spans)
        value_bytes /= _members(spans)
    return seconds


def _scatter(size_bytes: float, route: Route) -> float:
    return _gather(size_bytes * devices_of(route), route)


def _reduce(size_bytes: float, route: Route) -> float:
    return 2 * _gather(size_bytes, route)


def _exchange(size_bytes: float, route: Route) -> float:
    return sum(_exchange_on_level(size_bytes, spans) for spans in route)


def _shift(size_bytes: float, route: Route) -> float:
    slowest, inside = 0.0, 1
    for spans in route:
        for span in spans:
            alone = replace(span, sharing=span.sharing / inside)
            slowest = max(slowest, shift_s(alone, size_bytes))
        inside *= _members(spans)
    return slowest


_SECONDS: dict[str, Callable[[float, Route], float]] = {
    "all-reduce": _reduce,
    "all-gather": _gather,
    "reduce-scatter": _scatter,
    "all-to-all": _exchange,
    "collective-permute": _shift,
}


# ---- one level


def _gather_on_level(value_bytes: float, spans: Spans) -> float:
    if len(spans) == 1:
        return gather_s(spans[0], value_bytes)
    one_by_one = min(sum(_gathers(value_bytes, order)) for order in permutations(spans))
    return min(one_by_one, _at_once(_gathers, value_bytes, spans))


def _exchange_on_level(value_bytes: float, spans: Spans) -> float:
    one_by_one = sum(_exchanges(value_bytes, spans))
    return min(one_by_one, _at_once(_exchanges, value_bytes, spans))


def _gathers(value_bytes: float, order: Iterable[Span]) -> list[float]:
    """The time of each gather, the last one first: it has the whole value."""
    times: list[float] = []
    for span in order:
        times.append(gather_s(span, value_bytes))
        value_bytes /= span.count
    return times


def _exchanges(value_bytes: float, order: Iterable[Span]) -> list[float]:
    return [exchange_s(span, value_bytes) for span in order]


def _at_once(
    times: Callable[[float, Iterable[Span]], list[float]], value_bytes: float, spans: Spans
) -> float:
    """Each part takes the dimensions in an order of its own; a turn lasts as long as its slowest.

    Infinite where two spans lie on one wiring, whose links cannot serve both.
    """
    if len({span.slot for span in spans}) < len(spans):
        return float("inf")
    orders = [spans[first:] + spans[:first] for first in range(len(spans))]
    parts = [times(value_bytes / len(spans), order) for order in orders]
    return sum(max(turn) for turn in zip(*parts, strict=True))


def _members(spans: Spans) -> int:
    return prod(span.count for span in spans)

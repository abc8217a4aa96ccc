"""What it means to cut one block by several of its strategies at once, each into its pieces.

Strategies 0 (the batch) and 3 (the heads) of an attention block, pieces = (2, 1, 1, 4):

    refusal(pieces)                None; of (2, 1, 1, 8): strategy 3 cuts into 4 pieces at most
    communication_bytes(pieces)    0: neither communicates
    flops_share(pieces)            1/8 of the block's forward FLOPs on one device

Two strategies that cut one dimension of one value hold together where one cuts inside the parts of
the other, as the sequence inside the batch once both are rows of a matrix. Where both would have
the outermost parts, one value cannot lie as both want it: they clash.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from math import gcd, prod
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cfp.ir.analysis import Analysis
    from cfp.ir.block import Block, Strategy

    Place = tuple[int, int]  # a value and the op that needs it so, -1 for a member
    Cutting = dict[Place, tuple[int, int]]  # dim and outer by place

INDIVISIBLE, CLASHING = "indivisible", "clashing"


class Refusal(NamedTuple):
    """Why a block cannot be cut so: the kind of reason, and the reason."""

    kind: str
    because: str


class Bound(NamedTuple):
    """A strategy whose pieces must divide `pieces`, where another one cuts inside its parts."""

    strategy: int
    inner: int
    pieces: int
    because: str


class Carried(NamedTuple):
    """A collective: the strategies that declare it, and those that cut the value it carries."""

    kind: str
    size_bytes: int
    declared_by: tuple[int, ...]
    cut_by: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Division:
    """One block, ready to be cut: made by `division_of`, asked with the pieces by strategy.

    borders holds a number for each strategy, the last that of none: equal ones cut what enters and
    leaves the block equally.
    """

    granules: tuple[int, ...]
    clashes: dict[tuple[int, int], str]
    bounds: tuple[Bound, ...]
    carried: tuple[Carried, ...]
    products: tuple[tuple[float, tuple[int, ...]], ...]
    borders: tuple[int, ...]

    def refusal(self, pieces: Sequence[int]) -> Refusal | None:
        """Why not, if so: the first reason, what cannot be divided before what clashes."""
        used = [number for number, count in enumerate(pieces) if count > 1]
        for number in used:
            if self.granules[number] % pieces[number]:
                most = f"strategy {number} cuts into {self.granules[number]} pieces at most"
                return Refusal(INDIVISIBLE, f"{most}, not into {pieces[number]}")
        for one in self.bounds:
            if pieces[one.inner] > 1 and one.pieces % pieces[one.strategy]:
                because = f"{one.because}, not into {pieces[one.strategy]}"
                return Refusal(INDIVISIBLE, because)
        for pair in combinations(used, 2):
            if pair in self.clashes:
                return Refusal(CLASHING, self.clashes[pair])
        return None

    def communication_bytes(self, pieces: Sequence[int]) -> int:
        """What the forward collectives of the block carry, as it lies on one device.

        Of what is reduced before, of what is gathered after, as the strategies that do not take
        part have cut it. One that several strategies declare is one, over all their axes.
        """
        return sum(_carried_bytes(one, pieces) for one in self.carried)

    def flops_share(self, pieces: Sequence[int]) -> float:
        """The part of the forward FLOPs of the block that one device computes."""
        whole = sum(flops for flops, _ in self.products)
        if not whole:
            return 1.0
        mine = sum(flops / prod(pieces[one] for one in cut_by) for flops, cut_by in self.products)
        return mine / whole


def division_of(analysis: Analysis, block: int, readers: Sequence[Sequence[int]]) -> Division:
    """The division of a block that is the first of its kind; `readers` are those of each op."""
    strategies = analysis.blocks[block].strategies
    cuttings = [_cutting(one) for one in strategies]
    return Division(
        granules=tuple(one.granule for one in strategies),
        clashes=dict(_clashes(strategies, cuttings)),
        bounds=tuple(_bounds(cuttings)),
        carried=tuple(_carried(strategies, cuttings)),
        products=tuple(_products(analysis, block, cuttings)),
        borders=_borders(analysis.blocks[block], readers),
    )


def _cutting(strategy: Strategy) -> Cutting:
    cuts = (*strategy.inputs, *strategy.members)
    return {(cut.value, cut.reader): (cut.dim, cut.outer) for cut in cuts}


# ---- what holds together


def _clashes(
    strategies: Sequence[Strategy], cuttings: Sequence[Cutting]
) -> Iterator[tuple[tuple[int, int], str]]:
    """Pairs of strategies that cannot both hold, each with the reason."""
    for a, b in combinations(range(len(strategies)), 2):
        one, other = strategies[a], strategies[b]
        if one.factors == other.factors:
            sides = f"{one.variant}, the other {other.variant}"
            yield (a, b), f"strategies {a} and {b} cut the same: one {sides}"
            continue
        for place, dim, outer_a, outer_b in _meetings(cuttings[a], cuttings[b]):
            inner, outer = max(outer_a, outer_b), min(outer_a, outer_b)
            if inner == outer or inner % outer:
                value = f"%{place[0]} at dimension {dim}"
                yield (a, b), f"strategies {a} and {b} cut {value}, neither inside the other"
                break


def _bounds(cuttings: Sequence[Cutting]) -> Iterator[Bound]:
    """Where one strategy cuts inside the parts of another: into how many parts this one may."""
    for a, b in combinations(range(len(cuttings)), 2):
        for outer, inner in ((a, b), (b, a)):
            room = 0
            for _, _, major, minor in _meetings(cuttings[outer], cuttings[inner]):
                if major < minor and minor % major == 0:
                    room = gcd(room, minor // major)
            if room:
                because = f"strategy {inner} cuts inside the parts of strategy {outer}"
                yield Bound(outer, inner, room, f"{because}, which cuts into {room} there at most")


def _meetings(one: Cutting, other: Cutting) -> Iterator[tuple[Place, int, int, int]]:
    """Yields every place where both cut one dimension: the dimension, and inside how many parts."""
    for place, (dim, outer) in one.items():
        if place in other and other[place][0] == dim:
            yield place, dim, outer, other[place][1]


# ---- what it costs


def _carried(strategies: Sequence[Strategy], cuttings: Sequence[Cutting]) -> Iterator[Carried]:
    declared: dict[tuple[str, int, int, int], list[int]] = {}
    for number, strategy in enumerate(strategies):
        for one in strategy.collectives:
            key = (one.kind, one.value, one.reader, one.size_bytes)
            declared.setdefault(key, []).append(number)
    for (kind, value, reader, size_bytes), numbers in declared.items():
        cut_by = tuple(
            number
            for number, cutting in enumerate(cuttings)
            if (value, reader) in cutting or (value, -1) in cutting
        )
        yield Carried(kind, size_bytes, tuple(dict.fromkeys(numbers)), cut_by)


def _carried_bytes(one: Carried, pieces: Sequence[int]) -> int:
    taking_part = [number for number in one.declared_by if pieces[number] > 1]
    if not taking_part:
        return 0
    cut = prod(pieces[number] for number in one.cut_by if number not in taking_part)
    parts = prod(pieces[number] for number in taking_part) if one.kind == "gather-partials" else 1
    return one.size_bytes * parts // cut


def _products(
    analysis: Analysis, block: int, cuttings: Sequence[Cutting]
) -> Iterator[tuple[float, tuple[int, ...]]]:
    """The FLOPs of each forward contraction, and the strategies that divide them.

    One does that cuts the result, or an operand as the contraction reads it.
    """
    strategies = analysis.blocks[block].strategies
    gathered = [
        {(one.value, one.reader) for one in strategy.collectives if one.kind == "all-gather"}
        for strategy in strategies
    ]
    for _, one in analysis.forward_contractions(block):
        operands = analysis.ops[one.op].operands
        cut_by = tuple(
            number
            for number, cutting in enumerate(cuttings)
            if (one.op, -1) in cutting
            or any((operand, one.op) in cutting for operand in operands)
            or any(
                (operand, -1) in cutting and (operand, one.op) not in gathered[number]
                for operand in operands
            )
        )
        yield one.flops, cut_by


def _borders(block: Block, readers: Sequence[Sequence[int]]) -> tuple[int, ...]:
    """By strategy, and last for none: a number for how it cuts what enters and leaves the block."""
    ops = frozenset(block.ops)
    numbers: dict[frozenset[object], int] = {frozenset(): 0}
    found = [
        numbers.setdefault(
            frozenset(
                [
                    *one.inputs,
                    *(cut for cut in one.members if not ops.issuperset(readers[cut.value])),
                ]
            ),
            len(numbers),
        )
        for one in block.strategies
    ]
    return (*found, 0)

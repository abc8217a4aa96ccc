"""What the kinds of parallelism ask about a step, found once for all meshes.

findings.batch        0: splitting dimension 0 of the data divides most work for least traffic
findings.sequence     1: of the other dimensions, that one
findings.light        {1}: the blocks with hardly any FLOPs, here the positions
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

from cfp.ir.analysis import LIGHT_SHARE
from cfp.ir.division import Division, division_of
from cfp.ir.fingerprint import fingerprint
from cfp.ir.readers import readers_of
from cfp.ir.roles import DATA, PARAMETER, Role, argument_roles
from cfp.ir.shape import size_bytes
from cfp.ir.storing import looped_dims

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cfp.ir.analysis import Analysis
    from cfp.ir.block import Strategy
    from cfp.ir.step import TracedStep

    Gain = tuple[float, int, int]  # FLOPs, and what counts against: bytes, position

NONE = -1


@dataclass(frozen=True, slots=True)
class Findings:
    """divisions are by distinct block; batch and sequence are dimensions of the data, -1 for none.

    looped are the dimensions of each argument that a loop takes slice after slice.
    light are the distinct blocks with hardly any FLOPs, light_in_weights those with hardly any in
    contractions of weights and with hardly any bytes of weights.
    """

    step: TracedStep
    analysis: Analysis
    fingerprint: str
    roles: tuple[Role, ...]
    looped: tuple[tuple[int, ...], ...]
    divisions: dict[int, Division]
    batch: int
    sequence: int
    light: frozenset[int]
    light_in_weights: frozenset[int]

    @property
    def continues(self) -> list[int]:
        """The argument that each result of the step is the next value of."""
        return [one.continues for one in self.step.results]

    def data_dims(self, strategy: Strategy) -> frozenset[int]:
        """The dimensions of data arguments that the factors of a strategy come from."""
        return _data_dims(self.roles, strategy)

    def cuts_weights(self, strategy: Strategy) -> bool:
        """Whether its factors come from a parameter, among others."""
        return any(self.roles[number].kind == PARAMETER for number, _ in strategy.sources)


def find(step: TracedStep, analysis: Analysis) -> Findings:
    """The findings about a step."""
    roles = argument_roles(analysis)
    readers = readers_of(analysis)
    gains = _gains(analysis, roles)
    batch = _best(gains)
    looped = looped_dims(analysis)
    repeats = Counter(block.alike for block in analysis.blocks)
    light = _light({one: analysis.blocks[one].flops * repeats[one] for one in repeats})
    return Findings(
        step=step,
        analysis=analysis,
        fingerprint=fingerprint(step, analysis),
        roles=roles,
        looped=tuple(looped.get(op, ()) for op in analysis.parameters),
        divisions={one: division_of(analysis, one, readers) for one in analysis.distinct_blocks},
        batch=batch,
        sequence=_best({dim: gain for dim, gain in gains.items() if dim != batch}),
        light=light,
        light_in_weights=_light_in_weights(analysis, repeats),
    )


# ---- the dimensions of the data


def _data_dims(roles: tuple[Role, ...], strategy: Strategy) -> frozenset[int]:
    return frozenset(dim for number, dim in strategy.sources if roles[number].kind == DATA)


def _gains(analysis: Analysis, roles: tuple[Role, ...]) -> dict[int, Gain]:
    """By dimension of the data, what splitting every block along it brings."""
    flops: dict[int, float] = defaultdict(float)
    moved: dict[int, int] = defaultdict(int)
    for block in analysis.blocks:
        for dim, strategy in _cheapest(analysis.blocks[block.alike].strategies, roles):
            flops[dim] += block.flops * strategy.split_flops_share
            moved[dim] += strategy.size_bytes
    return {dim: (flops[dim], -moved[dim], -dim) for dim in flops}


def _cheapest(
    strategies: tuple[Strategy, ...], roles: tuple[Role, ...]
) -> Iterator[tuple[int, Strategy]]:
    """By dimension of the data, the strategy that divides most along it, with least to move."""
    activations = [one for one in strategies if one.origin in ("activation", "late")]
    for dim in sorted({dim for one in activations for dim in _data_dims(roles, one)}):
        along = (one for one in activations if dim in _data_dims(roles, one))
        yield dim, max(along, key=lambda one: (one.split_flops_share, -one.size_bytes))


def _best(gains: dict[int, Gain]) -> int:
    return max(gains, key=lambda dim: gains[dim], default=NONE)


# ---- what hardly counts


def _light(amounts: dict[int, float]) -> frozenset[int]:
    """The blocks with the least, as long as all of them together have hardly any of the whole."""
    ascending = sorted(amounts, key=lambda block: amounts[block])
    sums = accumulate(amounts[block] for block in ascending)
    most = LIGHT_SHARE * sum(amounts.values())
    return frozenset(block for block, so_far in zip(ascending, sums, strict=True) if so_far < most)


def _light_in_weights(analysis: Analysis, repeats: Counter[int]) -> frozenset[int]:
    flops = {one: _weight_flops(analysis, one) * repeats[one] for one in repeats}
    size = {one: _weight_bytes(analysis, one) * repeats[one] for one in repeats}
    return _light(flops) & _light(size)


def _weight_flops(analysis: Analysis, block: int) -> float:
    """The FLOPs of the contractions that a contracted split is named after, gradients included."""
    roots = {
        factor.partition(" ")[0]
        for strategy in analysis.blocks[block].strategies
        if strategy.origin == "contracted"
        for factor in strategy.factors
    }
    members = (analysis.contractions[number] for number in analysis.blocks[block].contractions)
    return sum(one.flops for one in members if f"%{analysis.contractions[one.forward].op}" in roots)


def _weight_bytes(analysis: Analysis, block: int) -> float:
    """The bytes of the arguments whose columns a strategy of the block cuts."""
    own = {
        number
        for strategy in analysis.blocks[block].strategies
        if strategy.origin == "weight"
        for number, _ in strategy.sources
    }
    return sum(size_bytes(analysis.ops[analysis.parameters[number]].shape) for number in own)

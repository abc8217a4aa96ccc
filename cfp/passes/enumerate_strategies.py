"""enumerate_strategies: an analysis and a mesh to all ways to shard its blocks that may be best.

Each axis of the mesh takes one strategy of a block or none. On a:2 x b:2 x c:2 an attention block
of six strategies has 7 * 7 * 7 choices. Removed are, in this order:

    indivisible    (3, 3, 3)    the heads are 4, and cannot be cut into 8
    clashing       (1, 2, .)    the sequence is kept on the side of the queries, or of the keys
    symmetric      (3, 0, .)    is (0, 3, .) with a and b exchanged
    dominated      (., 5, .)    where another choice cuts what enters and leaves the block equally,
                                communicates no more and divides the FLOPs no less

Axes of one size are interchangeable, as a mesh says nothing of its links; but a plan exchanges them
for all of its blocks at once. Some exchange brings the heaviest block in order, whatever the plan,
and every other block to a choice that is still an option, but not in order too: that would be a
second exchange. So the symmetric choices of the heaviest block are removed, and of no other.

What holds and what it costs depends on the pieces into which each strategy cuts, not on the axes
that do it, and is worked out once for all choices with the same pieces.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

from cfp.errors import TooManyChoicesError
from cfp.ir.analysis import Analysis
from cfp.ir.division import Division, Refusal, division_of
from cfp.ir.mesh import Mesh
from cfp.ir.notation import strategy_words
from cfp.ir.plan import WHOLE
from cfp.ir.readers import readers_of
from cfp.ir.roles import OPTIMIZER, PARAMETER, argument_roles
from cfp.ir.shape import dims
from cfp.ir.space import ArgumentSpace, BlockSpace, Option, Removal, StrategySpace
from cfp.ir.storing import looped_dims, ways_to_store

MOST_CHOICES = 1 << 20  # of one block: some seconds, some hundred MiB

Chosen = tuple[int, ...]


def enumerate_strategies(analysis: Analysis, mesh: Mesh) -> StrategySpace:
    """The options of every distinct block on `mesh`, and how every argument may be stored."""
    readers = readers_of(analysis)
    heaviest = _heaviest(analysis)
    return StrategySpace(
        analysis.name,
        mesh,
        tuple(
            _block_space(
                analysis,
                block,
                division_of(analysis, block, readers),
                _Axes.of(mesh) if block == heaviest else _Axes(mesh, ()),
            )
            for block in analysis.distinct_blocks
        ),
        tuple(_argument_spaces(analysis, mesh)),
    )


def _heaviest(analysis: Analysis) -> int:
    """The distinct block with the most FLOPs in one step, all that are alike together."""
    flops: dict[int, float] = {}
    for one in analysis.blocks:
        flops[one.alike] = flops.get(one.alike, 0.0) + one.flops
    return max(flops, key=lambda block: (flops[block], -block), default=-1)


@dataclass(frozen=True)
class _Axes:
    """The axes of a mesh, and the positions of those that may be exchanged, group by group."""

    mesh: Mesh
    equal: tuple[tuple[int, ...], ...]

    @classmethod
    def of(cls, mesh: Mesh) -> "_Axes":
        """All axes of one size may be exchanged."""
        groups = [
            tuple(number for number, other in enumerate(mesh.sizes) if other == size)
            for size in dict.fromkeys(mesh.sizes)
            if size > 1
        ]
        return cls(mesh, tuple(group for group in groups if len(group) > 1))


# ---- blocks


def _block_space(analysis: Analysis, block: int, division: Division, axes: _Axes) -> BlockSpace:
    strategies = analysis.blocks[block].strategies
    count = (len(strategies) + 1) ** len(axes.mesh.axes)
    if count > MOST_CHOICES:
        raise TooManyChoicesError(block, count, MOST_CHOICES, str(axes.mesh))
    removed: dict[Refusal, list[Chosen]] = {}
    possible = list(_possible(len(strategies), division, axes, removed))
    options = tuple(_without_dominated(possible, division.borders, removed))
    return BlockSpace(
        block,
        strategy_words(analysis, block),
        options,
        tuple(Removal(*reason, tuple(choices)) for reason, choices in removed.items()),
    )


def _possible(
    strategies: int, division: Division, axes: _Axes, removed: dict[Refusal, list[Chosen]]
) -> Iterator[Option]:
    """Yields the choices that hold, one of those that are symmetric; adds to `removed` the rest."""
    known: dict[Chosen, Refusal | tuple[int, float]] = {}
    for choice in product((*range(strategies), WHOLE), repeat=len(axes.mesh.axes)):
        pieces = _pieces(choice, axes.mesh.sizes, strategies)
        if pieces not in known:
            known[pieces] = division.refusal(pieces) or (
                division.communication_bytes(pieces),
                division.flops_share(pieces),
            )
        found = known[pieces]
        if not isinstance(found, Refusal):
            reason = _cuts_nothing(choice, axes.mesh) or _symmetric(choice, strategies, axes)
            if not reason:
                yield Option(choice, *found)
                continue
            found = reason
        removed.setdefault(found, []).append(choice)


def _pieces(choice: Chosen, sizes: Sequence[int], strategies: int) -> tuple[int, ...]:
    """Into how many pieces each strategy cuts."""
    pieces = [1] * strategies
    for strategy, size in zip(choice, sizes, strict=True):
        if strategy != WHOLE:
            pieces[strategy] *= size
    return tuple(pieces)


def _cuts_nothing(choice: Chosen, mesh: Mesh) -> Refusal | None:
    for strategy, (name, size) in zip(choice, mesh.axes, strict=True):
        if size == 1 and strategy != WHOLE:
            return Refusal("dominated", f"axis {name} has one device, over which nothing is cut")
    return None


def _symmetric(choice: Chosen, strategies: int, axes: _Axes) -> Refusal | None:
    """Kept is the choice in which the strategies on equal axes stand in order, none at the end."""
    for group in axes.equal:
        on_group = [choice[number] % (strategies + 1) for number in group]
        if on_group != sorted(on_group):
            names = ", ".join(axes.mesh.names[number] for number in group)
            return Refusal("symmetric", f"axes {names} are equal: kept is one order of strategies")
    return None


def _without_dominated(
    options: Sequence[Option], borders: Sequence[int], removed: dict[Refusal, list[Chosen]]
) -> Iterator[Option]:
    """Yields the options but those to which one with the same border is to be preferred."""
    same_border: dict[tuple[int, ...], list[Option]] = {}
    for one in options:
        border = tuple(borders[strategy] for strategy in one.strategies)
        same_border.setdefault(border, []).append(one)
    for one in options:
        border = tuple(borders[strategy] for strategy in one.strategies)
        better = next((other for other in same_border[border] if _preferred(other, one)), None)
        if better:
            removed.setdefault(_dominated(one, better), []).append(one.strategies)
        else:
            yield one


def _preferred(other: Option, one: Option) -> bool:
    """Whether `other` costs no more in any respect, and less in one or comes earlier."""
    costs = (one.communication_bytes, one.flops_share)
    other_costs = (other.communication_bytes, other.flops_share)
    if any(more > less for more, less in zip(other_costs, costs, strict=True)):
        return False
    return other_costs != costs or _order(other.strategies) < _order(one.strategies)


def _order(choice: Chosen) -> list[tuple[bool, int]]:
    """The order in which choices are made: none comes last."""
    return [(strategy == WHOLE, strategy) for strategy in choice]


def _dominated(one: Option, better: Option) -> Refusal:
    pairs = zip(one.strategies, better.strategies, strict=True)
    strategy, other = next((a, b) for a, b in pairs if a != b)
    names = ["none" if number == WHOLE else f"strategy {number}" for number in (strategy, other)]
    border = f"{names[0]} cuts what enters and leaves the block as {names[1]} does"
    return Refusal("dominated", f"{border}, with which another option costs no more")


# ---- arguments


def _argument_spaces(analysis: Analysis, mesh: Mesh) -> Iterator[ArgumentSpace]:
    roles = argument_roles(analysis)
    looped = looped_dims(analysis)
    for number, role in enumerate(roles):
        name, parameter = _name(analysis, number), role.parameter
        shape = _shape(analysis, number)
        sliced = looped.get(analysis.parameters[parameter], ()) if parameter >= 0 else ()
        may_differ = role.kind in (PARAMETER, OPTIMIZER)
        yield ArgumentSpace(
            name,
            role.kind,
            _name(analysis, parameter) if parameter >= 0 else "",
            shape,
            sliced,
            tuple(ways_to_store(shape, mesh, sliced)) if may_differ else ((),),
        )


def _shape(analysis: Analysis, number: int) -> tuple[int, ...]:
    """The dimensions of an argument; none where the step ignores it."""
    op = analysis.parameters[number]
    return dims(analysis.ops[op].shape) if op >= 0 else ()


def _name(analysis: Analysis, number: int) -> str:
    """The name of an argument, or its number where the step was not traced."""
    return analysis.arguments[number] if analysis.arguments else f"argument {number}"

"""The space of small random blocks is what trying every choice on every device finds.

A choice holds iff it gives every device an equal part of every value: each strategy sends an index
of a dimension to a piece, and all combinations of pieces must be equally frequent.

    dim of 8, strategy 0 in 4 pieces: 00112233, strategy 1 inside 2 parts in 2 pieces: 00110011
    piece (0, 0) has two indices, piece (0, 1) has none: the choice is refused
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations, permutations, product
from math import prod

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cfp.errors import TooManyChoicesError
from cfp.ir import Analysis, Collective, Cut, Strategy
from cfp.ir.division import Division, division_of
from cfp.ir.mesh import Mesh
from cfp.ir.readers import readers_of
from cfp.ir.space import BlockSpace, StrategySpace
from cfp.passes.enumerate_strategies import enumerate_strategies
from cfp_test.pure.small_steps import analysis, attention, op, strategy

WIDTH = 24  # of every dimension of the random values
PLACES = [(0, 1), (0, 2), (1, -1), (2, -1), (3, -1)]  # what is read and made by random blocks
BORDER = {(0, 1), (0, 2), (3, -1)}

Chosen = tuple[int, ...]


@st.composite
def strategies(draw: st.DrawFn, number: int) -> Strategy:
    """Cuts some values somewhere, into no more pieces than there is room for."""
    places = draw(st.lists(st.sampled_from(PLACES), min_size=1, max_size=3, unique=True))
    cuts = [(*place, draw(st.integers(0, 1)), draw(st.sampled_from([1, 2, 4]))) for place in places]
    room = min(WIDTH // outer for *_, outer in cuts)
    granule = draw(st.sampled_from([size for size in (1, 2, 3, 6, 12, 24) if room % size == 0]))
    size_bytes = draw(st.sampled_from([0, 64, 256]))
    collectives = [Collective("all-reduce", 2, -1, size_bytes)] if size_bytes else []
    factor = draw(st.sampled_from([number, number, 0]))
    return strategy("activation", f"%1 m{factor}", granule, cuts, collectives, f"side {number}")


@st.composite
def small_steps(draw: st.DrawFn) -> Analysis:
    """Two blocks: a random one that multiplies, and one that reads it."""
    shape = f"f32[{WIDTH},{WIDTH}]"
    ops = (
        op("parameter", shape),
        op("dot", shape, (0, 0), ("block", 0)),
        op("dot", shape, (1, 0), ("block", 0)),
        op("add", shape, (1, 2), ("block", 0)),
        op("dot", shape, (3, 0), ("block", 1)),
    )
    first = [draw(strategies(number)) for number in range(draw(st.integers(0, 4)))]
    second = [
        strategy("activation", "%4 m0", 8, [(3, 4, 0, 1), (4, -1, 0, 1)]),
        strategy("weight", "%4 n0", 8, [(4, -1, 1, 1)]),
    ]
    heavier = draw(st.sampled_from([10.0, 1000.0]))
    return analysis(ops, (first, second), {1: 1.0, 2: 2.0, 4: heavier}, ("x",), (4,))


MESHES = st.lists(st.sampled_from([1, 2, 2, 2, 3, 4]), min_size=1, max_size=3).map(
    lambda sizes: Mesh(tuple(zip("abc", sizes, strict=False)))
)


# ---- what the definition says


def choices(count: int, mesh: Mesh) -> Iterator[Chosen]:
    return product((*range(count), -1), repeat=len(mesh.axes))


def cuts_of(one: Strategy) -> dict[tuple[int, int], Cut]:
    return {(cut.value, cut.reader): cut for cut in (*one.inputs, *one.members)}


def pieces_of(choice: Chosen, mesh: Mesh, count: int) -> list[int]:
    return [
        prod(size for strategy, size in zip(choice, mesh.sizes, strict=True) if strategy == number)
        for number in range(count)
    ]


def holds(its: tuple[Strategy, ...], pieces: list[int]) -> bool:
    used = [number for number, count in enumerate(pieces) if count > 1]
    if any(its[number].granule % pieces[number] for number in used):
        return False
    if any(its[a].factors == its[b].factors for a, b in combinations(used, 2)):
        return False
    return all(
        has_equal_parts([(cuts_of(its[n])[place].outer, pieces[n]) for n in used_here])
        for place in PLACES
        for dim in (0, 1)
        for used_here in [
            [n for n in used if place in cuts_of(its[n]) and cuts_of(its[n])[place].dim == dim]
        ]
    )


def has_equal_parts(cuts: list[tuple[int, int]]) -> bool:
    """Whether every combination of pieces has the same number of the indices of a dimension."""
    found = Counter(
        tuple(index % (WIDTH // outer) * pieces * outer // WIDTH for outer, pieces in cuts)
        for index in range(WIDTH)
    )
    return len(found) == prod(pieces for _, pieces in cuts) and len(set(found.values())) == 1


def border(its: tuple[Strategy, ...], choice: Chosen) -> list[set[tuple[object, ...]]]:
    return [
        {
            (place, cut.dim, cut.outer)
            for place, cut in (cuts_of(its[number]) if number >= 0 else {}).items()
            if place in BORDER
        }
        for number in choice
    ]


def exchanged(choice: Chosen, mesh: Mesh) -> Iterator[Chosen]:
    """Yields the choice with equal axes in any order."""
    for order in permutations(range(len(choice))):
        if all(mesh.sizes[number] == size for number, size in zip(order, mesh.sizes, strict=True)):
            yield tuple(choice[number] for number in order)


def costs(division: Division, choice: Chosen, mesh: Mesh) -> tuple[int, float]:
    pieces = pieces_of(choice, mesh, len(division.granules))
    return division.communication_bytes(pieces), division.flops_share(pieces)


# ---- and what is enumerated


def by_kind(space: BlockSpace, *kinds: str) -> set[Chosen]:
    return {one for each in space.removed if each.kind in kinds for one in each.choices}


@settings(max_examples=60)
@given(small_steps(), MESHES)
def test_the_space_is_what_brute_force_finds(step: Analysis, mesh: Mesh) -> None:
    space = enumerate_strategies(step, mesh)
    space.verify()
    its = step.blocks[0].strategies
    first = space.block(0)
    options = {one.strategies for one in first.options}
    holding = {one for one in choices(len(its), mesh) if holds(its, pieces_of(one, mesh, len(its)))}
    assert by_kind(first, "indivisible", "clashing") == {*choices(len(its), mesh)} - holding
    assert options | by_kind(first, "symmetric", "dominated") == holding
    symmetric = by_kind(first, "symmetric")
    if step.blocks[0].flops < step.blocks[1].flops:
        assert not symmetric
    for choice in symmetric:
        assert {*exchanged(choice, mesh)} - symmetric


@settings(max_examples=60)
@given(small_steps(), MESHES)
def test_what_is_dominated_has_an_option_that_is_preferred(step: Analysis, mesh: Mesh) -> None:
    its = step.blocks[0].strategies
    division = division_of(step, 0, readers_of(step))
    first = enumerate_strategies(step, mesh).block(0)
    kept = [one.strategies for one in first.options]
    on_one_device = [number for number, size in enumerate(mesh.sizes) if size == 1]
    for choice in by_kind(first, "dominated"):
        if all(choice[number] < 0 for number in on_one_device):
            assert any(
                border(its, other) == border(its, choice)
                and all(
                    less <= more
                    for less, more in zip(
                        costs(division, other, mesh), costs(division, choice, mesh), strict=True
                    )
                )
                for other in kept
            )
    for one, other in permutations(kept, 2):
        if border(its, one) == border(its, other):  # neither is better in all
            mine, its_costs = costs(division, one, mesh), costs(division, other, mesh)
            assert mine != its_costs
            assert not all(less <= more for less, more in zip(mine, its_costs, strict=True))


@settings(max_examples=25)
@given(small_steps(), MESHES)
def test_every_plan_has_its_like_in_the_space(step: Analysis, mesh: Mesh) -> None:
    """Equal axes of all blocks exchanged together, and each block no worse at an equal border."""
    space = enumerate_strategies(step, mesh)
    reached = [_reached(step, space, block) for block in (0, 1)]
    holding = [
        [
            one
            for one in choices(len(step.blocks[block].strategies), mesh)
            if one not in by_kind(space.block(block), "indivisible", "clashing")
        ]
        for block in (0, 1)
    ]
    for plan in product(*holding):
        orders = zip(*(exchanged(one, mesh) for one in plan), strict=True)
        assert any(a in reached[0] and b in reached[1] for a, b in orders)


def _reached(step: Analysis, space: StrategySpace, block: int) -> set[Chosen]:
    """The options, and what they dominate."""
    mine = space.block(block)
    return {one.strategies for one in mine.options} | by_kind(mine, "dominated")


def test_only_the_heaviest_block_is_brought_in_order() -> None:
    """Two plans that no exchange makes equal: batch on a for both blocks, or on a and on b."""
    space = enumerate_strategies(attention(), Mesh.of_devices(4))
    first = {one.strategies for one in space.block(0).options}
    assert {(0, 3), (3, 0)} <= first
    assert by_kind(space.block(1), "symmetric") == {
        *((1, 0), (2, 0), (2, 1)),
        *((-1, 0), (-1, 1), (-1, 2)),
    }


def test_repeats_make_a_block_heavy() -> None:
    step = attention()
    first, second = step.blocks
    assert first.flops < second.flops < 2 * first.flops
    repeated = replace(step, blocks=(first, second, replace(first, strategies=())))
    space = enumerate_strategies(repeated, Mesh.of_devices(4))
    assert by_kind(space.block(0), "symmetric")
    assert not by_kind(space.block(1), "symmetric")


def test_an_axis_of_one_device_cuts_nothing() -> None:
    space = enumerate_strategies(attention(), Mesh.parse("a:2 x b:1"))
    assert all(one.strategies[1] == -1 for one in space.block(0).options)
    reason = space.why_not(0, (0, 3))
    assert reason
    assert reason.because == "axis b has one device, over which nothing is cut"


def test_too_many_choices_are_refused() -> None:
    with pytest.raises(TooManyChoicesError) as found:
        enumerate_strategies(attention(), Mesh.of_devices(2**8))
    assert found.value.what.startswith(f"block 0 has {6**8} ways")

"""What cutting a block by several strategies at once costs, and why it cannot be, by hand."""

from dataclasses import replace

import pytest

from cfp.ir import Analysis, Collective
from cfp.ir.division import Division, division_of
from cfp.ir.readers import readers_of
from cfp_test.pure.small_steps import analysis, attention, op, strategy

BATCH, QUERIES, KEYS, HEADS, SUMMED = range(5)


def pieces(**counts: int) -> tuple[int, ...]:
    names = ("batch", "queries", "keys", "heads", "summed")
    return tuple(counts.get(name, 1) for name in names)


def division(of: Analysis, block: int = 0) -> Division:
    return division_of(of, block, readers_of(of))


ATTENTION = division(attention())


@pytest.mark.parametrize(
    ("cut", "size_bytes"),
    [
        (pieces(), 0),
        (pieces(batch=8, heads=4), 0),
        (pieces(queries=2), 65536),
        (pieces(queries=8), 65536),  # of what is gathered after
        (pieces(queries=2, heads=4), 16384),  # the heads cut it, too
        (pieces(queries=2, heads=4, batch=2), 8192),
        (pieces(summed=4, batch=2), 32768),
        (pieces(summed=4, queries=2), 32768 + 65536),  # the summed dimension is not in the gathered
    ],
)
def test_communication_shrinks_by_other_cuts(cut: tuple[int, ...], size_bytes: int) -> None:
    assert ATTENTION.communication_bytes(cut) == size_bytes


@pytest.mark.parametrize(
    ("cut", "share"),
    [
        (pieces(), 1.0),
        (pieces(batch=8), 1 / 8),
        (pieces(heads=4, batch=2), 1 / 8),
        (pieces(summed=2), (100 / 2 + 300) / 400),  # only the projection sums over it
        (pieces(summed=2, batch=4), (100 / 8 + 300 / 4) / 400),
    ],
)
def test_flops_are_shared_by_contraction(cut: tuple[int, ...], share: float) -> None:
    assert ATTENTION.flops_share(cut) == pytest.approx(share)


KEEPS = "one keeps operand 0 at %3, the other keeps operand 1 at %3"


@pytest.mark.parametrize(
    ("cut", "kind", "because"),
    [
        (pieces(heads=8), "indivisible", "strategy 3 cuts into 4 pieces at most, not into 8"),
        (pieces(batch=3), "indivisible", "strategy 0 cuts into 8 pieces at most, not into 3"),
        (pieces(queries=2, keys=2), "clashing", f"strategies 1 and 2 cut the same: {KEEPS}"),
    ],
)
def test_a_refusal_says_why(cut: tuple[int, ...], kind: str, because: str) -> None:
    assert ATTENTION.refusal(cut) == (kind, because)


def test_what_holds_is_not_refused() -> None:
    assert ATTENTION.refusal(pieces()) is None
    assert ATTENTION.refusal(pieces(batch=8, queries=32, heads=4, summed=64)) is None


def rows(*outers: int) -> Analysis:
    """One value of 256 rows, cut by strategies inside so many parts."""
    strategies = [
        strategy("activation", f"%1 m{number}", 8, [(1, -1, 0, outer)])
        for number, outer in enumerate(outers)
    ]
    ops = (op("parameter", "f32[256,4]"), op("dot", "f32[256,4]", (0, 0), ("block", 0)))
    return analysis(ops, (strategies,), {1: 1.0})


INSIDE = "strategy 1 cuts inside the parts of strategy 0"


def test_one_cut_inside_the_parts_of_another_holds() -> None:
    nested = division(rows(1, 4))
    assert nested.refusal((4, 8)) is None
    assert nested.refusal((8, 1)) is None
    assert nested.refusal((8, 2)) == (
        "indivisible",
        f"{INSIDE}, which cuts into 4 there at most, not into 8",
    )
    assert division(rows(4, 1)).refusal((8, 4)) is None


def test_the_narrowest_place_bounds_the_pieces() -> None:
    outer = strategy("activation", "%1 m0", 8, [(0, 1, 0, 1), (1, -1, 0, 1), (2, -1, 0, 1)])
    inner = strategy("activation", "%1 m1", 8, [(0, 1, 0, 8), (1, -1, 0, 2), (2, -1, 0, 4)])
    ops = (*rows(1).ops, op("add", "f32[256,4]", (1,), ("block", 0)))
    both = division(analysis(ops, ([outer, inner],), {1: 1.0}))
    assert both.refusal((2, 2)) is None
    assert both.refusal((4, 2)) == (
        "indivisible",
        f"{INSIDE}, which cuts into 2 there at most, not into 4",
    )


@pytest.mark.parametrize("outers", [(4, 4), (2, 3)])
def test_two_cuts_of_the_same_parts_clash(outers: tuple[int, ...]) -> None:
    assert division(rows(*outers)).refusal((2, 2)) == (
        "clashing",
        "strategies 0 and 1 cut %1 at dimension 0, neither inside the other",
    )


def test_partial_results_are_gathered_from_every_piece() -> None:
    maximum = strategy(
        "weight", "%1 n0", 8, [(1, -1, 1, 1)], [Collective("gather-partials", 1, -1, 100)]
    )
    ops = (op("parameter", "f32[8,64]"), op("dot", "f32[8,64]", (0, 0), ("block", 0)))
    assert division(analysis(ops, ([maximum],), {1: 1.0})).communication_bytes((8,)) == 800


def test_a_collective_that_two_strategies_declare_is_one() -> None:
    reduce = Collective("all-reduce", 1, -1, 1000)
    sums = [strategy("contracted", f"%1 k{n}", 8, [(0, 1, n, 1)], [reduce]) for n in (0, 1)]
    batch = strategy("activation", "%1 m0", 8, [(1, -1, 0, 1)])
    ops = (op("parameter", "f32[8,64]"), op("dot", "f32[8,64]", (0, 0), ("block", 0)))
    both = division(analysis(ops, ([*sums, batch],), {1: 1.0}))
    assert both.communication_bytes((2, 4, 1)) == 1000
    assert both.communication_bytes((2, 1, 4)) == 250


def test_borders_are_what_enters_and_leaves() -> None:
    assert len(set(ATTENTION.borders)) == 6  # five strategies, and none
    first = attention().blocks[0]
    inner = [replace(one, inputs=(), members=one.members[:1]) for one in first.strategies]
    alike = replace(
        attention(),
        blocks=(replace(first, strategies=tuple(inner)), attention().blocks[1]),
    )
    assert division(alike).borders == (0,) * 6  # %2 is read by the block alone


def test_a_block_without_contraction_computes_all_of_nothing() -> None:
    empty = analysis((op("reduce", "f32[8]", (), ("block", 0)),), ((),), {})
    assert division(empty).flops_share(()) == 1.0
    assert division(empty).refusal(()) is None

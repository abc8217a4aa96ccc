"""Analyses made by hand, small enough to be checked by trying everything.

    attention()    h = x·w, scores = h·hᵀ, y = scores·o: two blocks, of five strategies and of three

Only what `enumerate_strategies` reads is filled in.
"""

from collections.abc import Iterable, Sequence

from cfp.ir import (
    Analysis,
    Block,
    Collective,
    Contraction,
    Cut,
    Op,
    Region,
    Segment,
    Source,
    Strategy,
)

Place = tuple[int, int, int, int]  # value, reader, dim, outer


def op(
    opcode: str, shape: str, operands: tuple[int, ...] = (), owner: tuple[str, int] = ("nobody", -1)
) -> Op:
    """An op of the program, owned by `("block", 0)`, `("optimizer", 3)` or nobody."""
    return Op(opcode, shape, operands, opcode, "", Source(), 0, *owner, "B5", "root")


def strategy(
    origin: str,
    factors: str,
    granule: int,
    places: Iterable[Place],
    collectives: Sequence[Collective] = (),
    variant: str = "",
    sources: tuple[tuple[int, int], ...] = (),
) -> Strategy:
    """A strategy that cuts `places`: those with a reader are inputs, those with -1 are members."""
    cuts = [Cut(*place) for place in places]
    return Strategy(
        origin=origin,
        factors=tuple(factors.split(", ")),
        sources=sources,
        variant=variant,
        granule=granule,
        split_flops_share=1.0,
        collectives=tuple(collectives),
        inputs=tuple(cut for cut in cuts if cut.reader >= 0),
        members=tuple(cut for cut in cuts if cut.reader < 0),
    )


def analysis(
    ops: Sequence[Op],
    strategies: Sequence[Sequence[Strategy]],
    flops: dict[int, float],
    arguments: tuple[str, ...] = (),
    results: tuple[int, ...] = (),
) -> Analysis:
    """One block for each list of strategies; `flops` are those of contractions, by op."""
    numbers = {one: number for number, one in enumerate(flops)}
    blocks: list[Block] = []
    for block, its_strategies in enumerate(strategies):
        members = tuple(n for n, one in enumerate(ops) if one.owner_index == block)
        dots = tuple(numbers[one] for one in members if one in flops)
        total = sum(flops[one] for one in members if one in flops)
        blocks.append(Block(dots, members, block, block, total, 1.0, tuple(its_strategies)))
    return Analysis(
        name="step",
        arguments=arguments,
        ops=tuple(ops),
        regions=(Region(-1, "program", 1, trip_count_known=True, times=1),),
        contractions=tuple(
            Contraction(
                one, ops[one].owner_index, "forward", number, -1, "B5", "root", flops[one], False
            )
            for one, number in numbers.items()
        ),
        blocks=tuple(blocks),
        segments=(Segment(len(blocks), (0,), 1),),
        warnings=(),
        parameters=tuple(n for n, one in enumerate(ops) if one.opcode == "parameter"),
        results=results,
    )


def attention() -> Analysis:
    """Scores of a projection with itself, and what they are multiplied with; four heads."""
    zero, one = ("block", 0), ("block", 1)
    ops = (
        op("parameter", "f32[8,32,64]"),
        op("parameter", "f32[64,4,16]"),
        op("dot", "f32[8,32,4,16]", (0, 1), zero),
        op("dot", "f32[8,4,32,32]", (2, 2), zero),
        op("parameter", "f32[32,64]"),
        op("dot", "f32[8,4,32,64]", (3, 4), one),
    )
    gather = Collective("all-gather", 2, 3, 65536)
    reduce = Collective("all-reduce", 2, 3, 65536)
    sequence = [(0, 2, 1, 1), (2, -1, 1, 1)]
    batch, words = ((0, 0),), ((0, 1),)
    first = (
        strategy(
            "activation", "%2 m0", 8, [(0, 2, 0, 1), (2, -1, 0, 1), (3, -1, 0, 1)], sources=batch
        ),
        strategy(
            "activation",
            "%2 m1",
            32,
            [*sequence, (3, -1, 2, 1)],
            [gather],
            "keeps operand 0 at %3",
            words,
        ),
        strategy(
            "activation",
            "%2 m1",
            32,
            [*sequence, (3, -1, 3, 1)],
            [gather],
            "keeps operand 1 at %3",
            words,
        ),
        strategy("weight", "%2 n0", 4, [(1, 2, 1, 1), (2, -1, 2, 1), (3, -1, 1, 1)]),
        strategy("contracted", "%2 k0", 64, [(0, 2, 2, 1), (1, 2, 0, 1)], [reduce]),
    )
    second = (
        strategy("activation", "%5 m0", 8, [(3, 5, 0, 1), (5, -1, 0, 1)], sources=batch),
        strategy("weight", "%5 n0", 64, [(4, 5, 1, 1), (5, -1, 3, 1)]),
        strategy(
            "contracted",
            "%5 k0",
            32,
            [(3, 5, 3, 1), (4, 5, 0, 1)],
            [Collective("all-reduce", 5, -1, 262144)],
        ),
    )
    return analysis(
        ops, (first, second), {2: 100.0, 3: 300.0, 5: 600.0}, ("batch['inputs']", "w", "o"), (5,)
    )

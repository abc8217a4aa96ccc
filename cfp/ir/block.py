"""ParallelBlocks, the ways to split each, and the segments in which they repeat.

block 3, attention of a layer     contractions q, k, v, q·kᵀ, a·v and their gradients
  strategy "weight"               cuts %412 n0, %431 n0, %450 n0: heads, up to 4 pieces
    collectives                   what one split communicates, each with its bytes
    inputs, members               how every value it reads or makes is cut
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Collective:
    """A communication that a strategy declares: `kind` of the whole value, for its reader.

    kind is "all-reduce", "all-gather", "gather-partials" (size_bytes is that of one) or "halo".
    """

    kind: str
    value: int
    reader: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Cut:
    """How a value is cut: dimension `dim`, inside each of its `outer` major parts.

    reader is the op that needs an input so; -1 for a member.
    """

    value: int
    reader: int
    dim: int
    outer: int


@dataclass(frozen=True, slots=True)
class Strategy:
    """One way to split a block over one mesh axis.

    factors are the factors of roots that are cut together, "%12 n0": the first free factor of the
    second operand of op 12 (b batch, m first, n second operand, k contracted). sources are the
    arguments' dimensions that these come from, as (argument, dim). variant says which
    side is kept where the split met a contraction twice. granule is the largest number of equal
    pieces, split_flops_share the part of the block's forward FLOPs that it divides.
    """

    origin: str
    factors: tuple[str, ...]
    sources: tuple[tuple[int, int], ...]
    variant: str
    granule: int
    split_flops_share: float
    collectives: tuple[Collective, ...]
    inputs: tuple[Cut, ...]
    members: tuple[Cut, ...]

    @property
    def size_bytes(self) -> int:
        """What its collectives carry together."""
        return sum(one.size_bytes for one in self.collectives)


@dataclass(frozen=True, slots=True)
class Block:
    """One ParallelBlock; its id is its position in `Analysis.blocks`.

    alike is the first block of the same structure, itself if it is the first. Strategies, and the
    reasons for those given up, are kept there alone: `Analysis.strategies_of(block)`. flops are
    those of one step, flops_share the part of those of its segment.
    """

    contractions: tuple[int, ...]
    ops: tuple[int, ...]
    alike: int
    signature: int
    flops: float
    flops_share: float
    strategies: tuple[Strategy, ...] = ()
    dropped: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Segment:
    """A run of `blocks` blocks and its repeats; each run executes `times` times in one step."""

    blocks: int
    starts: tuple[int, ...]
    times: int

    @property
    def runs(self) -> tuple[range, ...]:
        """The blocks of every repeat."""
        return tuple(range(start, start + self.blocks) for start in self.starts)

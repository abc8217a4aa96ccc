"""What a step consists of: its ops, the ParallelBlocks that own them, and how blocks repeat.

    GPT with four layers             19 blocks, 6 of them distinct
      segments                       (0, 2)  |  (2, 6) repeated at 6, 10, 14  |  (18, 19)
      sequence                       (6, 10) mapped to (2, 6): look at one layer, know four

An Analysis knows no mesh: how many devices there are enters with the strategies' use, not here.
Ids are positions: op 12 is `ops[12]`, block 3 is `blocks[3]`.
"""

from collections import Counter
from dataclasses import dataclass, fields

from cfp.errors import InconsistentError
from cfp.ir import analysis_checks, analysis_text
from cfp.ir.block import Block, Segment, Strategy
from cfp.ir.json_codec import decode, encode, opaque
from cfp.ir.op import Contraction, Op, Region

LIGHT_SHARE = 0.02


@dataclass(frozen=True, slots=True)
class Timing:
    """CPU seconds of each part of the analysis, in the order in which they run."""

    read_s: float
    graph_s: float
    contractions_s: float
    blocks_s: float
    segments_s: float
    strategies_s: float

    @property
    def parts(self) -> tuple[tuple[str, float], ...]:
        """`("read", 0.0016)` and so on."""
        names = [one.name for one in fields(self)]
        return tuple((name.removesuffix("_s"), getattr(self, name)) for name in names)

    @property
    def total_s(self) -> float:
        """All parts together."""
        return sum(seconds for _, seconds in self.parts)


@dataclass(frozen=True, slots=True)
class Analysis:
    """The blocks and segments of one step; `name` is the step's, or its module's.

    arguments are the names of the parameters by number, empty where the step was not traced;
    parameters are their ops, -1 where the step ignores one, and results the ops that it returns.
    The timing is of the run that made it, program is the core's own analysis, which lays out plans:
    neither written nor compared, None once read.
    """

    name: str
    arguments: tuple[str, ...]
    ops: tuple[Op, ...]
    regions: tuple[Region, ...]
    contractions: tuple[Contraction, ...]
    blocks: tuple[Block, ...]
    segments: tuple[Segment, ...]
    warnings: tuple[str, ...]
    timing: Timing | None = opaque()  # noqa: RUF009 - it is a dataclass field
    program: object = opaque()
    parameters: tuple[int, ...] = ()
    results: tuple[int, ...] = ()

    def strategies_of(self, block: int) -> tuple[Strategy, ...]:
        """The ways to split a block; op ids in them are those of the first block alike."""
        return self.blocks[self.blocks[block].alike].strategies

    def owner(self, op: int) -> str:
        """`block 3`, `nobody`, `optimizer of state.params['wte']`; `optimizer` of no known name."""
        kind, index = self.ops[op].owner, self.ops[op].owner_index
        if kind == "block":
            return f"block {index}"
        named = kind == "optimizer" and 0 <= index < len(self.arguments)
        return f"{kind} of {self.arguments[index]}" if named else kind

    @property
    def distinct_blocks(self) -> tuple[int, ...]:
        """The blocks that are the first of their kind."""
        return tuple(number for number, one in enumerate(self.blocks) if one.alike == number)

    @property
    def light_contractions(self) -> frozenset[int]:
        """The forward contractions that, with their gradients, hardly count in their segment."""
        flops: dict[int, float] = {}
        for one in self.contractions:
            flops[one.forward] = flops.get(one.forward, 0.0) + one.flops
        return frozenset(
            number
            for number, together in flops.items()
            if self._share(number, together) < LIGHT_SHARE  # [B7]
        )

    def _share(self, contraction: int, flops: float) -> float:
        """The part that `flops` are of those of the contraction's segment."""
        block = self.blocks[self.contractions[contraction].block]
        return block.flops_share * flops / block.flops if block.flops else 0.0

    def forward_contractions(self, block: int) -> tuple[tuple[int, Contraction], ...]:
        """The forward contractions of a block, each with its number."""
        numbered = (
            (number, self.contractions[number]) for number in self.blocks[block].contractions
        )
        return tuple((number, one) for number, one in numbered if one.phase == "forward")

    @property
    def places(self) -> dict[int, tuple[int, int]]:
        """Where each block stands: its segment, and which run of it."""
        return {
            block: (number, index)
            for number, segment in enumerate(self.segments)
            for index, run in enumerate(segment.runs)
            for block in run
        }

    def phases(self, block: int) -> Counter[str]:
        """How many contractions a block has in each phase."""
        numbers = self.blocks[block].contractions
        return Counter(self.contractions[number].phase for number in numbers)

    def verify(self) -> None:
        """Raises InconsistentError unless all of this holds.

        - Operands come before their readers, and regions after the region they stand in.
        - An op is listed by the block that owns it, and by no other.
        - A contraction stands in the block that owns its op, and what it is a gradient or a
          recomputation of is forward.
        - A block has a contraction or a normalisation that several blocks read.
        - A block is alike an earlier one of the same signature, or the first of its kind; only
          the first has strategies, and these name ops and at least one piece.
        - Segments cover every block once, and the runs of a segment are alike block by block.
        - Shares lie between 0 and 1.
        """
        for fact in analysis_checks.contradictions(self):
            raise InconsistentError("Analysis", self.name, fact)

    def to_json(self) -> str:
        """The analysis as JSON text, without the timing."""
        return encode(self)

    @classmethod
    def from_json(cls, text: str) -> "Analysis":
        """The analysis that `to_json` wrote."""
        return decode(cls, text)

    def __str__(self) -> str:
        return analysis_text.report(self)

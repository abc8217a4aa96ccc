"""Every way to shard a step on a mesh: the options of each block, the storage of each argument.

    block 2, attention, on a:2 x b:2 x c:2
      option (0, 0, 3)      axes a and b cut the batch, c the heads; all that remain are options
      removed (3, 3, 3)     indivisible: strategy 3 cuts into 4 pieces at most, not into 8

A choice gives every axis of the mesh one strategy of `Analysis.strategies_of(block)` by its number,
or none, -1. Each choice is an option or was removed for a reason, so a space explains itself. What
blocks do and how arguments are stored are apart: one may lie cut further than its readers need it.
"""

from dataclasses import dataclass

from cfp.errors import InconsistentError
from cfp.ir import space_checks, space_text
from cfp.ir.json_codec import decode, encode
from cfp.ir.layout import Cuts
from cfp.ir.mesh import Mesh


@dataclass(frozen=True, slots=True)
class Option:
    """One way to cut a block, and what is known of it without measuring.

    communication_bytes are what its forward collectives carry as it lies on one device, flops_share
    is the part of the block's forward FLOPs that one device computes. Once per run of the block.
    """

    strategies: tuple[int, ...]
    communication_bytes: int
    flops_share: float


@dataclass(frozen=True, slots=True)
class Removal:
    """Choices that are no options, for one reason.

    kind is "indivisible", "clashing" (strategies that cannot both hold), "symmetric" (an option
    with equal axes exchanged) or "dominated" (an option does the same and costs no more).
    """

    kind: str
    because: str
    choices: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class BlockSpace:
    """What a block can do, and all that are alike; strategies holds each of them in words."""

    block: int
    strategies: tuple[str, ...]
    options: tuple[Option, ...]
    removed: tuple[Removal, ...]


@dataclass(frozen=True, slots=True)
class ArgumentSpace:
    """How an argument may be stored.

    role is that of `argument_roles`, parameter the name of the one that optimizer state belongs to,
    a parameter's own, "" for the others. ways are the cuts beyond those of its use, told for use
    that leaves it whole; the first is none, as used. looped are dimensions that a loop slices.
    """

    argument: str
    role: str
    parameter: str
    shape: tuple[int, ...]
    looped: tuple[int, ...]
    ways: tuple[Cuts, ...]


@dataclass(frozen=True, slots=True)
class StrategySpace:
    """name is the step's; blocks are the distinct ones, in order; arguments are all, by number."""

    name: str
    mesh: Mesh
    blocks: tuple[BlockSpace, ...]
    arguments: tuple[ArgumentSpace, ...]

    def block(self, number: int) -> BlockSpace:
        """The space of a block that is the first of its kind; KeyError for others."""
        return {one.block: one for one in self.blocks}[number]

    def why_not(self, block: int, choice: tuple[int, ...]) -> Removal | None:
        """Why a choice is no option; None if it is one."""
        found = (one for one in self.block(block).removed if choice in one.choices)
        return next(found, None)

    def verify(self) -> None:
        """Raises InconsistentError unless all of this holds.

        - The mesh is sound, and no block has two spaces.
        - A choice has for every axis a strategy of the block or -1; each is an option or removed,
          never both, never twice; none are missing.
        - Of a block's FLOPs one device computes some, at most all, and communicates no less than
          nothing; an option that cuts nothing computes all and communicates nothing.
        - Only one block has symmetric removals.
        - Optimizer state and parameters name a parameter.
        - Every way to store an argument has each axis once, in the order of the mesh, and cuts
          dimensions that the argument has, and no loop slices, into equal parts.
        """
        self.mesh.verify()
        for fact in space_checks.contradictions(self):
            raise InconsistentError("StrategySpace", self.name, fact)

    def to_json(self) -> str:
        """The space as JSON text."""
        return encode(self)

    @classmethod
    def from_json(cls, text: str) -> "StrategySpace":
        """The space that `to_json` wrote."""
        return decode(cls, text)

    def __str__(self) -> str:
        return space_text.report(self)

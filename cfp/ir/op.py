"""The ops of a step: what each computes, who owns it and why, and which line of the user made it.

An op's id is its position in `Analysis.ops`; operands are ids, and come before their readers.

    Analysis.ops[812]   dot f32[8,32,64] of %790 and %41
      owner             block 3, by clause B5: "is a contraction of the block"
      source            equation 412 of the step, model.py:57 in Layer.attend
"""

import os
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Source:
    """Where an op comes from: the user's line, and the path of the equation it was lowered from.

    A parameter comes from an argument of the step instead. Of HLO that cfp did not trace only the
    line is known, if that; the rest is empty.
    """

    file: str = ""
    line: int = 0
    function: str = ""
    equation: str = ""
    argument: str = ""

    def __str__(self) -> str:
        """`model.py:57`, from the current folder where the file is under it; or the argument."""
        if not self.file:
            return self.argument or "unknown"
        here = os.getcwd() + os.sep  # noqa: PTH109 - a path per op would be slow
        return f"{self.file.removeprefix(here)}:{self.line}"


@dataclass(frozen=True, slots=True)
class Op:
    """One HLO instruction, calls inlined and tuples dissolved.

    owner is "block", "optimizer" or "nobody", and owner_index the block's id or the number of the
    parameter that is updated; label is the clause of docs/spec.md that decided, because its words.
    """

    opcode: str
    shape: str
    operands: tuple[int, ...]
    instruction: str
    op_name: str
    source: Source
    region: int
    owner: str
    owner_index: int
    label: str
    because: str


@dataclass(frozen=True, slots=True)
class Region:
    """The program (region 0), a loop's body or a branch: it runs `times` times in one step."""

    parent: int
    kind: str
    trip_count: int
    trip_count_known: bool
    times: int


@dataclass(frozen=True, slots=True)
class Contraction:
    """An op that multiplies and sums: a dot, a convolution, a lookup of rows.

    phase is "forward", "backward" or "recomputed"; forward is the contraction that this one is a
    gradient or recomputation of (itself if forward), gradient_of the operand, -1 where there is
    none. flops are those of one step, all trips of its loops together.
    """

    op: int
    block: int
    phase: str
    forward: int
    gradient_of: int
    label: str
    because: str
    flops: float
    unmatched: bool

"""Who reads each op: the operands of an Analysis the other way round.

readers_of(analysis)[17]    [18, 24]: ops 18 and 24 read %17
readers_of(analysis)[29]    [30, -1]: op 30 does, and %29 is a result of the step
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cfp.ir.analysis import Analysis

THE_CALLER = -1


def readers_of(analysis: Analysis) -> list[list[int]]:
    """By op, the ops that read it, in order."""
    readers: list[list[int]] = [[] for _ in analysis.ops]
    for number, op in enumerate(analysis.ops):
        for operand in dict.fromkeys(op.operands):
            readers[operand].append(number)
    for result in dict.fromkeys(analysis.results):
        readers[result].append(THE_CALLER)
    return readers

"""Which block each equation of a step belongs to, forward, backward and in the update of weights.

    owners["412"]         3    the ops that equation 412 became are of block 3
    owners["980"]         3    they update a parameter that block 3 is the first to read
    "37" not in owners         its ops are nobody's, or it became none: every reader makes them

Equations inside others, "19/4", count for the outermost one.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cfp.ir.analysis import Analysis

NOBODY = -1


def equation_owners(analysis: Analysis) -> dict[str, int]:
    """By the path of an outermost equation, the block that owns most of its ops."""
    readers = _first_readers(analysis)
    owners: defaultdict[str, Counter[int]] = defaultdict(Counter)
    for op in analysis.ops:
        path = op.source.equation.partition("/")[0]
        block = op.owner_index if op.owner == "block" else NOBODY
        if op.owner == "optimizer":
            block = readers.get(op.owner_index, NOBODY)
        if path and block != NOBODY:
            owners[path][block] += 1
    return {path: blocks.most_common(1)[0][0] for path, blocks in owners.items()}


def _first_readers(analysis: Analysis) -> dict[int, int]:
    """By argument, the first block that reads it, or something made of it by nobody."""
    arguments: list[set[int]] = [set() for _ in analysis.ops]
    for number, op in enumerate(analysis.parameters):
        if op >= 0:
            arguments[op].add(number)
    found: dict[int, int] = {}
    for number, op in enumerate(analysis.ops):
        behind = set[int]().union(*(arguments[one] for one in op.operands))
        if op.owner == "nobody":
            arguments[number] |= behind
        elif op.owner == "block":
            for argument in behind:
                found.setdefault(argument, op.owner_index)
    return found

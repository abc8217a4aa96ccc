"""What must hold in an Analysis, as generators of what does not: the first one found is the error.

list(contradictions(analysis))    ["block 4 is alike block 7, which comes later"]
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cfp.ir.analysis import Analysis
    from cfp.ir.block import Strategy

OWNERS = ("block", "optimizer", "nobody")
SHARED_NORMALISATION = "B10.4"


def contradictions(analysis: Analysis) -> Iterator[str]:
    """Yields every fact that contradicts the list in `Analysis.verify`, in that order."""
    yield from _in_ops(analysis)
    yield from _in_ownership(analysis)
    yield from _in_contractions(analysis)
    yield from _in_blocks(analysis)
    yield from _in_strategies(analysis)
    yield from _in_segments(analysis)


def _in_ops(analysis: Analysis) -> Iterator[str]:
    for number, op in enumerate(analysis.ops):
        for operand in op.operands:
            if not 0 <= operand < number:
                yield f"%{number} reads %{operand}, which does not come before it"
        if not 0 <= op.region < len(analysis.regions):
            yield f"%{number} stands in region {op.region}, which does not exist"
    for number, region in enumerate(analysis.regions):
        if not -1 <= region.parent < number:
            yield f"region {number} stands in region {region.parent}, which does not come before it"


def _in_ownership(analysis: Analysis) -> Iterator[str]:
    lister: dict[int, int] = {}
    for number, block in enumerate(analysis.blocks):
        for op in block.ops:
            if lister.setdefault(op, number) != number:
                yield f"%{op} is listed by block {lister[op]} and by block {number}"
            if not 0 <= op < len(analysis.ops):
                yield f"block {number} lists %{op}, which does not exist"
    for number, op in enumerate(analysis.ops):
        owner = op.owner_index if op.owner == "block" else -1
        if op.owner not in OWNERS:
            yield f"%{number} is owned by {op.owner!r}"
        elif owner >= 0 and lister.get(number) != owner:
            yield f"%{number} is owned by block {owner}, which does not list it"
        elif owner < 0 and number in lister:
            yield f"%{number} is owned by {op.owner}, yet block {lister[number]} lists it"


def _in_contractions(analysis: Analysis) -> Iterator[str]:
    for number, one in enumerate(analysis.contractions):
        if not 0 <= one.op < len(analysis.ops):
            yield f"contraction {number} is %{one.op}, which does not exist"
        elif (owner := analysis.ops[one.op].owner_index) != one.block:
            yield (
                f"contraction {number} is in block {one.block}, and %{one.op} is owned by block "
                f"{owner}"
            )
        origin = analysis.contractions[one.forward]
        if origin.phase != "forward" or (one.phase == "forward" and origin is not one):
            yield f"contraction {number} is {one.phase} of contraction {one.forward}"


def _in_blocks(analysis: Analysis) -> Iterator[str]:
    for number, block in enumerate(analysis.blocks):
        for one in block.contractions:
            if (other := analysis.contractions[one].block) != number:
                yield f"block {number} lists contraction {one} of block {other}"
        labels = {analysis.ops[op].label for op in block.ops}
        if not block.contractions and SHARED_NORMALISATION not in labels:
            yield f"block {number} has neither a contraction nor a shared normalisation"
        first = analysis.blocks[block.alike]
        if block.alike > number:
            yield f"block {number} is alike block {block.alike}, which comes later"
        elif first.signature != block.signature or first.alike != block.alike:
            yield f"block {number} is not alike block {block.alike}: another signature"
        if not 0 <= block.flops_share <= 1 + 1e-9:
            yield f"block {number} has {block.flops_share} of the FLOPs of its segment"


def _in_strategies(analysis: Analysis) -> Iterator[str]:
    for number, block in enumerate(analysis.blocks):
        if block.strategies and block.alike != number:
            yield f"block {number} has strategies, and block {block.alike} is the first of its kind"
        for index, strategy in enumerate(block.strategies):
            if strategy.granule < 1:
                yield f"strategy {index} of block {number} cuts into {strategy.granule} pieces"
            if not 0 <= (share := strategy.split_flops_share) <= 1 + 1e-9:
                yield f"strategy {index} of block {number} divides {share} of its FLOPs"
            for value in _values_of(strategy):
                if not 0 <= value < len(analysis.ops):
                    yield f"strategy {index} of block {number} names %{value}, which does not exist"


def _values_of(strategy: Strategy) -> Iterator[int]:
    yield from (one.value for one in strategy.collectives)
    yield from (one.value for one in strategy.inputs)
    yield from (one.value for one in strategy.members)


def _in_segments(analysis: Analysis) -> Iterator[str]:
    covered = Counter(
        block for segment in analysis.segments for run in segment.runs for block in run
    )
    for block in sorted({*covered, *range(len(analysis.blocks))}):
        if covered[block] != 1 or not 0 <= block < len(analysis.blocks):
            yield f"block {block} stands in {covered[block]} segments"
            return
    for number, segment in enumerate(analysis.segments):
        kinds = [[analysis.blocks[block].alike for block in run] for run in segment.runs]
        if any(kind != kinds[0] for kind in kinds):
            yield f"the runs of segment {number} are not alike"

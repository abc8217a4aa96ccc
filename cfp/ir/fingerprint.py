"""The fingerprint of a step: equal for all steps that a plan for one of them fits.

    fingerprint(step, analysis)    "9f31c0…", the same in every process

It says which arguments there are, into which blocks the step is cut, which ways there are to split
each, in their order, and how the blocks are wired and repeat: what the numbers in a plan refer to.
Names of modules and lines of source are not in it, so a blank line more in the model changes
nothing; nor is what no plan depends on, such as the learning rate.
"""

import json
from hashlib import sha256

from cfp.ir.analysis import Analysis
from cfp.ir.block import Strategy
from cfp.ir.step import TracedStep


def fingerprint(step: TracedStep, analysis: Analysis) -> str:
    """A sha256 in hexadecimal digits."""
    facts = {
        "arguments": [(one.name, one.shape, one.dtype) for one in step.arguments],
        "blocks": [(block.signature, block.alike) for block in analysis.blocks],
        "reads": [_read_blocks(analysis, number) for number in range(len(analysis.blocks))],
        "strategies": [
            [_told(strategy) for strategy in analysis.blocks[number].strategies]
            for number in analysis.distinct_blocks
        ],
        "segments": [(one.blocks, one.starts, one.times) for one in analysis.segments],
    }
    return sha256(json.dumps(facts).encode("ascii")).hexdigest()


def _read_blocks(analysis: Analysis, number: int) -> list[int]:
    """The blocks of which a block reads a value."""
    readers = (analysis.ops[op] for op in analysis.blocks[number].ops)
    read = (analysis.ops[operand] for op in readers for operand in op.operands)
    return sorted({op.owner_index for op in read if op.owner == "block"} - {number})


def _told(strategy: Strategy) -> tuple[object, ...]:
    """A strategy without the numbers of ops."""
    kinds = [(one.kind, one.size_bytes) for one in strategy.collectives]
    factors = [factor.rpartition(" ")[2] for factor in strategy.factors]
    return strategy.origin, factors, strategy.granule, kinds

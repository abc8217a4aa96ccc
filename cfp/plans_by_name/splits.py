"""Which strategies each kind of parallelism may take for a block.

    block                       data      sequence     megatron                  expert
    attention                   batch     tokens       heads, what is summed     batch
    experts of a layer          batch     their rows   columns, what is summed   experts
    positions, light            whole     tokens       whole too                 whole

A block takes a strategy of its kind, or one that leads back to no argument at all, as in a decoder
that shifts its tokens. It stays whole where neither divides, and may where it is light.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cfp.ir.plan import WHOLE
from cfp.ir.plan_name import DATA, EXPERT, FSDP, MEGATRON, REPLICATED, SEQUENCE, ZERO1

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from cfp.ir.block import Strategy
    from cfp.plans_by_name.findings import Findings

    Question = Callable[["Findings", Strategy], bool]
    Candidates = dict[int, tuple[int, ...]]  # by distinct block, strategies and WHOLE
    Pieces = Mapping[int, tuple[int, ...]]  # by distinct block and strategy


def along_batch(findings: Findings, strategy: Strategy) -> bool:
    """Whether a strategy cuts activations along the batch."""
    return _of_activations(strategy) and findings.batch in findings.data_dims(strategy)


def along_sequence(findings: Findings, strategy: Strategy) -> bool:
    """Whether it cuts activations along the other dimension of the data."""
    dims = findings.data_dims(strategy)
    return _of_activations(strategy) and findings.sequence in dims and findings.batch not in dims


def of_experts(findings: Findings, strategy: Strategy) -> bool:
    """Whether it cuts a batch of contractions that is a dimension of a parameter."""
    letters = {factor.split(" ")[1][0] for factor in strategy.factors}
    return "b" in letters and findings.cuts_weights(strategy)


def of_weights(findings: Findings, strategy: Strategy) -> bool:
    """Whether it cuts columns or rows of weights."""
    if strategy.origin == "late":
        return findings.cuts_weights(strategy)
    return strategy.origin in ("weight", "contracted")


def of_no_argument(_: Findings, strategy: Strategy) -> bool:
    """Whether it cuts activations along a dimension that leads back to no argument."""
    return strategy.origin == "activation" and not strategy.sources


def _of_activations(strategy: Strategy) -> bool:
    return strategy.origin in ("activation", "late")


# What a block of each kind takes: the first of these that divides.
KINDS: dict[str, tuple[Question, ...]] = {
    REPLICATED: (),
    DATA: (along_batch, of_no_argument),
    FSDP: (along_batch, of_no_argument),
    ZERO1: (along_batch, of_no_argument),
    MEGATRON: (of_weights,),
    SEQUENCE: (along_sequence, of_no_argument),
    EXPERT: (of_experts, along_batch, of_no_argument),
}


def candidates(findings: Findings, kind: str, degree: int, pieces: Pieces) -> Candidates:
    """What every distinct block may take on `degree` devices, besides the `pieces` it is in."""
    return {
        block: _candidates(findings, kind, block, fitting(findings, block, degree, given))
        for block, given in pieces.items()
    }


def fitting(
    findings: Findings, block: int, degree: int, pieces: tuple[int, ...]
) -> tuple[int, ...]:
    """The strategies of a block that can be cut into so many times the pieces."""
    division = findings.divisions[block]
    return tuple(
        number
        for number in range(len(pieces))
        if not division.refusal(cut_further(pieces, number, degree))
    )


def cut_further(pieces: tuple[int, ...], strategy: int, degree: int) -> tuple[int, ...]:
    """The pieces after one more strategy, or WHOLE."""
    return tuple(
        count * degree if number == strategy else count for number, count in enumerate(pieces)
    )


def answering(
    findings: Findings, block: int, question: Question, numbers: Iterable[int]
) -> tuple[int, ...]:
    """Those of a block's strategies to which the answer is yes."""
    strategies = findings.analysis.blocks[block].strategies
    return tuple(number for number in numbers if question(findings, strategies[number]))


def _candidates(findings: Findings, kind: str, block: int, fit: tuple[int, ...]) -> tuple[int, ...]:
    answers = (answering(findings, block, question, fit) for question in KINDS[kind])
    found = _dividing_most(findings, block, next(filter(None, answers), ()))
    return (*found, WHOLE) if not found or _may_be_whole(findings, kind, block, found) else found


def _dividing_most(findings: Findings, block: int, numbers: tuple[int, ...]) -> tuple[int, ...]:
    """Those that divide at least half of the FLOPs that the best of them does."""
    strategies = findings.analysis.blocks[block].strategies
    most = max((strategies[one].split_flops_share for one in numbers), default=0.0)
    return tuple(one for one in numbers if strategies[one].split_flops_share >= most / 2)


def _may_be_whole(findings: Findings, kind: str, block: int, found: tuple[int, ...]) -> bool:
    """Whether not to split a block is no loss."""
    if kind == MEGATRON:
        return block in findings.light_in_weights
    is_makeshift = answering(findings, block, of_no_argument, found) == found
    return is_makeshift and block in findings.light

"""Whether a part of a named plan has anything to split, and if not, why.

expert:8 of a dense model     no block can be cut along stacked weights, such as experts
data:3 of a batch of 8        no block can be cut along the batch into 3; dimension 0 of
                              batch['x'] has 8 elements: make it 6 or 9
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cfp.errors.running import nearest_multiples
from cfp.ir.plan import WHOLE
from cfp.ir.plan_name import DATA, EXPERT, FSDP, MEGATRON, SEQUENCE, ZERO1
from cfp.plans_by_name.splits import KINDS, answering, cut_further

if TYPE_CHECKING:
    from cfp.plans_by_name.fewest_bytes import Chosen
    from cfp.plans_by_name.findings import Findings
    from cfp.plans_by_name.splits import Pieces

ALONG = {
    DATA: "along the batch",
    FSDP: "along the batch",
    ZERO1: "along the batch",
    MEGATRON: "by columns or rows of its weights",
    SEQUENCE: "along another dimension of the data than the batch",
    EXPERT: "along stacked weights, such as experts",
}


def why_unfit(findings: Findings, kind: str, degree: int, pieces: Pieces, chosen: Chosen) -> str:
    """Why nothing of its kind was chosen for an axis of a part; "" where something was."""
    if kind not in ALONG:
        return ""
    question = KINDS[kind][0]
    if any(answering(findings, one, question, _taken(chosen, one)) for one in chosen):
        return ""
    able = sorted(
        (-findings.analysis.blocks[block].flops, block, number)
        for block, given in pieces.items()
        for number in answering(findings, block, question, range(len(given)))
    )
    if not able:
        return f"no block can be cut {ALONG[kind]}"
    reasons = (_reason(findings, block, number, degree, pieces) for _, block, number in able)
    because = next((f"; {one}" for one in reasons if one), "")
    return f"no block can be cut {ALONG[kind]} into {degree}{because}"


def _reason(findings: Findings, block: int, number: int, degree: int, pieces: Pieces) -> str:
    """Why one strategy cannot cut so: the argument that does not divide, else its own words."""
    strategy = findings.analysis.strategies_of(block)[number]
    for argument, dim in strategy.sources:
        info = findings.step.arguments[argument]
        if dim < len(info.shape) and info.shape[dim] % degree:
            size = info.shape[dim]
            sizes = nearest_multiples(size, degree)
            return f"dimension {dim} of {info.name} has {size} elements: make it {sizes}"
    refusal = findings.divisions[block].refusal(cut_further(pieces[block], number, degree))
    return f"of block {block}, {refusal.because}" if refusal else ""


def _taken(chosen: Chosen, block: int) -> tuple[int, ...]:
    return () if chosen[block] == WHOLE else (chosen[block],)

"""Whether a part of a named plan has anything to split, and if not, why.

expert:8 of a dense model     no block can be cut along stacked weights, such as experts
data:3 of a batch of 8        no block can be cut along the batch into 3; of block 4, strategy 0
                              cuts into 8 pieces at most, not into 3
"""

from __future__ import annotations

from typing import TYPE_CHECKING

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
    refusals = (
        (block, findings.divisions[block].refusal(cut_further(pieces[block], number, degree)))
        for _, block, number in able
    )
    reasons = (f"; of block {block}, {one.because}" for block, one in refusals if one)
    return f"no block can be cut {ALONG[kind]} into {degree}{next(reasons, '')}"


def _taken(chosen: Chosen, block: int) -> tuple[int, ...]:
    return () if chosen[block] == WHOLE else (chosen[block],)

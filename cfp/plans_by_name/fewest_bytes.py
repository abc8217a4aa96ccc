"""Among the strategies that blocks may take, those that together move the fewest bytes.

    widen: columns, narrow: columns     an all-gather of h, 4 x as wide as y, and one of y
    widen: columns, narrow: rows        an all-reduce of y                          <- the fewest
    widen: rows, narrow: columns        an all-reduce of h

All blocks begin whole. Each in its turn takes what is best for it and the block after it, given
what the others do, until none has a better way. The judge is the layout of the whole step, forward,
backward and optimizer, on the one mesh axis that is decided.

A value counts once for each collective on it, a sum no more than a gather: between plans of equal
traffic a person takes the one that waits less often.
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

from cfp._native import Axis, AxisLayout, lay_out_axes
from cfp.ir.mesh import Mesh
from cfp.ir.plan import WHOLE
from cfp.ir.shape import size_bytes
from cfp.plans_by_name.storage import as_used

if TYPE_CHECKING:
    from cfp.plans_by_name.findings import Findings
    from cfp.plans_by_name.splits import Candidates

    Chosen = dict[int, int]  # by distinct block


def fewest_bytes(findings: Findings, candidates: Candidates, degree: int) -> Chosen:
    """One of the candidates for each distinct block."""
    judged: dict[tuple[int, ...], float] = {}

    def cost(chosen: Chosen) -> float:
        key = tuple(chosen.values())
        if key not in judged:
            judged[key] = moved_bytes(findings, chosen, degree)
        return judged[key]

    blocks = list(candidates)
    chosen = dict.fromkeys(blocks, WHOLE)
    before = None
    while chosen != before:
        before = chosen
        for number in range(len(blocks)):
            two = blocks[number : number + 2]
            ways = product(*(candidates[block] for block in two))
            tries = [chosen | dict(zip(two, way, strict=True)) for way in ways]
            if len(tries) > 1:
                tries = [*(one for one in tries if one == chosen), *tries]  # no change on a tie
            chosen = min(tries, key=cost) if len(tries) > 1 else tries[0]
    return chosen


def moved_bytes(findings: Findings, chosen: Chosen, degree: int) -> float:
    """The bytes of all values that are moved, each time whole."""
    analysis = findings.analysis
    return sum(
        one.times * size_bytes(analysis.ops[one.value].shape) * _weight(one.kind, degree)
        for one in _laid_out(findings, chosen, degree).movements
    )


def _laid_out(findings: Findings, chosen: Chosen, degree: int) -> AxisLayout:
    """The step on one axis, its arguments stored as a plan would store them."""
    analysis = findings.analysis
    axis = Axis("it", degree, tuple(chosen[block.alike] for block in analysis.blocks))
    (laid,) = lay_out_axes(analysis, [axis], findings.continues)
    wanted = tuple(
        (laid.wanted[number],) if number in laid.wanted else ()
        for number in range(len(analysis.parameters))
    )
    used = as_used(findings, Mesh(((axis.name, degree),)), wanted)
    if used == wanted:  # then they were laid out so
        return laid
    stored = tuple((cuts[0].dim, cuts[0].outer) if cuts else None for cuts in used)
    return lay_out_axes(analysis, [axis._replace(stored=stored)], findings.continues)[0]


def _weight(kind: str, degree: int) -> float:
    """How much of a value a collective moves; an exchange moves what one device holds."""
    if kind == "gather-partials":
        return degree
    return 1 / degree if kind in ("all-to-all", "halo") else 1

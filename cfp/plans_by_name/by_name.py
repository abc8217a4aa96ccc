"""One plan by name: its parts are decided one after the other, then the storage.

    baseline("data x megatron", step, analysis, devices=8)
        data:4        all along the batch
        megatron:2    heads and columns, then rows
        storage       as used: W1 by columns, W2 by rows, the batch along data

Parts do not move each other's splits, but a later one takes only what the earlier ones leave
divisible.
"""

from __future__ import annotations

from functools import partial
from importlib.metadata import version
from typing import TYPE_CHECKING

from cfp._native import wanted_storage
from cfp.errors import UnfitBaselineError
from cfp.ir.notation import notation_of
from cfp.ir.plan import Choice, Plan, Storage
from cfp.ir.plan_name import parse
from cfp.plans_by_name.fewest_bytes import fewest_bytes
from cfp.plans_by_name.findings import find
from cfp.plans_by_name.fits import why_unfit
from cfp.plans_by_name.shares import shares_of
from cfp.plans_by_name.splits import candidates, cut_further
from cfp.plans_by_name.storage import as_used, in_parts

if TYPE_CHECKING:
    from collections.abc import Callable

    from cfp.ir.analysis import Analysis
    from cfp.ir.mesh import Mesh
    from cfp.ir.step import TracedStep
    from cfp.plans_by_name.fewest_bytes import Chosen
    from cfp.plans_by_name.findings import Findings
    from cfp.plans_by_name.shares import Shares
    from cfp.plans_by_name.splits import Candidates

    Choose = Callable[[Candidates, int], Chosen]
    Strategies = tuple[int, ...]  # per axis of the mesh


def baseline(
    name: str, step: TracedStep, analysis: Analysis, mesh: Mesh | None = None, devices: int = 1
) -> Plan:
    """The plan of that name; `devices` count where no mesh is given."""
    findings = find(step, analysis)
    return plan_of(findings, shares_of(parse(name), mesh, devices), partial(fewest_bytes, findings))


def plan_of(findings: Findings, shares: Shares, choose: Choose) -> Plan:
    """The plan whose parts have these shares; refused where a part has nothing to split."""
    step, analysis = findings.step, findings.analysis
    decided = _decided(findings, shares, choose)
    choices = [decided[block.alike] for block in analysis.blocks]
    wanted = wanted_storage(analysis, shares.mesh, choices, findings.continues)
    stored = in_parts(findings, shares, as_used(findings, shares.mesh, wanted))
    return Plan(
        name=str(shares.name),
        step=step.name,
        fingerprint=findings.fingerprint,
        jax_version=version("jax"),
        mesh=shares.mesh,
        choices=_choices(analysis, shares.mesh, decided),
        storage=tuple(
            Storage(one.name, cuts, one.shape, one.dtype)
            for one, cuts in zip(step.arguments, stored, strict=True)
        ),
    )


def _decided(findings: Findings, shares: Shares, choose: Choose) -> dict[int, Strategies]:
    """By distinct block its strategies."""
    pieces: dict[int, tuple[int, ...]] = {
        block: (1,) * len(division.granules) for block, division in findings.divisions.items()
    }
    decided: dict[int, Strategies] = dict.fromkeys(pieces, ())
    for part, axes in zip(shares.name.parts, shares.axes, strict=True):
        for degree in (shares.mesh.sizes[axis] for axis in axes):
            chosen = choose(candidates(findings, part.kind, degree, pieces), degree)
            if because := why_unfit(findings, part.kind, degree, pieces, chosen):
                raise UnfitBaselineError(str(shares.name), str(part), findings.step.name, because)
            for block, strategy in chosen.items():
                decided[block] += (strategy,)
                pieces[block] = cut_further(pieces[block], strategy, degree)
    return decided


def _choices(analysis: Analysis, mesh: Mesh, decided: dict[int, Strategies]) -> tuple[Choice, ...]:
    """One for each distinct block and all that are alike."""
    blocks: dict[int, list[int]] = {first: [] for first in decided}
    for number, block in enumerate(analysis.blocks):
        blocks[block.alike].append(number)
    return tuple(
        Choice(
            tuple(blocks[first]),
            strategies,
            notation_of(analysis, first, mesh.names).by_dimension(strategies),
        )
        for first, strategies in decided.items()
    )

"""How the arguments lie between steps under a named plan.

    W [64,256] of a first layer      megatron:2       data:4 x megatron:2 + fsdp
    the parameter                    dim 1            dim 0 by data, dim 1 by megatron
    its optimizer state              as the parameter, in every plan but those with zero1

An argument lies as its readers would have it, as far as a sharding can say that. What is stored in
parts is cut further, along a dimension that is whole in use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cfp.ir.plan_name import FSDP, REPEATING, STORAGES, ZERO1
from cfp.ir.roles import OPTIMIZER, PARAMETER
from cfp.ir.storing import in_a_row, stored_as_used, stored_further

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cfp.ir.layout import Cuts
    from cfp.ir.mesh import Mesh
    from cfp.plans_by_name.findings import Findings
    from cfp.plans_by_name.shares import Shares

STORED = {FSDP: (PARAMETER, OPTIMIZER), ZERO1: (OPTIMIZER,)}


def as_used(findings: Findings, mesh: Mesh, wanted: Sequence[Cuts]) -> tuple[Cuts, ...]:
    """How each argument lies whose readers want it so.

    Optimizer state lies as its parameter. Data come in a row, also where they are then taken apart
    for micro-batches.
    """
    arguments = zip(wanted, findings.step.arguments, findings.roles, findings.looped, strict=True)
    plain = [
        stored_as_used(cuts if role.kind == PARAMETER else in_a_row(cuts), one.shape, mesh, looped)
        for cuts, one, role, looped in arguments
    ]
    return tuple(
        plain[role.parameter] if role.kind == OPTIMIZER else cuts
        for role, cuts in zip(findings.roles, plain, strict=True)
    )


def in_parts(findings: Findings, shares: Shares, used: tuple[Cuts, ...]) -> tuple[Cuts, ...]:
    """How each argument is stored where the name says more than how it is used.

    What parameters share is cut first: then their optimizer state is cut as they are, and further.
    """
    stored = list(used)
    for storage, axes in sorted(_storing_axes(shares), key=lambda one: -len(STORED[one[0]])):
        for number, role in enumerate(findings.roles):
            if role.kind not in STORED[storage]:
                continue
            further = stored_further(
                stored[number],
                findings.step.arguments[number].shape,
                shares.mesh,
                axes,
                findings.looped[role.parameter],
            )
            stored[number] = stored[number] if further is None else further
    return tuple(stored)


def _storing_axes(shares: Shares) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yields a storage and the axes of the part whose devices share it."""
    for part, axes in zip(shares.name.parts, shares.axes, strict=True):
        storage = part.kind if part.kind in STORAGES else shares.name.storage
        if storage and part.kind in (*STORAGES, *REPEATING):
            yield storage, tuple(shares.mesh.names[axis] for axis in axes)

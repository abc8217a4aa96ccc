"""How the arguments lie between steps under a named plan.

    W [64,256] of a first layer      megatron:2       data:4 x megatron:2 + fsdp
    the parameter                    dim 1            dim 0 by data, dim 1 by megatron
    its optimizer state              as the parameter, in every plan but those with zero1

An argument lies as its readers would have it, in equal parts that a sharding can say. What is
stored in parts is cut further, along a dimension that is whole in use.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from cfp.ir.layout import Cuts, partition
from cfp.ir.plan_name import FSDP, REPEATING, STORAGES, ZERO1
from cfp.ir.roles import OPTIMIZER, PARAMETER
from cfp.ir.storing import looped_dims, stored_further

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cfp.ir.mesh import Mesh
    from cfp.plans_by_name.findings import Findings
    from cfp.plans_by_name.shares import Shares

STORED = {FSDP: (PARAMETER, OPTIMIZER), ZERO1: (OPTIMIZER,)}


def as_used(findings: Findings, mesh: Mesh, wanted: Sequence[Cuts]) -> tuple[Cuts, ...]:
    """How each argument lies whose readers want it so; optimizer state lies as its parameter."""
    plain = [
        _sayable(cuts, one.shape, mesh)
        for cuts, one in zip(wanted, findings.step.arguments, strict=True)
    ]
    return tuple(
        plain[role.parameter] if role.kind == OPTIMIZER else cuts
        for role, cuts in zip(findings.roles, plain, strict=True)
    )


def _sayable(cuts: Cuts, shape: tuple[int, ...], mesh: Mesh) -> Cuts:
    """The cuts without `outer`, those of dimensions that the argument has and that they divide.

    A PRNG key has one dimension less than its words.
    """
    if not cuts:
        return ()
    plain = tuple(replace(cut, outer=1) for cut in cuts if cut.dim < len(shape))
    by_dim = partition(plain, len(shape))
    return tuple(cut for cut in plain if shape[cut.dim] % mesh.size(*by_dim[cut.dim]) == 0)


def in_parts(findings: Findings, shares: Shares, used: tuple[Cuts, ...]) -> tuple[Cuts, ...]:
    """How each argument is stored where the name says more than how it is used.

    What parameters share is cut first: then their optimizer state is cut as they are, and further.
    """
    looped = looped_dims(findings.analysis)
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
                looped.get(findings.analysis.parameters[role.parameter], ()),
            )
            stored[number] = stored[number] if further is None else further
    return tuple(stored)


def _storing_axes(shares: Shares) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yields a storage and the axes of the part whose devices share it."""
    for part, axes in zip(shares.name.parts, shares.axes, strict=True):
        storage = part.kind if part.kind in STORAGES else shares.name.storage
        if storage and part.kind in (*STORAGES, *REPEATING):
            yield storage, tuple(shares.mesh.names[axis] for axis in axes)

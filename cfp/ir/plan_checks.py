"""What must hold in a Plan, and whether it was made for this step on this mesh.

list(contradictions(plan))                         ["block 4 is chosen for twice"]
refuse_other(plan, fingerprint, …)                 raises what differs, the plainest first
version_warning(plan, "0.12.0.1")                  "plan 'zero1' was made with jax 0.10.2, …"
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from cfp.errors import PlanForOtherArgumentsError, PlanForOtherMeshError, PlanForOtherStepError
from cfp.ir.array_text import array_text
from cfp.ir.layout import partition

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cfp.ir.mesh import Mesh
    from cfp.ir.plan import Plan, Storage
    from cfp.ir.step import ArrayInfo

SCHEMA = 1


def contradictions(plan: Plan) -> Iterator[str]:
    """Yields every fact that contradicts the list in `Plan.verify`, in that order."""
    if plan.schema != SCHEMA:
        yield f"its schema is {plan.schema}, not {SCHEMA}"
    yield from _in_choices(plan)
    for argument in _repeated(one.argument for one in plan.storage):
        yield f"{argument} is stored twice"
    for one in plan.storage:
        yield from _in_cuts(one, plan.mesh)


def _in_choices(plan: Plan) -> Iterator[str]:
    for block in _repeated(block for choice in plan.choices for block in choice.blocks):
        yield f"block {block} is chosen for twice"
    for choice in plan.choices:
        if not choice.blocks:
            yield f"the choice {choice.notation!r} is for no block"
        if any(block < 0 for block in choice.blocks):
            yield f"block {min(choice.blocks)} is chosen for, and blocks count from 0"
        if len(choice.strategies) != len(plan.mesh.axes):
            yield (
                f"block {choice.blocks[0]} has {len(choice.strategies)} strategies on "
                f"{len(plan.mesh.axes)} mesh axes"
            )
        if any(strategy < -1 for strategy in choice.strategies):
            yield f"strategy {min(choice.strategies)} is chosen, and -1 stands for none"


def _repeated(items: Iterable[object]) -> Iterator[object]:
    return (item for item, count in Counter(items).items() if count > 1)


def _in_cuts(one: Storage, mesh: Mesh) -> Iterator[str]:
    axes = [cut.axis for cut in one.cuts]
    if unknown := [axis for axis in axes if axis not in mesh.names]:
        yield f"{one.argument} is cut by {unknown[0]}, which is no axis of the mesh {mesh}"
        return
    if axes != [name for name in mesh.names if name in axes]:
        yield f"{one.argument} is cut by {', '.join(axes)}: each once, in the order of the mesh"
    for cut in one.cuts:
        if cut.outer < 1:
            yield f"{one.argument} is cut inside {cut.outer} parts"
        if cut.dim < 0 or (one.dtype and cut.dim >= len(one.shape)):
            yield f"{one.argument} is cut at dim {cut.dim}, which it has not"
            return
    yield from _in_parts(one, mesh) if one.dtype else ()


def _in_parts(one: Storage, mesh: Mesh) -> Iterator[str]:
    for dim, axes in enumerate(partition(one.cuts, len(one.shape))):
        outer = max((cut.outer for cut in one.cuts if cut.dim == dim), default=1)
        if one.shape[dim] % (max(outer, 1) * mesh.size(*axes)):
            inside = f" inside each of {outer} parts" if outer > 1 else ""
            yield (
                f"{one.argument} has {one.shape[dim]} at dim {dim}, which "
                f"{' and '.join(axes)} cannot cut into {mesh.size(*axes)} equal parts{inside}"
            )


def refuse_other(
    plan: Plan, fingerprint: str, arguments: tuple[ArrayInfo, ...], mesh: Mesh, jax_version: str
) -> None:
    """Raises what the plan was made for and this is not: the arguments, the step, or the mesh."""
    if differences := tuple(_other_arguments(plan, arguments)):
        raise PlanForOtherArgumentsError(plan.name, plan.step, differences)
    if fingerprint != plan.fingerprint:
        raise PlanForOtherStepError(plan.name, plan.step, plan.jax_version, jax_version)
    if mesh != plan.mesh:
        raise PlanForOtherMeshError(
            plan.name, str(plan.mesh), plan.mesh.devices, str(mesh), mesh.devices
        )


def _other_arguments(plan: Plan, arguments: tuple[ArrayInfo, ...]) -> Iterator[str]:
    planned = {one.argument: one for one in plan.storage}
    given = {one.name: one for one in arguments}
    for name, one in planned.items():
        if name not in given:
            yield f"{name} of the plan is missing"
        elif one.dtype and (planned_array := array_text(one.array)) != array_text(given[name]):
            yield f"{name} is {array_text(given[name])}, in the plan {planned_array}"
    yield from (f"{name} is not in the plan" for name in given if name not in planned)


def version_warning(plan: Plan, jax_version: str) -> str:
    """What to know where the plan was made with another JAX; nothing with the same."""
    if jax_version == plan.jax_version:
        return ""
    return (
        f"plan {plan.name!r} was made with jax {plan.jax_version}, and this is jax {jax_version}: "
        "the step is the same, what the compiler makes of it may be not"
    )

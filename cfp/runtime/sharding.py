"""Cuts as JAX takes them: a NamedSharding, and the constraint that puts a value into it.

    cuts of w [64,256]             on data:4 x model:2
    data: dim 0, model: dim 1      NamedSharding(mesh, PartitionSpec('data', 'model'))
    data: dim 0, model: dim 0      NamedSharding(mesh, PartitionSpec(('data', 'model'), None))

A sharding cannot say a cut inside major parts (`outer`): that takes `cfp.runtime.unfolded`.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false
# JAX annotates its own functions in part; what comes from them is unknown to a strict checker.

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from math import prod
from typing import Any

import jax
import numpy as np
from jax.extend.core import ClosedJaxpr, Var
from jax.sharding import AxisType, NamedSharding, PartitionSpec

from cfp import errors
from cfp.ir.layout import AxisCut, Cuts, partition
from cfp.ir.mesh import Mesh


@dataclass(frozen=True, slots=True)
class Subject:
    """What is cut: its shape, and for people its name and where it stands."""

    shape: tuple[int, ...]
    name: str
    where: str


def mesh_of(mesh: Mesh, devices: Sequence[Any]) -> jax.sharding.Mesh:
    """The mesh over these devices, in their order; its axes leave the rest to the compiler."""
    if len(devices) != mesh.devices:
        raise errors.DeviceCountError(str(mesh), mesh.devices, len(devices))
    grid = np.array(devices, dtype=object).reshape(mesh.sizes)
    return jax.sharding.Mesh(grid, mesh.names, axis_types=(AxisType.Auto,) * len(mesh.axes))


def has_sharding(cuts: Cuts) -> bool:
    """Whether a sharding can say these cuts."""
    return all(cut.outer == 1 for cut in cuts)


def sharding_of(mesh: jax.sharding.Mesh, cuts: Cuts, subject: Subject) -> NamedSharding:
    """The sharding that cuts say; an error where the value cannot be cut so."""
    for cut in cuts:
        if problem := _problem(mesh, cut, len(subject.shape)):
            raise errors.UnfitLayoutError(subject.name, subject.where, problem)
    by_dim = partition(cuts, len(subject.shape))
    for dim, (size, axes) in enumerate(zip(subject.shape, by_dim, strict=True)):
        pieces = prod(mesh.shape[axis] for axis in axes)
        if size % pieces:
            raise errors.IndivisibleError(subject.name, subject.where, dim, size, pieces)
    return NamedSharding(mesh, PartitionSpec(*(axes or None for axes in by_dim)))


def _problem(mesh: jax.sharding.Mesh, cut: AxisCut, rank: int) -> str:
    """Why a cut has no sharding at all; nothing where it has one."""
    if cut.axis not in mesh.shape:
        return f"it is cut on axis {cut.axis!r}, which the mesh does not have"
    if cut.dim >= rank:
        return f"its dimension {cut.dim} is cut, and it has {rank}"
    if cut.outer > 1:
        return f"it is cut inside {cut.outer} major parts, which only an equation can do"
    return ""


def constraint(sharding: NamedSharding, atom: Var) -> ClosedJaxpr:
    """A jaxpr that puts a value like `atom` into a sharding."""
    aval: Any = atom.aval
    return _constraint(sharding, aval.shape, aval.dtype, aval.weak_type)


@cache
def _constraint(
    sharding: NamedSharding, shape: tuple[int, ...], dtype: Any, weak_type: bool
) -> ClosedJaxpr:
    array = jax.ShapeDtypeStruct(shape, dtype, weak_type=weak_type)

    def moved(x: jax.Array) -> jax.Array:
        return jax.lax.with_sharding_constraint(x, sharding)

    return jax.make_jaxpr(moved)(array)

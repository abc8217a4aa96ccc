"""The devices that a user gives, in the ways in which one can: a mesh, its text, a list, nothing.

grid_of("data:4 x model:2", None)     that mesh, over jax.devices()
grid_of(None, jax.devices()[:4])      any mesh of these four
grid_of(jax_mesh, None)               its axes and its devices
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false
# JAX annotates its own functions in part; what comes from them is unknown to a strict checker.

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jax
from jax.sharding import AxisType

from cfp import errors
from cfp.ir.mesh import Mesh

Device = Any  # jax.Device, which JAX does not declare as a type
GivenMesh = Mesh | str | jax.sharding.Mesh | None


@dataclass(frozen=True)
class Grid:
    """Devices in their order, and the mesh that they are to form; None leaves it to the plan."""

    mesh: Mesh | None
    devices: tuple[Device, ...]


def grid_of(mesh: GivenMesh, devices: Sequence[Device] | None) -> Grid:
    """The grid that `mesh` and `devices` tell; a mesh without devices is of all there are."""
    if isinstance(mesh, jax.sharding.Mesh):
        return _grid_of_jax_mesh(mesh, devices)
    grid = Grid(
        mesh=Mesh.parse(mesh) if isinstance(mesh, str) else mesh,
        devices=tuple(jax.devices() if devices is None else devices),
    )
    if grid.mesh and grid.mesh.devices != len(grid.devices):
        raise errors.DeviceCountError(str(grid.mesh), grid.mesh.devices, len(grid.devices))
    return grid


def _grid_of_jax_mesh(mesh: jax.sharding.Mesh, devices: Sequence[Device] | None) -> Grid:
    for kind in (AxisType.Explicit, AxisType.Manual):
        axes = [
            name for name, own in zip(mesh.axis_names, mesh.axis_types, strict=True) if own == kind
        ]
        if axes:
            raise errors.ExplicitMeshError(tuple(map(str, axes)), kind.name)
    own_devices: Any = tuple(mesh.devices.flat)
    if devices is not None and tuple(devices) != own_devices:
        raise errors.TwoDeviceListsError(_told(own_devices), _told(devices))
    sizes: Any = mesh.shape
    return Grid(Mesh(tuple((str(name), size) for name, size in sizes.items())), own_devices)


def _told(devices: Sequence[Device]) -> str:
    """`cpu devices 0, 1, 2`."""
    platforms = sorted({one.platform for one in devices})
    return f"{'/'.join(platforms)} devices {', '.join(str(one.id) for one in devices)}"

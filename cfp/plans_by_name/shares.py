"""The mesh of a named plan: how many devices each part gets, and which axes.

data x megatron on 8 devices              data:4 x megatron:2, an axis for each part
data x megatron on a:2 x b:2 x c:2        data takes a and b, megatron c
"""

from dataclasses import dataclass, replace
from math import prod

from cfp.errors import UnfitDegreesError
from cfp.ir.mesh import Mesh
from cfp.ir.plan_name import Part, PlanName


@dataclass(frozen=True, slots=True)
class Shares:
    """A mesh, a name with all its degrees, and for each part the numbers of its axes."""

    name: PlanName
    mesh: Mesh
    axes: tuple[tuple[int, ...], ...]


def shares_of(name: PlanName, mesh: Mesh | None, devices: int) -> Shares:
    """Without a mesh each part gets one axis, of its kind's name."""
    if mesh is None:
        full = with_degrees(name, devices, f"{devices} devices")
        axes = tuple((part.kind, part.degree) for part in full.parts)
        return Shares(full, Mesh(axes), tuple((number,) for number in range(len(axes))))
    place = f"the mesh {mesh}, {mesh.devices} devices"
    if len(mesh.axes) == len(name.parts):
        name = _with_sizes(name, mesh)
    full = with_degrees(name, mesh.devices, place)
    return Shares(full, mesh, _consecutive(full, mesh, place))


def with_degrees(name: PlanName, devices: int, place: str) -> PlanName:
    """The degrees that the name leaves out are as equal as can be, the larger first."""
    given = prod(part.degree for part in name.parts if part.degree)
    missing = sum(not part.degree for part in name.parts)
    if devices % given or (not missing and given != devices):
        raise UnfitDegreesError(str(name), given, place)
    shares = iter(equal_factors(devices // given, missing))
    parts = (part if part.degree else Part(part.kind, next(shares)) for part in name.parts)
    return replace(name, parts=tuple(parts))


def equal_factors(number: int, count: int) -> tuple[int, ...]:
    """`number` as a product of so many factors, as equal as can be, the larger first."""
    if not count:
        return ()
    first = next(one for one in range(1, number + 1) if number % one == 0 and one**count >= number)
    return tuple(sorted((first, *equal_factors(number // first, count - 1)), reverse=True))


def _with_sizes(name: PlanName, mesh: Mesh) -> PlanName:
    """A part whose degree is left out takes the size of the axis in its place."""
    pairs = zip(name.parts, mesh.sizes, strict=True)
    parts = tuple(Part(part.kind, part.degree or size) for part, size in pairs)
    return replace(name, parts=parts)


def _consecutive(name: PlanName, mesh: Mesh, place: str) -> tuple[tuple[int, ...], ...]:
    """The axes of each part: the next ones, until their sizes make its degree."""
    taken: list[tuple[int, ...]] = []
    end = 0
    for part in name.parts:
        start = end
        end = min(start + 1, len(mesh.axes))
        while end < len(mesh.axes) and prod(mesh.sizes[start:end]) < part.degree:
            end += 1
        taken.append(tuple(range(start, end)))
    found = tuple(mesh.size(*(mesh.names[axis] for axis in axes)) for axes in taken)
    if end < len(mesh.axes) or found != tuple(part.degree for part in name.parts):
        raise UnfitDegreesError(str(name), prod(part.degree for part in name.parts), place)
    return tuple(taken)

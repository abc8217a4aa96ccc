"""Which devices talk to each other: the groups of a collective, in every form that XLA prints.

    {{0,1},{2,3}}                              the groups themselves; {} is all devices in one
    [2,4]<=[4,2]T(1,0)                         0 to 7 as a 4 x 2 grid, transposed, in 2 rows
    mesh['x'=4,'y'=2] {'y'}                    along y of a grid whose axes XLA names itself
    mesh['x'=8] {'x':(2)2}                     along the middle part of x = 2 x 2 x 2
    mesh['x'=4], device_ids=([2,2]T(1,0)) …    a grid that lists its devices in another order
    source_target_pairs={{0,1},{1,0}}          of a permute: each pair is a group

Devices are numbered in the order of the step's mesh. What matters to a plan are the mesh's axes:
`spanned_axes` says along which of them the devices of a group differ.
"""

import re
from itertools import product
from math import prod

from cfp.ir.mesh import Mesh

_LISTED = re.compile(r"(?:replica_groups|source_target_pairs)=\{((?:\{[\d,]*\},?)*)\}")
_IOTA = re.compile(r"replica_groups=\[([\d,]+)\]<=\[([\d,]+)\](?:T\(([\d,]+)\))?")
_MESH = re.compile(r"replica_groups=mesh\[([^\]]*)\](?:, device_ids=\((.*?)\))? \{([^}]*)\}")
_GRID = re.compile(r"\[([\d,]+)\](?:T\(([\d,]+)\))?")
_MESH_AXIS = re.compile(r"'?(\w+)'?=(\d+)")
_GROUP_AXIS = re.compile(r"'?(\w+)'?(?::\((\d+)\)(\d+))?")

Groups = tuple[tuple[int, ...], ...]


def read_groups(attributes: str, devices: int) -> Groups:
    """The groups that an instruction's attributes name, each a tuple of device numbers."""
    if mesh := _MESH.search(attributes):
        return _mesh_groups(mesh[1], mesh[2] or "", mesh[3])
    if iota := _IOTA.search(attributes):
        return _rows(_grid_ids(iota[2], iota[3]), _numbers(iota[1])[-1])
    listed = _LISTED.search(attributes)
    groups = re.findall(r"\{([\d,]+)\}", listed[1]) if listed else []
    return tuple(map(_numbers, groups)) or (tuple(range(devices)),)


def spanned_axes(groups: Groups, mesh: Mesh) -> tuple[str, ...]:
    """The axes of the mesh along which devices of one group differ, in the mesh's order."""
    places = list(product(*(range(size) for size in mesh.sizes)))
    return tuple(
        name
        for index, name in enumerate(mesh.names)
        if any(len({places[device][index] for device in group}) > 1 for group in groups)
    )


def _mesh_groups(axes: str, device_ids: str, along: str) -> Groups:
    """The groups along some axes, or parts of axes, of a named grid."""
    wanted = [(name, int(pre or 1), size) for name, pre, size in _GROUP_AXIS.findall(along)]
    sizes: list[int] = []
    chosen: list[int] = []
    for name, text in _MESH_AXIS.findall(axes):
        size = int(text)
        parts = sorted((pre, int(part or size)) for axis, pre, part in wanted if axis == name)
        for piece, is_wanted in _pieces(size, parts):
            chosen += [len(sizes)] if is_wanted else []
            sizes.append(piece)
    others = [one for one in range(len(sizes)) if one not in chosen]
    places = _transposed(tuple(sizes), (*others, *chosen))
    ids = _device_order(device_ids) or tuple(range(len(places)))
    return _rows(tuple(ids[place] for place in places), prod(sizes[one] for one in chosen))


def _pieces(size: int, parts: list[tuple[int, int]]) -> list[tuple[int, bool]]:
    """An axis as parts and what lies between: 8 with (2, 2) is 2, 2 (wanted), 2."""
    pieces: list[tuple[int, bool]] = []
    before = 1
    for pre, part in parts:
        pieces += [(pre // before, False), (part, True)]
        before = pre * part
    return [*pieces, (size // before, False)]


def _device_order(text: str) -> tuple[int, ...]:
    """The devices of a grid as listed, `[2,2]T(1,0)` or `3,1,2,0`; () for the usual order."""
    grid = _GRID.match(text)
    return _grid_ids(grid[1], grid[2]) if grid else _numbers(text)


def _grid_ids(sizes: str, order: str | None) -> tuple[int, ...]:
    """`[4,2]T(1,0)`: 0, 1, 2, … as a grid, read with its dimensions in another order."""
    grid = _numbers(sizes)
    return _transposed(grid, _numbers(order or "") or tuple(range(len(grid))))


def _transposed(grid: tuple[int, ...], order: tuple[int, ...]) -> tuple[int, ...]:
    strides = [prod(grid[dim + 1 :]) for dim in range(len(grid))]
    places = product(*(range(grid[dim]) for dim in order))
    return tuple(
        sum(place * strides[dim] for place, dim in zip(one, order, strict=True)) for one in places
    )


def _rows(ids: tuple[int, ...], width: int) -> Groups:
    return tuple(ids[start : start + width] for start in range(0, len(ids), width))


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(one) for one in text.split(",") if one)

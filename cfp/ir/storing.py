"""How an argument may be stored, which need not be how it is used.

W [64,256] used cut at dim 1 by `model`, on data:4 x model:2:

    stored_as_used(used, (64, 256), mesh)               as used
    stored_further(used, (64, 256), mesh, ("data",))    dim 0 by data, gathered at use, 1 by model
    stored_further((), (6,), mesh, ("data",))           None: 4 does not divide 6

Parameters stored so are FSDP; optimizer state alone, which is never used elsewhere, is ZeRO-1.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from typing import TYPE_CHECKING

from cfp.ir.layout import AxisCut, Cuts, partition
from cfp.ir.shape import dims

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from cfp.ir.analysis import Analysis
    from cfp.ir.mesh import Mesh


def stored_as_used(
    used: Cuts, shape: Sequence[int], mesh: Mesh, looped: Collection[int] = ()
) -> Cuts:
    """`used` as far as a sharding can say it, and the dimensions are there and divide.

    It cannot say a cut inside equal parts. That is made along another dimension, from where it is
    an exchange away: made in a row along its own, all would have to be gathered. (A PRNG key has
    one dimension less than its words, which are what is used.)
    """
    inside = [cut for cut in used if cut.outer > 1]
    sayable = tuple(cut for cut in used if cut.outer == 1 and cut.dim < len(shape))
    by_dim = partition(sayable, len(shape))
    plain = tuple(cut for cut in sayable if shape[cut.dim] % mesh.size(*by_dim[cut.dim]) == 0)
    if not inside:
        return plain
    axes, dims_inside = [cut.axis for cut in inside], [cut.dim for cut in inside]
    elsewhere = stored_further(plain, shape, mesh, axes, (*looped, *dims_inside))
    return plain if elsewhere is None else elsewhere


def in_a_row(used: Cuts) -> Cuts:
    """The same dimensions cut from end to end, not inside parts."""
    return tuple(replace(cut, outer=1) for cut in used)


def stored_further(
    used: Cuts,
    shape: Sequence[int],
    mesh: Mesh,
    axes: Sequence[str],
    looped: Collection[int] = (),
) -> Cuts | None:
    """`used`, and `axes` on the largest dimension that they divide and that is whole in use.

    None where there is no such dimension, or use has one of the axes already. A loop takes one
    slice after the other of the `looped` dimensions, so these are not cut.
    """
    taken = {cut.dim for cut in used} | set(looped)
    parts = mesh.size(*axes)
    free = [
        dim for dim, size in enumerate(shape) if dim not in taken and size and size % parts == 0
    ]
    if not free or {cut.axis for cut in used}.intersection(axes):
        return None
    largest = max(free, key=lambda dim: (shape[dim], -dim))
    cuts = [*used, *(AxisCut(axis, largest) for axis in axes)]
    return tuple(sorted(cuts, key=lambda cut: mesh.names.index(cut.axis)))


def ways_to_store(shape: Sequence[int], mesh: Mesh, looped: Collection[int]) -> Iterator[Cuts]:
    """Yields how an argument that is whole in use may be stored: whole, then by ever more axes."""
    names = [name for name, size in mesh.axes if size > 1]
    for count in range(len(names) + 1):
        for axes in combinations(names, count):
            cuts = stored_further((), shape, mesh, axes, looped) if axes else ()
            if cuts is not None:
                yield cuts


def looped_dims(analysis: Analysis) -> dict[int, tuple[int, ...]]:
    """By op, the dimensions that a loop takes slice after slice, where there are any."""
    found: dict[int, set[int]] = {}
    for op in analysis.ops:
        if op.opcode != "dynamic-slice" or not op.region:
            continue
        whole, part = dims(analysis.ops[op.operands[0]].shape), dims(op.shape)
        sliced = {number for number, size in enumerate(whole) if part[number] < size}
        found.setdefault(op.operands[0], set()).update(sliced)
    return {op: tuple(sorted(sliced)) for op, sliced in found.items()}

"""What must hold in a StrategySpace, as a generator of what does not: the first is the error.

list(contradictions(space))    ["block 2 has (0, 3) twice"]
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from cfp.ir.layout import partition

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cfp.ir.mesh import Mesh
    from cfp.ir.space import ArgumentSpace, BlockSpace, StrategySpace

WITH_PARAMETER = ("parameter", "optimizer")
WITHOUT_PARAMETER = ("data", "other")


def contradictions(space: StrategySpace) -> Iterator[str]:
    """Yields every fact that contradicts the list in `StrategySpace.verify`, in that order."""
    for block, count in Counter(one.block for one in space.blocks).items():
        if count > 1:
            yield f"block {block} has {count} spaces"
    for one in space.blocks:
        yield from _in_choices(one, len(space.mesh.axes))
        yield from _in_options(one)
    symmetric = [
        one.block
        for one in space.blocks
        if any(removal.kind == "symmetric" for removal in one.removed)
    ]
    if len(symmetric) > 1:
        yield f"blocks {symmetric[0]} and {symmetric[1]} both have symmetric removals"
    for one in space.arguments:
        yield from _in_argument(one, space.mesh)


def _in_choices(one: BlockSpace, axes: int) -> Iterator[str]:
    options = [option.strategies for option in one.options]
    removed = [choice for removal in one.removed for choice in removal.choices]
    for choice, count in Counter([*options, *removed]).items():
        if count > 1:
            yield f"block {one.block} has {choice} twice"
        if len(choice) != axes:
            yield f"block {one.block} has {choice}, on a mesh of {axes} axes"
        if not all(-1 <= strategy < len(one.strategies) for strategy in choice):
            yield f"block {one.block} has {choice}, and {len(one.strategies)} strategies"
    expected = (len(one.strategies) + 1) ** axes
    if len(options) + len(removed) != expected:
        yield f"block {one.block} has {len(options) + len(removed)} of {expected} choices"


def _in_options(one: BlockSpace) -> Iterator[str]:
    for option in one.options:
        where = f"{option.strategies} of block {one.block}"
        if not 0 < option.flops_share <= 1 + 1e-9:
            yield f"{where} has {option.flops_share} of the FLOPs on one device"
        if option.communication_bytes < 0:
            yield f"{where} communicates {option.communication_bytes} bytes"
        cuts_nothing = not any(strategy >= 0 for strategy in option.strategies)
        if cuts_nothing and (option.communication_bytes or option.flops_share < 1):
            yield f"{where} cuts nothing, yet communicates or divides FLOPs"


def _in_argument(one: ArgumentSpace, mesh: Mesh) -> Iterator[str]:
    if one.role not in (WITH_PARAMETER if one.parameter else WITHOUT_PARAMETER):
        yield f"{one.argument} has the role {one.role!r} and the parameter {one.parameter!r}"
    if not one.ways or one.ways[0]:
        yield f"{one.argument} cannot be stored as used"
    for cuts in one.ways:
        axes = [cut.axis for cut in cuts]
        if axes != [name for name in mesh.names if name in axes]:
            yield f"{one.argument} is cut by {', '.join(axes)}: each once, in the order of the mesh"
            return
        for cut in cuts:
            if not 0 <= cut.dim < len(one.shape) or cut.dim in one.looped:
                yield f"{one.argument} is cut at dim {cut.dim}, which it has not or a loop slices"
                return
        for dim, cutters in enumerate(partition(cuts, len(one.shape))):
            if one.shape[dim] % mesh.size(*cutters):
                parts = f"{mesh.size(*cutters)} equal parts"
                yield f"{one.argument} has {one.shape[dim]} at dim {dim}, not {parts}"

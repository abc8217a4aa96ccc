"""The collectives of a compiled program, each with the mesh axes that it runs along.

    %all-reduce.3 = (f32[64,128], f32[128]) all-reduce(…), replica_groups=[2,4]<=[4,2]T(1,0)
    in the body of a loop of 5 trips, on data:4 x model:2

is two collectives along data, of 8192 and of 128 numbers, 5 times each: XLA combines several into
one instruction, and how many it combines says nothing. An asynchronous one counts when it is done.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from cfp.formats.replica_groups import read_groups, spanned_axes
from cfp.ir.compiled import Array, CompiledProgram, Instruction
from cfp.ir.mesh import Mesh

_KINDS = ("all-reduce", "all-gather", "reduce-scatter", "all-to-all", "collective-permute")
_OTHER_NAMES = {"ragged-all-to-all": "all-to-all", "collective-broadcast": "collective-permute"}
_WHOLE_TUPLE = "all-to-all"  # its tuple is one value in pieces, a piece per device


@dataclass(frozen=True, slots=True)
class FoundCollective:
    """`times` times in one step, of so many numbers; dtype is what is sent.

    Sizes are of what one device holds, of the larger side: before a reduce-scatter, after a gather.
    """

    kind: str
    axes: tuple[str, ...]
    dtype: str
    elements: int
    size_bytes: int
    times: int
    instruction: Instruction


def found_collectives(program: CompiledProgram, mesh: Mesh) -> Iterator[FoundCollective]:
    """Every collective between two or more devices."""
    for computation in program.computations:
        starts = {one.name: one for one in computation.instructions}
        for one in computation.instructions if program.times[computation.name] else ():
            kind = _kind(one.opcode)
            if not kind:
                continue
            origin = starts[one.operands[0]] if one.opcode.endswith("-done") else one
            groups = read_groups(origin.attributes, mesh.devices)
            if (axes := spanned_axes(groups, mesh)) and one.size_bytes:
                scale = len(groups[0]) if kind == "reduce-scatter" else 1
                times = program.times[computation.name]
                for dtype, elements, size in _values(kind, one.arrays):
                    yield FoundCollective(
                        kind, axes, dtype, elements * scale, size * scale, times, origin
                    )


def _kind(opcode: str) -> str:
    """The kind of a collective; nothing for other ops and for the start of an asynchronous one."""
    name = opcode.removesuffix("-done")
    name = _OTHER_NAMES.get(name, name)
    return name if name in _KINDS else ""


def _values(kind: str, arrays: tuple[Array, ...]) -> Iterator[tuple[str, int, int]]:
    """The type, numbers and bytes of each value that is sent."""
    if kind == _WHOLE_TUPLE:
        sizes = sum(one.size_bytes for one in arrays)
        yield arrays[0].dtype, sum(one.elements for one in arrays), sizes
    else:
        yield from ((one.dtype, one.elements, one.size_bytes) for one in arrays)

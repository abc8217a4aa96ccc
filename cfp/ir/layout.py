"""What a plan means for every value of the step: the consequences of its few decisions.

Under `data` on 4 and `megatron` on 2 devices, of one feed-forward pair h = gelu(x·W1), y = h·W2:

    value         cuts                                     on one of 8 devices
    x [16,64]     data: dim 0                              [4,64]
    W1 [64,256]   megatron: dim 1                          [64,128]
    h [16,256]    data: dim 0, megatron: dim 1             [4,128]
    y [16,64]     data: dim 0, an all-reduce on megatron   [4,64]

A layout is made by `lay_out` and read by `shard_step`, which pins it, and by `verify_step`, which
compares it with what the compiler made. An op's id is its position in `Analysis.ops`.
"""

from dataclasses import dataclass
from itertools import chain

from cfp.errors import InconsistentError
from cfp.ir import transfers_text
from cfp.ir.mesh import Mesh


@dataclass(frozen=True, slots=True)
class AxisCut:
    """One mesh axis cuts dimension `dim`, inside each of its `outer` equal major parts.

    outer is 1 except inside fused projections: a weight [64, 3*256] that is sliced into three is
    cut inside each third.
    """

    axis: str
    dim: int
    outer: int = 1


Cuts = tuple[AxisCut, ...]  # in the order of the mesh's axes; () is whole on every device


def partition(cuts: Cuts, rank: int) -> tuple[tuple[str, ...], ...]:
    """The axes that cut each dimension: what a PartitionSpec says."""
    return tuple(tuple(cut.axis for cut in cuts if cut.dim == dim) for dim in range(rank))


def local_shape(shape: tuple[int, ...], cuts: Cuts, mesh: Mesh) -> tuple[int, ...]:
    """The shape of the part that one device holds."""
    return tuple(
        size // mesh.size(*axes)
        for size, axes in zip(shape, partition(cuts, len(shape)), strict=True)
    )


@dataclass(frozen=True, slots=True)
class Pin:
    """How the operands and the result of one equation lie; None where nothing was decided.

    A result that is cut inside parts, and goes from there to a cut along another dimension, lies as
    `folded` says once its parts are put together.
    """

    path: str
    operands: tuple[Cuts | None, ...]
    result: Cuts | None
    folded: Cuts | None = None


@dataclass(frozen=True, slots=True)
class Transfer:
    """A collective on one axis that the plan expects, `times` times in one step.

    kind is "all-reduce", "all-gather", "reduce-scatter", "all-to-all", "gather-partials" or "halo";
    size_bytes is what one device holds of the larger side each time: of what is reduced or
    scattered before, of what is gathered after. reader is the op that needs it, -1 for the results
    of the step.
    """

    kind: str
    axis: str
    value: int
    reader: int
    times: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Layout:
    """The consequences of a plan for one step.

    values are the cuts of every op's result; arguments and results those at the step's border.
    made holds how each result lies where it is computed, before it is moved to its place.
    """

    mesh: Mesh
    values: tuple[Cuts, ...]
    arguments: tuple[Cuts, ...]
    made: tuple[Cuts, ...]
    results: tuple[Cuts, ...]
    pins: tuple[Pin, ...]
    transfers: tuple[Transfer, ...]

    def verify(self) -> None:
        """Every axis that cuts a value is one of the mesh, and cuts the value once."""
        pinned = (cuts for pin in self.pins for cuts in (*pin.operands, pin.result) if cuts)
        for cuts in chain(self.values, self.arguments, self.made, self.results, pinned):
            axes = [cut.axis for cut in cuts]
            if not set(axes) <= set(self.mesh.names) or len(set(axes)) < len(axes):
                fact = f"a value is cut by {', '.join(axes)}"
                raise InconsistentError("Layout", str(self.mesh), fact)

    def __str__(self) -> str:
        return transfers_text.transfers_text(self)

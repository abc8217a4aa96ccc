"""Convolutions cut along an image, or in groups: each axis that cuts no window is taken by hand.

    x [8,16,16,64] rows by a, w [3,3,64,32] columns by b, on a:2 x b:4

    shard_map over b: each device has 8 columns of w; of what is left, the partitioner makes
    conv(x, w) in two parts along the rows, with their neighbours'

Left to itself the partitioner of XLA adds up what devices hold twice, and the result is wrong, as
soon as an axis cuts the windows of a convolution and another one does not. (JAX 0.10.2 to 0.12.0.1,
in plain JAX as well: forward and both gradients.) Nor does it divide what has groups.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false
# JAX annotates its own functions in part; what comes from them is unknown to a strict checker.

from collections.abc import Callable, Collection, Mapping, Sequence
from math import prod
from typing import Any

import jax
from jax import lax
from jax.extend.core import JaxprEqn
from jax.sharding import Mesh, PartitionSpec

from cfp.ir.layout import Cuts, partition
from cfp.runtime.unfolded.rule import shape_of

CONVOLUTION = "conv_general_dilated"


def axes_by_hand(eqn: JaxprEqn, cuts: Mapping[int, Cuts], mesh: Mesh) -> tuple[str, ...]:
    """The axes of a convolution that cut none of its windows, where that has to be done by hand."""
    if eqn.primitive.name != CONVOLUTION:
        return ()
    grouped = eqn.params["feature_group_count"] > 1 or eqn.params["batch_group_count"] > 1
    cutting = {
        cut.axis
        for number, dims in enumerate(_window_dims(eqn))
        for cut in cuts.get(number, ())
        if cut.dim in dims
    }
    others = [axis for axis, size in mesh.shape.items() if size > 1 and axis not in cutting]
    return tuple(others) if cutting or grouped else ()


def _window_dims(eqn: JaxprEqn) -> tuple[tuple[int, ...], ...]:
    """Of both operands and the result, the dimensions along which windows move."""
    numbers = eqn.params["dimension_numbers"]
    return tuple(tuple(spec[2:]) for spec in (numbers.lhs_spec, numbers.rhs_spec, numbers.out_spec))


def convolution_by_hand(
    eqn: JaxprEqn, cuts: Mapping[int, Cuts], mesh: Mesh, axes: Sequence[str]
) -> Callable[..., Sequence[jax.Array]]:
    """The equation as a function of its operands, in which no device sees more of `axes`."""
    ranks = [len(spec) for spec in eqn.params["dimension_numbers"]]
    specs = [_spec(cuts.get(number, ()), rank, axes) for number, rank in enumerate(ranks)]
    summed = _summed(cuts, axes)

    batch = _local_batch(eqn, cuts.get(2, ()), mesh, axes)

    def convolve(left: jax.Array, right: jax.Array) -> jax.Array:
        own, other, _ = eqn.params["dimension_numbers"]
        groups = {  # fewer where an axis cuts between them
            "feature_group_count": left.shape[own[1]] // right.shape[other[1]],
            "batch_group_count": left.shape[own[0]] // batch,
        }
        result = lax.conv_general_dilated(left, right, **_arguments(eqn), **groups)
        return lax.psum(result, summed) if summed else result

    by_hand = jax.shard_map(
        convolve,
        mesh=mesh,
        in_specs=tuple(specs[:2]),
        out_specs=specs[2],
        axis_names=frozenset(axes),
    )
    return lambda *arrays: [by_hand(*arrays)]


def _spec(cuts: Cuts, rank: int, axes: Collection[str]) -> PartitionSpec:
    own = tuple(cut for cut in cuts if cut.axis in axes)
    return PartitionSpec(*(names or None for names in partition(own, rank)))


def _summed(cuts: Mapping[int, Cuts], axes: Sequence[str]) -> tuple[str, ...]:
    """The axes that cut what is summed over: both operands, and not the result."""
    left, right, result = ({cut.axis for cut in cuts.get(number, ())} for number in range(3))
    return tuple(axis for axis in axes if axis in left and axis in right and axis not in result)


def _local_batch(eqn: JaxprEqn, cuts: Cuts, mesh: Mesh, axes: Collection[str]) -> int:
    """The batch of the result, of which a device has its part."""
    dim = eqn.params["dimension_numbers"].out_spec[0]
    cutting = (cut.axis for cut in cuts if cut.dim == dim and cut.axis in axes)
    return shape_of(eqn.outvars[0])[dim] // prod(mesh.shape[axis] for axis in cutting)


def _arguments(eqn: JaxprEqn) -> dict[str, Any]:
    names = (
        "window_strides padding lhs_dilation rhs_dilation dimension_numbers precision "
        "preferred_element_type"
    )
    return {name: eqn.params[name] for name in names.split()}

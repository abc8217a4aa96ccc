"""The rules of equations that take a value into its parts, or put it together from them.

split [8,192] -> 3 x [8,64]      of [8,3,64], one index each
concatenate 3 x [8,64]           [8,1,64] three times, side by side: [8,3,64]
slice [8,64:128]                 of [8,3,64], the index 1
pad [8,64], 64 below, 64 above   [8,1,64] with one part below and one above
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false
# JAX annotates its own functions in part; what comes from them is unknown to a strict checker.

from collections.abc import Iterator, Sequence

from jax import lax
from jax.extend.core import JaxprEqn

from cfp.runtime.unfolded.form import Form, places, unfolded_shape
from cfp.runtime.unfolded.rule import Arrays, Rule, Spot, Tie, arrays_of, has_parts, shape_of


def _unchanged(eqn: JaxprEqn, arrays: Sequence[int], changed: set[int]) -> Iterator[Tie]:
    """Every other dimension is the same in these arrays."""
    for dim in range(len(shape_of(eqn.outvars[0]))):
        if dim not in changed:
            yield tuple(Spot(number, dim) for number in arrays)


# ---- split


def _split_ties(eqn: JaxprEqn) -> Iterator[Tie]:
    return _unchanged(eqn, range(len(arrays_of(eqn))), {eqn.params["axis"]})


def _split_borders(eqn: JaxprEqn, count: int) -> Iterator[Spot]:
    if len(eqn.params["sizes"]) == count and len(set(eqn.params["sizes"])) == 1:
        yield Spot(0, eqn.params["axis"])


def _split(eqn: JaxprEqn, forms: Sequence[Form], arrays: Arrays) -> Arrays:
    first, *inside = places(forms[0], (eqn.params["axis"],))
    if not inside:
        return lax.split(arrays[0], eqn.params["sizes"], first)
    parts = range(len(eqn.outvars))
    return [lax.index_in_dim(arrays[0], part, first, keepdims=False) for part in parts]


# ---- slice


def _cut_off(eqn: JaxprEqn) -> set[int]:
    """The dimensions of which not all is taken."""
    given, taken = shape_of(eqn.invars[0]), shape_of(eqn.outvars[0])
    return {dim for dim, size in enumerate(given) if size != taken[dim]}


def _slice_ties(eqn: JaxprEqn) -> Iterator[Tie]:
    return _unchanged(eqn, (0, 1), _cut_off(eqn))


def _slice_borders(eqn: JaxprEqn, count: int) -> Iterator[Spot]:
    """Where one whole part is taken."""
    for dim in _cut_off(eqn):
        start, limit = eqn.params["start_indices"][dim], eqn.params["limit_indices"][dim]
        given = shape_of(eqn.invars[0])[dim]
        part = given // count
        if has_parts(given, count) and (limit - start, start % part) == (part, 0):
            yield Spot(0, dim)


def _slice(eqn: JaxprEqn, forms: Sequence[Form], arrays: Arrays) -> Arrays:
    given = shape_of(eqn.invars[0])
    starts, limits = list(eqn.params["start_indices"]), list(eqn.params["limit_indices"])
    strides = list(eqn.params["strides"] or [1] * len(given))
    for dim, count in reversed(forms[0]):
        part = given[dim] // count
        starts[dim : dim + 1] = [starts[dim] // part, 0]
        limits[dim : dim + 1] = [limits[dim] // part, part]
        strides[dim : dim + 1] = [1, 1]
    taken = lax.slice(arrays[0], starts, limits, strides)
    return [lax.reshape(taken, unfolded_shape(shape_of(eqn.outvars[0]), forms[-1]))]


# ---- concatenate


def _concatenate_ties(eqn: JaxprEqn) -> Iterator[Tie]:
    return _unchanged(eqn, range(len(arrays_of(eqn))), {eqn.params["dimension"]})


def _concatenate_borders(eqn: JaxprEqn, count: int) -> Iterator[Spot]:
    dim = eqn.params["dimension"]
    if len(eqn.invars) == count and len({shape_of(one)[dim] for one in eqn.invars}) == 1:
        yield Spot(count, dim)


def _concatenate(eqn: JaxprEqn, forms: Sequence[Form], arrays: Arrays) -> Arrays:
    first, *inside = places(forms[-1], (eqn.params["dimension"],))
    if inside:
        arrays = [lax.expand_dims(one, (first,)) for one in arrays]
    return [lax.concatenate(arrays, first)]


# ---- pad


def _padded(eqn: JaxprEqn) -> set[int]:
    return {dim for dim, added in enumerate(eqn.params["padding_config"]) if any(added)}


def _pad_ties(eqn: JaxprEqn) -> Iterator[Tie]:
    return _unchanged(eqn, (0, 2), _padded(eqn))


def _pad_borders(eqn: JaxprEqn, count: int) -> Iterator[Spot]:
    """Where the operand becomes one whole part."""
    for dim in _padded(eqn):
        below, above, between = eqn.params["padding_config"][dim]
        part = shape_of(eqn.invars[0])[dim]
        if below + part + above == count * part and below % part == between == 0 and below >= 0:
            yield Spot(2, dim)


def _pad(eqn: JaxprEqn, forms: Sequence[Form], arrays: Arrays) -> Arrays:
    operand, value = arrays
    config = list(eqn.params["padding_config"])
    for dim, _ in reversed(forms[-1]):
        below, above, _ = config[dim]
        part = shape_of(eqn.invars[0])[dim] if below or above else 1
        config[dim : dim + 1] = [(below // part, above // part, 0), (0, 0, 0)]
    begun = [dim for dim, _ in forms[-1] if dim in _padded(eqn)]
    operand = lax.expand_dims(operand, [places(forms[-1], (dim,))[0] for dim in begun])
    return [lax.pad(operand, value, config)]


SPLIT = Rule(_split_ties, _split_borders, _split)
SLICE = Rule(_slice_ties, _slice_borders, _slice)
CONCATENATE = Rule(_concatenate_ties, _concatenate_borders, _concatenate)
PAD = Rule(_pad_ties, _pad_borders, _pad)

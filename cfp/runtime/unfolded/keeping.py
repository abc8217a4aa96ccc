"""The rules of equations that keep elements together: each result is where its operands are.

add [8,3,64] [1,3,64]           h [8,192] plus a bias [1,192], both in 3 parts
dot_general [8,64] [64,3,64]    x times a fused weight: the free dimension is two
reshape [8,3,64]                h [8,192] to [8,3,64]: what it is already
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false
# JAX annotates its own functions in part; what comes from them is unknown to a strict checker.

from collections.abc import Iterator, Sequence
from math import prod

from jax import lax
from jax.extend.core import JaxprEqn

from cfp.runtime.unfolded.form import Form, places, unfolded_shape
from cfp.runtime.unfolded.rule import (
    Arrays,
    Rule,
    Spot,
    Tie,
    arrays_of,
    has_parts,
    no_borders,
    shape_of,
)

# ---- one element of each operand for one of the result


def _elementwise_ties(eqn: JaxprEqn) -> Iterator[Tie]:
    """Scalars go with all dimensions."""
    ranked = [number for number, one in enumerate(arrays_of(eqn)) if shape_of(one)]
    for dim in range(len(shape_of(eqn.outvars[0]))):
        yield tuple(Spot(number, dim) for number in ranked)


def _same(eqn: JaxprEqn, forms: Sequence[Form], arrays: Arrays) -> Arrays:
    del forms
    return [eqn.primitive.bind(*arrays, **eqn.params)]


# ---- dimensions in another order, or fewer


def _transpose_ties(eqn: JaxprEqn) -> Iterator[Tie]:
    for to, origin in enumerate(eqn.params["permutation"]):
        yield Spot(0, origin), Spot(1, to)


def _transpose(eqn: JaxprEqn, forms: Sequence[Form], arrays: Arrays) -> Arrays:
    return [lax.transpose(arrays[0], places(forms[0], eqn.params["permutation"]))]


def _reduce_ties(eqn: JaxprEqn) -> Iterator[Tie]:
    kept = [dim for dim in range(len(shape_of(eqn.invars[0]))) if dim not in eqn.params["axes"]]
    for to, origin in enumerate(kept):
        yield Spot(0, origin), Spot(1, to)


def _reduce_borders(eqn: JaxprEqn, count: int) -> Iterator[Spot]:
    """A sum over other dimensions is taken of the parts; what is left is small enough to fold."""
    for spot, _ in _reduce_ties(eqn):
        if has_parts(shape_of(eqn.invars[0])[spot.dim], count):
            yield spot


def _reduce(eqn: JaxprEqn, forms: Sequence[Form], arrays: Arrays) -> Arrays:
    params = {**eqn.params, "axes": places(forms[0], eqn.params["axes"])}
    return [eqn.primitive.bind(*arrays, **params)]


# ---- products


def _product_ties(eqn: JaxprEqn) -> Iterator[Tie]:
    contracted, batch = eqn.params["dimension_numbers"]
    result = 0
    for left, right in zip(*batch, strict=True):
        yield Spot(0, left), Spot(1, right), Spot(2, result)
        result += 1
    for side in (0, 1):
        for dim in range(len(shape_of(eqn.invars[side]))):
            if dim not in (*contracted[side], *batch[side]):
                yield Spot(side, dim), Spot(2, result)
                result += 1
    for left, right in zip(*contracted, strict=True):
        yield Spot(0, left), Spot(1, right)


def _product(eqn: JaxprEqn, forms: Sequence[Form], arrays: Arrays) -> Arrays:
    numbers = tuple(
        tuple(places(form, tuple(dims)) for form, dims in zip(forms, pair, strict=False))
        for pair in eqn.params["dimension_numbers"]
    )
    return [eqn.primitive.bind(*arrays, **{**eqn.params, "dimension_numbers": numbers})]


# ---- other shapes for the same elements


def _groups(eqn: JaxprEqn) -> Iterator[tuple[list[int], list[int]]]:
    """The least runs of dimensions before and after that hold the same elements; size 1 in none."""
    before, after = shape_of(eqn.invars[0]), shape_of(eqn.outvars[0])
    left = [dim for dim, size in enumerate(before) if size != 1]
    right = [dim for dim, size in enumerate(after) if size != 1]
    while left and right:
        old, new = [left.pop(0)], [right.pop(0)]
        while (a := prod(before[dim] for dim in old)) != (b := prod(after[dim] for dim in new)):
            (old if a < b else new).append((left if a < b else right).pop(0))
        yield old, new


def _reshape_ties(eqn: JaxprEqn) -> Iterator[Tie]:
    """The major one of each run has the parts, if it has as many."""
    for old, new in _groups(eqn):
        yield Spot(0, old[0]), Spot(1, new[0])


def _reshape_borders(eqn: JaxprEqn, count: int) -> Iterator[Spot]:
    for old, new in _groups(eqn):
        if len(old) == 1 and shape_of(eqn.outvars[0])[new[0]] == count:
            yield Spot(0, old[0])
        if len(new) == 1 and shape_of(eqn.invars[0])[old[0]] == count:
            yield Spot(1, new[0])


def _reshape(eqn: JaxprEqn, forms: Sequence[Form], arrays: Arrays) -> Arrays:
    return [lax.reshape(arrays[0], unfolded_shape(shape_of(eqn.outvars[0]), forms[1]))]


ELEMENTWISE = Rule(_elementwise_ties, no_borders, _same)
TRANSPOSE = Rule(_transpose_ties, no_borders, _transpose)
REDUCE = Rule(_reduce_ties, _reduce_borders, _reduce)
PRODUCT = Rule(_product_ties, no_borders, _product)
RESHAPE = Rule(_reshape_ties, _reshape_borders, _reshape)

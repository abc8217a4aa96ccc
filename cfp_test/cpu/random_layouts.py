"""Layouts made by chance: what every product of a step can be asked to do.

strategy of %dot [16,32] = [16,64] · [64,32]       a: first, b: contracted, c: second
  operands     [16/a, 64/b]   [64/b, 32/c]
  result       [16/a, 32/c]                        partial sums over b are added up
"""

from random import Random

from jax.extend.core import jaxprs_in_params

from cfp import _jax
from cfp.ir.layout import AxisCut, Layout, Pin
from cfp.ir.mesh import Mesh

MESH = Mesh.parse("a:2 x b:2 x c:2")


def random_layout(step, choose, seed):
    """A layout with the pins of `choose`, and the arrays at the border cut anywhere."""
    random = Random(seed)
    pins = tuple(choose(random, eqn) for eqn in products(step.jaxpr.jaxpr))
    arguments = tuple(random_cuts(random, one.shape) for one in step.arguments)
    made = tuple(random_cuts(random, one.shape) for one in step.results)
    results = tuple(random_cuts(random, one.shape) for one in step.results)
    return Layout(MESH, (), arguments, made, results, pins, ())


def products(jaxpr):
    """Every dot_general, however deep."""
    for eqn in jaxpr.eqns:
        if eqn.primitive.name == "dot_general":
            yield eqn
        for nested in jaxprs_in_params(eqn.params):
            yield from products(nested)


def random_cuts(random, shape):
    """Each axis on a dimension that it divides, or on none."""
    left, cuts = list(shape), []
    for axis, size in MESH.axes:
        dim = random.choice([None, *range(len(shape))])
        if dim is not None and left[dim] % size == 0:
            left[dim] //= size
            cuts.append(AxisCut(axis, dim))
    return tuple(cuts)


def any_cuts(random, eqn):
    """Operands and result cut as chance will have it, whether or not they fit each other."""
    operands = tuple(random_cuts(random, atom.aval.shape) for atom in eqn.invars)
    return Pin(_jax.path_of(eqn), operands, random_cuts(random, eqn.outvars[0].aval.shape))


def strategy(random, eqn):
    """Each axis on one factor of the product or on none, and all three arrays cut to match."""
    factors = list(product_factors(eqn))
    left = {factor: size for factor, size in factors}
    cuts = ([], [], [])
    for axis, size in MESH.axes:
        factor = random.choice([None, *left])
        if factor is not None and left[factor] % size == 0:
            left[factor] //= size
            for array, dim in zip(cuts, factor, strict=True):
                if dim is not None:
                    array.append(AxisCut(axis, dim))
    return Pin(_jax.path_of(eqn), (tuple(cuts[0]), tuple(cuts[1])), tuple(cuts[2]))


def product_factors(eqn):
    """Each factor as its dimensions in the operands and the result, None where it is not."""
    lhs, rhs = (atom.aval.shape for atom in eqn.invars)
    contracted, batch = eqn.params["dimension_numbers"]
    result = 0
    for left, right in zip(*batch, strict=True):
        yield (left, right, result), lhs[left]
        result += 1
    for dim, size in enumerate(lhs):
        if dim not in (*contracted[0], *batch[0]):
            yield (dim, None, result), size
            result += 1
    for dim, size in enumerate(rhs):
        if dim not in (*contracted[1], *batch[1]):
            yield (None, dim, result), size
            result += 1
    for left, right in zip(*contracted, strict=True):
        yield (left, right, None), lhs[left]

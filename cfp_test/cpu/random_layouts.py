"""Layouts made by chance: what every product of a step can be asked to do.

    [16,32] = [16,64] · [64,32]       a: first, b: contracted, c: second
      operands     [16/a, 64/b]   [64/b, 32/c]
      result       [16/a, 32/c]   sums over b, added up

An axis is on one factor of a product. Of pins that cut two factors with one axis the partitioner
makes wrong numbers now and then: three of 400 on a mesh of 2 x 2 x 2, with no code of cfp in play.
"""

from random import Random

from jax.extend.core import jaxprs_in_params

from cfp import _jax
from cfp.ir.layout import AxisCut, Layout, Pin, local_shape
from cfp.ir.mesh import Mesh

MESH = Mesh.parse("a:2 x b:2 x c:2")


def random_layout(step, seed):
    """A layout with a strategy for every product, and the arrays at the border cut anywhere."""
    random = Random(seed)
    pins = tuple(strategy(random, eqn, factors(eqn)) for eqn in products(step.jaxpr.jaxpr))
    arguments = tuple(anywhere(random, one.shape) for one in step.arguments)
    made = tuple(anywhere(random, one.shape) for one in step.results)
    results = tuple(anywhere(random, one.shape) for one in step.results)
    return Layout(MESH, (), arguments, made, results, pins, ())


def products(jaxpr):
    """Every dot_general, however deep."""
    return equations(jaxpr, "dot_general")


def equations(jaxpr, name):
    """Every equation of a primitive, however deep."""
    for eqn in jaxpr.eqns:
        if eqn.primitive.name == name:
            yield eqn
        for nested in jaxprs_in_params(eqn.params):
            yield from equations(nested, name)


def anywhere(random, shape):
    """Each axis on a dimension that it divides, or on none."""
    cuts = []
    for axis, _ in MESH.axes:
        dim = random.choice([None, *range(len(shape))])
        if dim is not None and divides(axis, shape, cuts, dim):
            cuts.append(AxisCut(axis, dim))
    return tuple(cuts)


def divides(axis, shape, cuts, dim):
    pieces = MESH.size(axis, *(cut.axis for cut in cuts if cut.dim == dim))
    return shape[dim] % pieces == 0


def strategy(random, eqn, ways):
    """Each axis on one of the factors, `ways`, or on none, and all three arrays cut to match."""
    shapes = [atom.aval.shape for atom in (*eqn.invars, *eqn.outvars)]
    ways = [(None, None, None), *ways]
    cuts = [], [], []
    for axis, _ in MESH.axes:
        factor = random.choice(ways)
        places = [one for one in zip(shapes, cuts, factor, strict=True) if one[2] is not None]
        if all(divides(axis, *one) for one in places):
            for _, own, dim in places:
                own.append(AxisCut(axis, dim))
    return Pin(_jax.path_of(eqn), (tuple(cuts[0]), tuple(cuts[1])), tuple(cuts[2]))


def factors(eqn):
    """Each factor as its dimensions in the operands and the result, None where it is not."""
    contracted, batch = eqn.params["dimension_numbers"]
    ranks = [len(atom.aval.shape) for atom in eqn.invars]
    free = [
        [dim for dim in range(rank) if dim not in (*contracted[side], *batch[side])]
        for side, rank in enumerate(ranks)
    ]
    for result, (left, right) in enumerate(zip(*batch, strict=True)):
        yield left, right, result
    for result, dim in enumerate(free[0], len(batch[0])):
        yield dim, None, result
    for result, dim in enumerate(free[1], len(batch[0]) + len(free[0])):
        yield None, dim, result
    for left, right in zip(*contracted, strict=True):
        yield left, right, None


def local_product(eqn, pin):
    """The shapes of operands and result on one device."""
    shapes = [atom.aval.shape for atom in (*eqn.invars, *eqn.outvars)]
    return tuple(
        local_shape(shape, cuts, MESH)
        for shape, cuts in zip(shapes, (*pin.operands, pin.result), strict=True)
    )

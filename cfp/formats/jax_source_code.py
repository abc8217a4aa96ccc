"""The code in every exported plan: it puts the constraints of the tables into a step's jaxpr.

    c = dot_general a b             equation 3, for which CONSTRAINTS has (DATA_0, WHOLE), DATA_0

    d = sharding_constraint a
    e = sharding_constraint b
    f = dot_general d e
    c = sharding_constraint f

It is text here and no module, since it must run where cfp is not. Equations have the paths that
they have in a TracedStep, the tables have the names that `cfp.formats.jax_source` writes.
"""

IMPORTS = """\
from itertools import count
from math import prod
from typing import NamedTuple

import jax
import numpy as np
from jax.extend.core import ClosedJaxpr, Jaxpr, Literal, Var, jaxpr_as_fun
from jax.sharding import AxisType, NamedSharding
from jax.sharding import PartitionSpec as P
"""

KINDS = '''

class InParts(NamedTuple):
    """Dimensions unfolded into major parts and the rest, `{1: (3,)}`, and how that lies."""

    parts: dict
    spec: P


class Constraint(NamedTuple):
    """How operands and result of equations of the step's jaxpr lie; None is JAX's to decide."""

    primitive: str
    operands: tuple
    result: object
    equations: str

'''

CODE = '''

# ---- what puts them there: below, nothing depends on the step


def shard(step, args, kwargs=None, devices=None):
    """`step`, sharded, for arguments like these: arrays, or jax.ShapeDtypeStructs."""
    mesh = make_mesh(devices)
    jitted = step if isinstance(step, jax.stages.Wrapped) else jax.jit(step)
    traced = jitted.trace(*args, **(kwargs or {}))
    closed = traced.jaxpr
    if (len(closed.in_avals), len(closed.out_avals)) != (len(ARGUMENTS), len(RESULTS)):
        raise ValueError("the planned step takes and gives another number of arrays")
    places = [NamedSharding(mesh, spec) for spec in ARGUMENTS.values()]
    run = jax.jit(
        jaxpr_as_fun(closed.replace(jaxpr=constrain(closed.jaxpr, mesh))),
        in_shardings=places,
        out_shardings=[NamedSharding(mesh, spec) for spec in RESULTS.values()],
        donate_argnums=DONATED,
        keep_unused=True,
    )

    def sharded(*args, **kwargs):
        arrays = jax.device_put(jax.tree.leaves((args, kwargs)), places)
        return jax.tree.unflatten(traced.out_tree, run(*arrays))

    return sharded


def argument_shardings(args, kwargs=None, devices=None):
    """The shardings of (args, kwargs), as such a tree: to make the state where it will lie."""
    mesh = make_mesh(devices)
    tree = jax.tree.structure((tuple(args), kwargs or {}))
    return jax.tree.unflatten(tree, [NamedSharding(mesh, spec) for spec in ARGUMENTS.values()])


def make_mesh(devices=None):
    """The mesh over these devices, in their order; over the first ones where none are given."""
    sizes = tuple(MESH.values())
    chosen = jax.devices()[: prod(sizes)] if devices is None else devices
    grid = np.array(chosen, dtype=object).reshape(sizes)
    return jax.sharding.Mesh(grid, tuple(MESH), axis_types=(AxisType.Auto,) * len(sizes))


def constrain(jaxpr, mesh):
    """The jaxpr of the step with all constraints in it."""
    constraining = Constraining(mesh)
    jaxpr = constraining.jaxpr(jaxpr, "", count())
    if constraining.waiting:
        missing = min(constraining.waiting)
        raise ValueError(f"equation {missing} of the planned step is not in this one")
    made_here = {result for eqn in jaxpr.eqns for result in eqn.outvars}
    eqns, results = list(jaxpr.eqns), list(jaxpr.outvars)
    for number, (name, place) in enumerate(RESULTS.items()):
        if isinstance(results[number], Var) and results[number] in made_here:
            more, results[number] = constraining.operand(results[number], MADE.get(name, place))
            eqns += more
    return jaxpr.replace(eqns=eqns, outvars=results)


class Constraining:
    """Rewrites jaxprs. `waiting` are the constraints that have not found their equation yet.

    Equation 2 of what equation 7 holds has the path 7/2. All jaxprs that one equation holds are
    numbered through, in the order of the names of its parameters.
    """

    def __init__(self, mesh):
        self.mesh = mesh
        self.waiting = {path: one for one in CONSTRAINTS for path in one.equations.split()}
        ends = [(path, end) for path in self.waiting for end in range(len(path))]
        self.holders = {path[:end] for path, end in ends if path[end] == "/"}

    def jaxpr(self, jaxpr, outer, numbers):
        pairs = [(f"{outer}{next(numbers)}", eqn) for eqn in jaxpr.eqns]
        return jaxpr.replace(eqns=[one for pair in pairs for one in self.equation(*pair)])

    def equation(self, path, eqn):
        if path in self.holders:
            numbers = count()
            held = sorted(eqn.params.items())
            params = {name: self.param(value, f"{path}/", numbers) for name, value in held}
            eqn = eqn.replace(params=params)
        constraint = self.waiting.pop(path, None)
        return [eqn] if constraint is None else self.constrained(eqn, constraint)

    def param(self, value, outer, numbers):
        if isinstance(value, Jaxpr):
            return self.jaxpr(value, outer, numbers)
        if isinstance(value, ClosedJaxpr):
            return value.replace(jaxpr=self.jaxpr(value.jaxpr, outer, numbers))
        if isinstance(value, tuple) and any(isinstance(one, (Jaxpr, ClosedJaxpr)) for one in value):
            items = [self.param(one, outer, numbers) for one in value]
            return type(value)(*items) if hasattr(value, "_fields") else tuple(items)
        return value

    def constrained(self, eqn, constraint):
        if eqn.primitive.name != constraint.primitive:
            facts = f"{eqn.primitive} stands where the planned step has {constraint.primitive}"
            raise ValueError(facts)
        pairs = zip(eqn.invars, constraint.operands, strict=True)
        moves = [self.operand(atom, place) for atom, place in pairs]
        before = [one for eqns, _ in moves for one in eqns]
        made, after = self.result(eqn.outvars[0], constraint.result)
        outvars = [made, *eqn.outvars[1:]]
        return [*before, eqn.replace(invars=[atom for _, atom in moves], outvars=outvars), *after]

    def operand(self, atom, place):
        if place is None or isinstance(atom, Literal):
            return [], atom
        move = self.move(atom.aval, place)
        return [renamed(eqn, {move.invars[0]: atom}) for eqn in move.eqns], move.outvars[0]

    def result(self, variable, place):
        if place is None:
            return variable, []
        move = self.move(variable.aval, place)
        return move.invars[0], [renamed(eqn, {move.outvars[0]: variable}) for eqn in move.eqns]

    def move(self, aval, place):
        like = jax.ShapeDtypeStruct(aval.shape, aval.dtype, weak_type=aval.weak_type)
        return jax.make_jaxpr(lambda array: lay_out(array, place, self.mesh))(like).jaxpr


def renamed(eqn, names):
    """The equation, of and for other variables."""
    invars = [names.get(one, one) for one in eqn.invars]
    return eqn.replace(invars=invars, outvars=[names.get(one, one) for one in eqn.outvars])


def lay_out(array, place, mesh):
    """The array, constrained to lie as a PartitionSpec or InParts says."""
    parts, spec = place if isinstance(place, InParts) else ({}, place)
    shape = []
    for dim, size in enumerate(array.shape):
        majors = parts.get(dim, ())
        shape += [*majors, size // prod(majors)]
    unfolded = jax.lax.reshape(array, shape) if parts else array
    laid = jax.lax.with_sharding_constraint(unfolded, NamedSharding(mesh, spec))
    return jax.lax.reshape(laid, array.shape) if parts else laid
'''

"""Collectives of real programs: those that a small function must have, and how often they run."""

import jax
import jax.numpy as jnp
import pytest
from jax.sharding import NamedSharding, PartitionSpec

from cfp.audit.found_collectives import found_collectives
from cfp.formats.hlo_text import read_program
from cfp.ir.mesh import Mesh
from cfp.runtime.sharding import mesh_of

MESH = Mesh.parse("data:4 x model:2")
X, W = jax.ShapeDtypeStruct((16, 32), jnp.float32), jax.ShapeDtypeStruct((32, 32), jnp.float32)


def place(*axes):
    return NamedSharding(mesh_of(MESH, jax.devices()), PartitionSpec(*axes))


def moved(x, *axes):
    return jax.lax.with_sharding_constraint(x, place(*axes))


def summed(x):
    return moved(x.sum(0), None)


def two_sums(x):
    return moved(x.sum(0), None), moved((x * x).sum(0)[:8], None)


def gathered_in_a_loop(x, w):
    def body(h, _):
        return moved(moved(jnp.tanh(h @ w), None, "model"), None, None), None

    return jax.lax.scan(body, x, length=5)[0]


def exchanged(x):
    return moved(jnp.sin(x), None, "data")


def contracted_on_both(x, w):
    return moved(x @ w, None, None)


@pytest.mark.parametrize(
    ("function", "arrays", "places", "expected"),
    [
        (summed, (X,), [("data",)], {("all-reduce", ("data",), 32, 1)}),
        (
            two_sums,
            (X,),
            [("data",)],
            {("all-reduce", ("data",), 32, 1), ("all-reduce", ("data",), 32, 1)},
        ),
        (
            gathered_in_a_loop,
            (X, W),
            [(), (None, "model")],
            {("all-gather", ("model",), 512, 5)},
        ),
        (exchanged, (X,), [("data",)], {("all-to-all", ("data",), 128, 1)}),
        (
            contracted_on_both,
            (X, W),
            [(None, ("data", "model")), (("data", "model"),)],
            {("all-reduce", ("data", "model"), 512, 1)},
        ),
    ],
)
def test_collectives_of_a_program(function, arrays, places, expected):
    jitted = jax.jit(function, in_shardings=tuple(place(*one) for one in places))
    program = read_program(jitted.lower(*arrays).compile().as_text())
    found = {
        (one.kind, one.axes, one.elements, one.times) for one in found_collectives(program, MESH)
    }
    assert found == expected


def test_sums_that_xla_combines_count_one_by_one():
    jitted = jax.jit(two_sums, in_shardings=place("data"))
    program = read_program(jitted.lower(X).compile().as_text())
    found = list(found_collectives(program, MESH))
    assert len(found) == 2
    assert len({one.instruction.name for one in found}) == 1

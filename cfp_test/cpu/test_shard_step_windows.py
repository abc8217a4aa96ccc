"""Convolutions cut in any way on three axes: the same numbers, and each device has its part.

A convolution has the factors of a product, and one for each direction in which windows move. Left
to itself, the partitioner of XLA makes wrong numbers of most of these plans.
"""

from random import Random

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from cfp import _jax
from cfp.audit.contractions import compare_contractions
from cfp.formats.hlo_text import read_program
from cfp.ir.layout import Layout
from cfp.passes.shard_step import shard_step
from cfp.passes.trace_step import trace_step
from cfp_test.cpu.random_layouts import MESH, equations, strategy

KINDS = {
    "rows and columns": {"kernel": 3, "stride": 1},
    "every other": {"kernel": 3, "stride": 2},
    "gaps between": {"kernel": 1, "stride": 2},
    "wide": {"kernel": 5, "stride": 1},
}
IN_GROUPS = {"kernel": 3, "stride": 1, "groups": 4}


def gradients_of(kernel, stride, groups=1):
    """A step that makes a convolution and both of its gradients, and its arguments."""

    def loss(x, w):
        y = lax.conv_general_dilated(
            x,
            w,
            (stride, stride),
            "SAME",
            dimension_numbers=("NHWC", "HWIO", "NHWC"),
            feature_group_count=groups,
        )
        return jnp.sin(y).sum()

    random = np.random.RandomState(0)
    x = random.randn(8, 16, 16, 8).astype("f")
    w = random.randn(kernel, kernel, 8 // groups, 16).astype("f")
    return jax.grad(loss, argnums=(0, 1)), (x, w)


def factors(eqn):
    """Each factor as its dimensions in the operands and the result, None where it is not."""
    left, right, result = eqn.params["dimension_numbers"]
    is_gradient_of_weights = eqn.outvars[0].aval.shape[result[2]] < 8
    if eqn.params["batch_group_count"] > 1:
        yield left[0], right[0], result[1]
        yield left[1], right[1], None
    elif eqn.params["feature_group_count"] > 1:
        yield left[0], None, result[0]
        yield left[1], right[0], result[1]
    else:
        yield left[0], None, result[0]
        yield None, right[0], result[1]
        yield left[1], right[1], None
    for one, other, out in zip(left[2:], right[2:], result[2:], strict=True):
        yield (one, other, None) if is_gradient_of_weights else (one, None, out)


def layout_of(step, pins):
    whole = ((),) * len(step.arguments)
    return Layout(MESH, (), whole, whole, whole, pins, ())


def sharded_and_right(flags, seed):
    """The step with each convolution cut by chance, and its program, which gives the numbers."""
    function, args = gradients_of(**flags)
    step = trace_step(function, args)
    random = Random(seed)
    eqns = equations(step.jaxpr.jaxpr, "conv_general_dilated")
    pins = tuple(strategy(random, eqn, factors(eqn)) for eqn in eqns)
    sharded = shard_step(step, layout_of(step, pins), jax.devices()[:8])
    compiled = sharded.compile()
    got, want = compiled(*sharded.place(args, {})), jax.jit(function)(*args)
    for one, other in zip(got, want, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-4 * np.abs(other).max())
    return sharded, compiled


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("kind", KINDS)
def test_windows_are_cut_right(kind, seed):
    sharded, compiled = sharded_and_right(KINDS[kind], seed)
    step, layout = sharded.step, sharded.layout
    whole, program = (read_program(text) for text in (_jax.hlo_text(step.hlo), compiled.as_text()))
    seen, unseen, mispartitions = compare_contractions(whole, program, step, layout)
    assert (seen, unseen, mispartitions) == (3, (), ())


@pytest.mark.parametrize("seed", range(6))
def test_what_has_groups_is_right(seed):
    sharded_and_right(IN_GROUPS, seed)

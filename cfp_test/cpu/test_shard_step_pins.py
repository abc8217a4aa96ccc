"""Every decided product is computed as decided, wherever it stands, and the step stays the same."""

import jax
import pytest
from numpy.testing import assert_allclose

from cfp import _jax
from cfp.passes.shard_step import shard_step
from cfp.passes.trace_step import trace_step
from cfp_test.cpu.contracting_steps import STEPS, WEIGHTS, X
from cfp_test.cpu.partitioned_products import compile_and_read, read_products
from cfp_test.cpu.random_layouts import local_product, products, random_layout


def check(name, seed):
    step = trace_step(STEPS[name], (WEIGHTS, X))
    layout = random_layout(step, seed)
    sharded = shard_step(step, layout, jax.devices())
    compiled, found = compile_and_read(sharded.lower())
    eqns = {_jax.path_of(eqn): eqn for eqn in products(step.jaxpr.jaxpr)}
    assert found == {pin.path: local_product(eqns[pin.path], pin) for pin in layout.pins}

    results = compiled(*sharded.place((WEIGHTS, X), {}))
    for got, want in zip(results, jax.tree.leaves(STEPS[name](WEIGHTS, X)), strict=True):
        assert_allclose(got, want, rtol=1e-4, atol=1e-5)
    for got, place in zip(results, sharded.result_shardings, strict=True):
        assert got.sharding.is_equivalent_to(place, got.ndim)


@pytest.mark.parametrize("name", STEPS)
def test_random_strategies_are_honoured_exactly(name):
    check(name, seed=0)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 3))
@pytest.mark.parametrize("name", STEPS)
def test_more_random_strategies_are_honoured_exactly(name, seed):
    check(name, seed)


def test_products_are_read_where_they_stand():
    text = """\
  %p = (f32[4,8]{1,0}, f32[8,2]{1,0}) parameter(0)
  %a = f32[4,8]{1,0} get-tuple-element(%p), index=0
  ROOT %dot.2 = f32[4,2]{1,0} dot(%a, %p#1), metadata={op_name="jit(f)/cfp:1/jvp(cfp:1/5)/dot"}
"""
    assert read_products(text) == {"1/5": ((4, 8), (8, 2), (4, 2))}

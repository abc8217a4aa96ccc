"""Excerpts of a step: given what the whole step made, each makes what the whole step does."""

from functools import cache
from importlib import import_module

import jax
import numpy as np
import pytest
from jax.extend.core import ClosedJaxpr, DropVar, jaxpr_as_fun

from cfp.ir.equation_owners import equation_owners
from cfp.passes.analyze_hlo import analyze_hlo
from cfp.passes.lay_out import lay_out
from cfp.passes.shard_step import shard_step
from cfp.passes.trace_step import trace_step
from cfp.plans_by_name import baseline
from cfp.runtime.excerpt import excerpts_of

STEPS = {
    "mlp": ("zoo.mlp", {}, "megatron:8"),
    "gpt fused": ("gpt", {"num_layer": 1, "fused_qkv": True}, "fsdp:2 x megatron:4"),
    "moe scan": ("moe", {"num_layer": 2, "scan": True}, "data:2 x expert:4"),
    "wresnet": ("wresnet", {}, "data:4 x sequence:2"),
}


@cache
def prepared(name):
    """The sharded step, its analysis, and its first arguments."""
    model, flags, plan = STEPS[name]
    package = import_module(f"cfp_test.{model}")
    step = trace_step(*package.train_step(**flags))
    analysis = analyze_hlo(step)
    layout = lay_out(step, analysis, baseline(plan, step, analysis, devices=8))
    key = jax.random.key(0)
    init, sample = package.init_state(**flags), package.sample_batch(**flags)
    return shard_step(step, layout, jax.devices()[:8]), analysis, (jax.jit(init)(key), sample(key))


def everything(sharded, args):
    """Every value of the step, by its variable."""
    jaxpr = sharded.pinned.jaxpr
    made = [var for eqn in jaxpr.eqns for var in eqn.outvars if not isinstance(var, DropVar)]
    whole = jaxpr.replace(outvars=made)
    given = [np.asarray(one) for one in jax.tree.leaves(args)]
    results = jax.jit(jaxpr_as_fun(ClosedJaxpr(whole, sharded.pinned.consts)))(*given)
    return dict(zip([*jaxpr.invars, *made], [*given, *results], strict=True))


def segments_of(analysis):
    return [run for segment in analysis.segments for run in segment.runs]


@pytest.mark.parametrize("name", STEPS)
def test_every_excerpt_makes_what_the_step_makes(name):
    sharded, analysis, args = prepared(name)
    values = everything(sharded, args)
    results = zip(sharded.pinned.jaxpr.outvars, sharded.step.results, strict=True)
    # AdamW makes whole updates of a gradient that is noise, as that of key biases: compare moments.
    updated = {var for var, result in results if ".params" in result.name}
    for one in excerpts_of(sharded, analysis, segments_of(analysis)):
        jaxpr = one.closed.jaxpr
        compiled = one.lower().compile()
        operands = [
            jax.device_put(np.asarray(values[var]), place)
            for var, place in zip(jaxpr.invars, compiled.input_shardings[0], strict=True)
        ]
        assert jaxpr.outvars
        found = dict(zip(jaxpr.outvars, map(np.asarray, compiled(*operands)), strict=True))
        for var in found.keys() - updated:
            want = np.asarray(values[var])
            if np.issubdtype(want.dtype, np.floating):  # a rounding may turn a few elements over
                assert np.abs(found[var] - want).mean() <= 1e-2 * np.abs(want).mean()
            else:
                np.testing.assert_array_equal(found[var], want)


@pytest.mark.parametrize("name", STEPS)
def test_every_equation_is_in_one_excerpt(name):
    sharded, analysis, _ = prepared(name)
    owners = equation_owners(analysis)
    found = [
        var
        for one in excerpts_of(sharded, analysis, segments_of(analysis))
        for var in one.closed.jaxpr.outvars
    ]
    assert len(found) == len(set(found))
    assert owners
    results = {
        var
        for var, result in zip(sharded.pinned.jaxpr.outvars, sharded.step.results, strict=True)
        if result.name.startswith("result[0]") and "count" not in result.name
    }
    assert results <= set(found)

"""Predicted memory beside that of the compiled program, on one device and on eight.

What a step is given and gives back is exact. Temporaries are those of an idealised compiler: the
bounds here are of the whole, and wide enough for another version of XLA.
"""

from importlib import import_module

import jax
import pytest
from jax.extend.core import jaxpr_as_fun

from cfp.costs.memory import predict_memory
from cfp.ir.layout import Layout
from cfp.ir.mesh import Mesh
from cfp.passes.analyze_hlo import analyze_hlo
from cfp.passes.lay_out import lay_out
from cfp.passes.shard_step import shard_step
from cfp.passes.trace_step import trace_step
from cfp.plans_by_name.by_name import baseline

XLA_ON_CPU = 32  # bits: it computes narrower floats in float32


def traced(name, **flags):
    step, args = import_module(f"cfp_test.{name}").train_step(**flags)
    step = trace_step(step, args, donate_argnums=0)
    return step, analyze_hlo(step)


def whole(step, analysis):
    values, arguments = ((),) * len(analysis.ops), ((),) * len(step.arguments)
    results = ((),) * len(step.results)
    return Layout(Mesh.parse("data:1"), values, arguments, results, results, (), ())


def assert_near(predicted, compiled, share):
    memory = compiled.memory_analysis()
    assert predicted.arguments == memory.argument_size_in_bytes
    assert predicted.results == memory.output_size_in_bytes
    assert predicted.aliased == memory.alias_size_in_bytes
    found = (
        memory.argument_size_in_bytes
        + memory.output_size_in_bytes
        - memory.alias_size_in_bytes
        + memory.temp_size_in_bytes
    )
    assert predicted.peak == pytest.approx(found, rel=share)


@pytest.mark.parametrize(
    ("name", "flags"),
    [
        ("gpt", {"num_layer": 1}),
        ("llama2", {"scan": True, "dtype": "bfloat16"}),
        ("zoo.gru", {}),
    ],
)
def test_on_one_device(name, flags):
    step, analysis = traced(name, **flags)
    donated = [number for number, one in enumerate(step.arguments) if one.donated]
    flat = jax.jit(jaxpr_as_fun(step.jaxpr), donate_argnums=donated, keep_unused=True)
    compiled = flat.lower(*step.jaxpr.in_avals).compile()
    predicted = predict_memory(step, analysis, whole(step, analysis), XLA_ON_CPU)
    assert_near(predicted, compiled, share=0.2)


@pytest.mark.parametrize("plan", ["data:4 x megatron:2", "fsdp"])
def test_on_eight_devices(plan):
    step, analysis = traced("gpt", num_layer=1)
    laid = lay_out(step, analysis, baseline(plan, step, analysis, devices=8))
    compiled = shard_step(step, laid, jax.devices()).compile()
    assert_near(predict_memory(step, analysis, laid, XLA_ON_CPU), compiled, share=0.3)

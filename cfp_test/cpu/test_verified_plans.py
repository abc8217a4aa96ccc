"""Every model, unrolled and scanned, under plans by name: the same numbers, and what was planned.

The plans take turns over the models, so that each kind is tried on several; the bench `verify`
tries all of them on all models.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

import jax
import pytest

from cfp.passes.analyze_hlo import analyze_hlo
from cfp.passes.lay_out import lay_out
from cfp.passes.shard_step import shard_step
from cfp.passes.trace_step import trace_step
from cfp.passes.verify_step import verify_step
from cfp.plans_by_name import baseline

TRAINED = [
    ("gpt", {"num_layer": 1}, "data:4 x megatron:2"),
    ("gpt", {"num_layer": 2, "scan": True}, "zero1"),
    ("gpt", {"num_layer": 1, "fused_qkv": True}, "fsdp:2 x megatron:4"),
    ("gpt", {"num_layer": 2, "fused_qkv": True, "scan": True}, "zero1:4 x megatron:2"),
    (
        "gpt",
        {"num_layer": 2, "scan": True, "remat": True, "accumulation": 2},
        "fsdp:2 x megatron:4",
    ),
    ("bert", {"num_layer": 1}, "fsdp"),
    ("bert", {"num_layer": 2, "scan": True}, "data:4 x megatron:2"),
    ("llama2", {"num_layer": 1}, "zero1:4 x megatron:2"),
    ("llama2", {"num_layer": 2, "scan": True}, "fsdp:4 x megatron:2"),
    ("moe", {"num_layer": 2}, "expert"),
    ("moe", {"num_layer": 2, "scan": True}, "data:2 x expert:4"),
    ("t5", {"num_layer": 1}, "megatron:2 x data:4"),
    ("t5", {"num_layer": 2, "scan": True}, "data"),
    ("wresnet", {}, "data:2 x megatron:4"),
]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "flags", "name"),
    TRAINED,
    ids=[" ".join([model, *flags, name]) for model, flags, name in TRAINED],
)
def test_a_plan_by_name_is_the_same_step(model: str, flags: dict[str, Any], name: str) -> None:
    package = import_module(f"cfp_test.{model}")
    step = trace_step(*package.train_step(**flags))
    analysis = analyze_hlo(step)
    plan = baseline(name, step, analysis, devices=8)
    sharded = shard_step(step, lay_out(step, analysis, plan), jax.devices()[:8])
    key = jax.random.key(0)
    args = (jax.jit(package.init_state(**flags))(key), package.sample_batch(**flags)(key))
    audit = verify_step(sharded, analysis, args, {}, steps=2)
    assert audit.problems == ()

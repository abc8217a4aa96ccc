"""The blocks and segments of real models are those that a person would draw.

A model is written as its segments: how many forward contractions each block has, how many runs
there are, and how often each run executes.

    gpt, 4 layers    (1, 1) once           token and position embeddings
                     (5, 1, 1, 1) 4 runs   {q, k, q.k, v, a.v} {output} {widen} {narrow}
                     (1,) once             {head, loss}

A block without contraction (0) is a normalisation that several blocks read.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest

from cfp.passes.analyze_hlo import analyze_hlo
from cfp.passes.trace_step import trace_step

if TYPE_CHECKING:
    from cfp.ir.analysis import Analysis

Run = tuple[tuple[int, ...], int, int]  # forward contractions by block, runs, times


@dataclass(frozen=True)
class Model:
    """A factory with its flags, and the segments that its step must fall into."""

    name: str
    factory: str
    segments: tuple[Run, ...]
    flags: dict[str, Any] = field(default_factory=dict)


LAYER = (5, 1, 1, 1)
MODELS = (
    Model("gpt", "gpt", (((1, 1), 1, 1), (LAYER, 4, 1), ((1,), 1, 1))),
    Model("gpt scanned", "gpt", (((1, 1), 1, 1), (LAYER, 1, 4), ((1,), 1, 1)), {"scan": True}),
    Model(
        "gpt scanned and recomputed",
        "gpt",
        (((1, 1), 1, 1), (LAYER, 1, 4), ((1,), 1, 1)),
        {"scan": True, "remat": True},
    ),
    Model("gpt recomputed", "gpt", (((1, 1), 1, 1), (LAYER, 4, 1), ((1,), 1, 1)), {"remat": True}),
    Model(
        "gpt with one fused projection",
        "gpt",
        (((1, 1), 1, 1), ((3, 1, 1, 1), 4, 1), ((1,), 1, 1)),
        {"fused_qkv": True},
    ),
    Model("gpt untied", "gpt", (((1, 1), 1, 1), (LAYER, 4, 1), ((1,), 1, 1)), {"tied": False}),
    Model(
        "gpt in two micro-batches",
        "gpt",
        (((1, 1), 1, 2), (LAYER, 4, 2), ((1,), 1, 2)),
        {"accumulation": 2},
    ),
    Model(
        "gpt with dropout", "gpt", (((1, 1), 1, 1), (LAYER, 4, 1), ((1,), 1, 1)), {"dropout": 0.1}
    ),
    Model(
        "gpt in bf16",
        "gpt",
        (((1, 1), 1, 1), (LAYER, 4, 1), ((1,), 1, 1)),
        {"dtype": "bfloat16"},
    ),
    Model("bert", "bert", (((1, 1, 1), 1, 1), (LAYER, 4, 1), ((1, 1), 1, 1))),
    Model("llama, grouped queries", "llama2", (((1,), 1, 1), ((5, 1, 2, 1), 4, 1), ((1,), 1, 1))),
    Model(
        "llama, one key head",
        "llama2",
        (((1,), 1, 1), ((5, 1, 2, 1), 4, 1), ((1,), 1, 1)),
        {"num_kv_heads": 1},
    ),
    Model(
        "llama scanned and recomputed",
        "llama2",
        (((1,), 1, 1), ((5, 1, 2, 1), 1, 4), ((1,), 1, 1)),
        {"scan": True, "remat": True},
    ),
    Model("moe", "moe", (((1, 1), 1, 1), ((5, 1, 3, 1, 1), 4, 1), ((1,), 1, 1))),
    Model(
        "moe scanned",
        "moe",
        (((1, 1), 1, 1), ((5, 1, 3, 1, 1), 1, 4), ((1,), 1, 1)),
        {"scan": True},
    ),
    Model(
        "t5",
        "t5",
        (
            ((1, 1), 1, 1),
            (LAYER, 4, 1),
            ((0, 1, 1), 1, 1),
            ((5, 1, 5, 1, 1, 1), 4, 1),
            ((1,), 1, 1),
        ),
    ),
    Model(
        "t5 scanned",
        "t5",
        (
            ((1, 1, 1), 1, 1),
            (LAYER, 1, 4),
            ((0, 1), 1, 1),
            ((5, 1, 5, 1, 1, 1), 1, 4),
            ((1,), 1, 1),
        ),
        {"scan": True},
    ),
    Model(
        "wide resnet",
        "wresnet",
        (
            ((1, 0, 1, 1, 1, 1), 1, 1),
            ((1, 1, 1), 2, 1),
            ((0, 1, 1, 1, 1), 1, 1),
            ((1, 1, 1), 2, 1),
            ((1,), 1, 1),
        ),
    ),
    Model(
        "clip",
        "zoo.clip",
        (((1,), 1, 1), (LAYER, 2, 1), ((1, 1), 1, 1), (LAYER, 2, 1), ((1, 1), 1, 1)),
    ),
    Model("gru", "zoo.gru", (((1, 1), 1, 1), ((1,), 2, 32), ((1,), 1, 1), ((1,), 1, 1))),
    Model("ssm", "zoo.ssm", (((1,), 1, 1), ((1, 4, 1), 2, 1), ((1,), 1, 1))),
    Model("linear attention", "zoo.linear_attention", (((6, 1, 6, 1), 1, 1),)),
    Model("lora", "zoo.lora", (((1, 1, 1), 1, 4),)),
    Model("u-net", "zoo.unet", (((1,) * 10, 1, 1),)),
    Model("mlp", "zoo.mlp", (((1, 1), 1, 1),)),
    Model("no contraction", "zoo.no_contraction", ()),
)


@cache
def analysis_of(name: str) -> Analysis:
    model = next(one for one in MODELS if one.name == name)
    factory = importlib.import_module(f"cfp_test.{model.factory}").train_step
    step, arguments = factory(**model.flags)
    return analyze_hlo(trace_step(step, arguments))


def forward_count(analysis: Analysis, block: int) -> int:
    return analysis.phases(block)["forward"]


def runs_of(analysis: Analysis) -> tuple[Run, ...]:
    runs = []
    for segment in analysis.segments:
        first = segment.starts[0]
        blocks = range(first, first + segment.blocks)
        counts = tuple(forward_count(analysis, block) for block in blocks)
        runs.append((counts, len(segment.starts), segment.times))
    return tuple(runs)


@pytest.fixture(params=MODELS, ids=lambda model: model.name)
def model(request: pytest.FixtureRequest) -> Model:
    return request.param


def test_segments(model: Model) -> None:
    """[B5] [B6] [S3] All equal layers are one segment, and its blocks are the expected ones."""
    assert runs_of(analysis_of(model.name)) == model.segments


def test_phases_agree_with_jax(model: Model) -> None:
    """[B9] What structure calls forward, JAX did not transpose, and the other way round."""
    analysis = analysis_of(model.name)
    wrong = [
        (one.phase, analysis.ops[one.op].op_name)
        for one in analysis.contractions
        if (one.phase != "forward") != ("transpose(" in analysis.ops[one.op].op_name)
        and analysis.ops[one.op].opcode != "scatter"
    ]
    assert wrong == []


def test_nothing_is_left_over(model: Model) -> None:
    """No barrier, no unmatched contraction: the analysis has no warning on any of them."""
    assert analysis_of(model.name).warnings == ()


@pytest.mark.parametrize("name", ["gpt recomputed", "gpt scanned and recomputed"])
def test_recomputed_contractions_are_found(name: str) -> None:
    """[B9] Remat computes a layer again, all but its last projection, in the same blocks."""
    analysis = analysis_of(name)
    layers = [one for one in analysis.segments if one.blocks == len(LAYER)]
    for segment in layers:
        for start in segment.starts:
            again = [analysis.phases(start + i)["recomputed"] for i in range(segment.blocks)]
            assert again == [5, 1, 1, 0]


def test_every_trained_contraction_has_its_gradients(model: Model) -> None:
    """Two gradients each, but where an operand is not trained: lookups, inputs, frozen weights."""
    analysis = analysis_of(model.name)
    for number, one in enumerate(analysis.contractions):
        gradients = [
            other.gradient_of
            for other in analysis.contractions
            if other.phase == "backward" and other.forward == number
        ]
        assert len(set(gradients)) == len(gradients), analysis.ops[one.op].op_name
        if one.phase == "forward":
            assert len(gradients) in (1, 2), analysis.ops[one.op].op_name

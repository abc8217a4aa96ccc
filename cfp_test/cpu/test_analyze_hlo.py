"""analyze_hlo on whole train steps: every op leads back to its equation and to the user's line."""

from functools import cache
from importlib import import_module
from pathlib import Path

import pytest

from cfp.ir import Analysis, TracedStep
from cfp.passes.analyze_hlo import analyze_hlo, analyze_module
from cfp.passes.trace_step import trace_step

MODELS = Path(__file__).resolve().parents[1]
STEPS = {
    "gpt": ("gpt", {"num_layer": 2}),
    "gpt_in_loops": ("gpt", {"scan": True, "remat": True, "accumulation": 2}),
    "llama2": ("llama2", {"num_layer": 2}),
    "moe": ("moe", {"num_layer": 2}),
    "t5": ("t5", {"num_layer": 1}),
    "wresnet": ("wresnet", {}),
    "lora": ("zoo.lora", {}),
    "clip": ("zoo.clip", {}),
}
PRIMITIVES = {
    "dot": {"dot_general"},
    "convolution": {"conv_general_dilated"},
    "gather": {"gather"},
    "scatter": {"scatter-add"},
}


@cache
def analyzed(name: str) -> tuple[TracedStep, Analysis]:
    model, flags = STEPS[name]
    step = trace_step(*import_module(f"cfp_test.{model}").train_step(**flags))
    return step, analyze_hlo(step)


@pytest.mark.parametrize("name", STEPS)
def test_the_analysis_verifies(name: str) -> None:
    analyzed(name)[1].verify()


@pytest.mark.parametrize("name", STEPS)
def test_a_contraction_leads_to_its_equation_and_line(name: str) -> None:
    step, analysis = analyzed(name)
    assert analysis.contractions
    for one in analysis.contractions:
        op = analysis.ops[one.op]
        assert step.equation(op.source.equation).primitive in PRIMITIVES[op.opcode]
        assert Path(op.source.file).is_relative_to(MODELS)


@pytest.mark.parametrize("name", STEPS)
def test_a_parameter_leads_to_its_argument(name: str) -> None:
    step, analysis = analyzed(name)
    named = {op.source.argument for op in analysis.ops if op.opcode == "parameter"}
    assert "" not in named
    assert named <= {one.name for one in step.arguments}


@pytest.mark.parametrize("name", STEPS)
def test_blocks_do_not_depend_on_the_join(name: str) -> None:
    step, analysis = analyzed(name)
    bare = analyze_module(step.hlo, step.name)
    assert (bare.blocks, bare.segments, bare.contractions) == (
        analysis.blocks,
        analysis.segments,
        analysis.contractions,
    )

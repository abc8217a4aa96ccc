"""A plan as logical axis rules: flax, given them, lays every array out as the plan does."""

from dataclasses import replace
from importlib import import_module

import flax.linen as nn
import pytest
from jax.sharding import PartitionSpec

from cfp.errors import NoSuchFormError
from cfp.formats.logical_axes import name_dimensions, named_arguments
from cfp.formats.maxtext_rules import to_maxtext_rules
from cfp.ir.layout import AxisCut, Layout, partition
from cfp.passes.analyze_hlo import analyze_hlo
from cfp.passes.trace_step import trace_step
from cfp_test.cpu.mlp_layout import (
    BATCH,
    COLUMNS,
    HIDDEN,
    MESH,
    ROWS,
    layout_of,
    plan_of,
    traced_mlp,
)

STEP = traced_mlp()
ANALYSIS = analyze_hlo(STEP)
NAMES = [one.name for one in STEP.arguments]


def laid_out(storage_of, hidden=HIDDEN, result=BATCH):
    """A layout with these arguments, by name, and these results of the two products."""
    values = dict(zip((one.op for one in ANALYSIS.contractions), (hidden, result), strict=False))
    return replace(
        layout_of(STEP),
        arguments=tuple(storage_of(name) for name in NAMES),
        values=tuple(values.get(op, ()) for op in range(len(ANALYSIS.ops))),
    )


def rules_of(layout):
    return to_maxtext_rules(STEP, ANALYSIS, layout, plan_of(STEP, layout))


def megatron(name):
    kinds = {"'first'": COLUMNS, "'second'": ROWS, "batch": BATCH}
    return next((cuts for word, cuts in kinds.items() if word in name), ())


def fsdp(name):
    return () if name.endswith("count") else BATCH


def data_parallel(name):
    return BATCH if "batch" in name else ()


def read_by_flax(axes, rules):
    """What flax makes of names and rules, where a rule of no mesh axis is None."""
    return nn.logical_to_mesh_axes(axes, [(name, mesh or None) for name, mesh in rules])


def as_spec(cuts, rank):
    return PartitionSpec(*(axes or None for axes in partition(cuts, rank)))


@pytest.mark.parametrize(
    ("storage_of", "hidden"),
    [(data_parallel, BATCH), (megatron, HIDDEN), (fsdp, BATCH)],
)
def test_flax_lays_out_what_the_plan_says(storage_of, hidden) -> None:
    layout = laid_out(storage_of, hidden)
    found = rules_of(layout)
    assert [name for name, _ in found.arguments] == NAMES
    rows = zip(found.arguments, STEP.arguments, layout.arguments, strict=True)
    for (_, axes), array, cuts in rows:
        assert read_by_flax(axes, found.rules) == as_spec(cuts, len(array.shape)), array.name
    made = [read_by_flax(axes, found.rules) for _, axes in found.activations]
    assert made == [as_spec(hidden, 2), as_spec(BATCH, 2)]


def test_the_rules_read_well() -> None:
    assert (
        str(rules_of(laid_out(fsdp, BATCH)))
        == '''\
"""Plan 'data x megatron' on data:4 x model:2 as rules for flax and MaxText."""

RULES = (
    ("batch_x_0", "data"),
    ("batch_x_1", "data"),
    ("params_first_1", "data"),
    ("params_second_1", None),
    ("activation_params_first_1", None),
)

ARGUMENTS = (
    ("state.params['first']", ("batch_x_1", "params_first_1")),
    ("state.params['second']", ("params_first_1", "params_second_1")),
    ("state.optimizer[0].count", ()),
    ("state.optimizer[0].mu['first']", ("batch_x_1", "params_first_1")),
    ("state.optimizer[0].mu['second']", ("params_first_1", "params_second_1")),
    ("state.optimizer[0].nu['first']", ("batch_x_1", "params_first_1")),
    ("state.optimizer[0].nu['second']", ("params_first_1", "params_second_1")),
    ("batch['x']", ("batch_x_0", "batch_x_1")),
    ("batch['y']", ("batch_x_0", "params_second_1")),
)

ACTIVATIONS = (
    ("cfp_test/zoo/mlp.py:29 dot f32[8,128]", ("batch_x_0", "activation_params_first_1")),
    ("cfp_test/zoo/mlp.py:29 dot f32[8,32]", ("batch_x_0", "params_second_1")),
)
'''
    )


def otherwise(changes):
    """Megatron's storage, but for some arguments."""
    return lambda name: changes.get(name, megatron(name))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        (
            {"state.params['first']": ()},
            "params_first_1 is cut by model elsewhere, and whole in state.params['first']",
        ),
        (
            {"state.params['first']": (AxisCut("data", 1),)},
            (
                "params_first_1 is cut by data in state.params['first'], and by model in "
                "state.params['second']"
            ),
        ),
        (
            {"state.params['first']": (AxisCut("model", 1, 2),)},
            "state.params['first'] lies dim 1 by model inside each of 2 parts",
        ),
        (
            {"state.optimizer[0].mu['first']": ROWS, "batch['x']": HIDDEN},
            (
                "the plan cuts batch_x_1 before params_first_1 in "
                "state.optimizer[0].mu['first'], params_first_1 before batch_x_1 in "
                "state.params['first']"
            ),
        ),
    ],
)
def test_what_no_rules_can_say_is_refused(changes, reason) -> None:
    with pytest.raises(NoSuchFormError) as found:
        rules_of(laid_out(otherwise(changes)))
    assert found.value.what == (
        f"plan 'data x megatron' cannot be written as logical axis rules: {reason}"
    )


def named(module, **flags):
    """The logical axes of the arguments of a step that nothing cuts."""
    step = trace_step(*import_module(f"cfp_test.{module}").train_step(**flags))
    analysis = analyze_hlo(step)
    nothing = ((),) * len(step.arguments)
    layout = Layout(MESH, ((),) * len(analysis.ops), nothing, (), (), (), ())
    names = name_dimensions(step, analysis, layout)
    return {one.name: one.axes for one in named_arguments(step, analysis, layout, names)}


def test_layers_biases_and_moments_share_names() -> None:
    axes = named("gpt", num_layer=2)
    first = {key: one for key, one in axes.items() if "params['layer_0']" in key}
    assert len(first) == 16
    for key, one in first.items():
        assert axes[key.replace("layer_0", "layer_1")] == one
        assert axes[key.replace("state.params", "state.optimizer[0].nu")] == one
    width, hidden, heads = "tokens_embedding_1", "widen_kernel_1", "query_kernel_1"
    assert axes["state.params['layer_0']['widen']['kernel']"] == (width, hidden)
    assert axes["state.params['layer_0']['widen']['bias']"] == (hidden,)
    assert axes["state.params['layer_0']['narrow']['kernel']"] == (hidden, width)
    assert axes["state.params['layer_0']['value']['bias']"][0] == heads
    assert axes["state.params['layer_0']['output']['kernel']"][::2] == (heads, width)
    assert axes["state.params['positions']['embedding']"][1] == width


def test_experts_have_a_name_of_their_own() -> None:
    axes = named("moe", num_layer=1)
    of_layer = {key.split("'")[-2]: one for key, one in axes.items() if "params['layer_0']" in key}
    experts = of_layer["widen"][0]
    assert of_layer["narrow"][0] == of_layer["router"][1] == experts
    assert len(set(of_layer["widen"])) == 3

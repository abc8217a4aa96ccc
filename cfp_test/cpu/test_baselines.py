"""Baselines are what an expert would write: judged by the collectives that their layouts need.

gpt, two layers, megatron     forward   lookup, then output and narrow of each layer: [B,S,D] summed
                              backward  head, then widen, q, k and v of each layer: [B,S,D] summed
"""

from __future__ import annotations

import importlib
from collections import Counter
from functools import cache
from itertools import product
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cfp.errors import UnfitBaselineError, UnfitDegreesError, UnreadableBaselineError
from cfp.ir.layout import AxisCut
from cfp.ir.mesh import Mesh
from cfp.ir.plan import WHOLE
from cfp.ir.plan_name import KINDS, MEGATRON, STORAGES
from cfp.ir.roles import DATA, OPTIMIZER, PARAMETER, argument_roles
from cfp.ir.shape import size_bytes
from cfp.passes.analyze_hlo import analyze_hlo
from cfp.passes.lay_out import lay_out
from cfp.passes.trace_step import trace_step
from cfp.plans_by_name import baseline, baselines
from cfp.plans_by_name.fewest_bytes import fewest_bytes, moved_bytes
from cfp.plans_by_name.findings import find
from cfp.plans_by_name.splits import candidates

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cfp.ir.analysis import Analysis
    from cfp.ir.block import Strategy
    from cfp.ir.layout import Cuts, Transfer
    from cfp.ir.plan import Plan
    from cfp.ir.step import TracedStep

SMALL = 4096  # bytes: statistics of normalisations and losses are below


class Model(NamedTuple):
    """A factory of a step, and its flags."""

    factory: str
    flags: tuple[tuple[str, Any], ...] = ()


GPT = Model("gpt", (("num_layer", 2),))
UNTIED = Model("gpt", (("num_layer", 1), ("tied", False)))
MOE = Model("moe", (("num_layer", 1),))
MLP = Model("zoo.mlp")


@cache
def analyzed(model: Model) -> tuple[TracedStep, Analysis]:
    factory = importlib.import_module(f"cfp_test.{model.factory}").train_step
    step, args = factory(**dict(model.flags))
    traced = trace_step(step, args)
    return traced, analyze_hlo(traced)


@cache
def plan(model: Model, name: str, devices: int = 8) -> Plan:
    made = baseline(name, *analyzed(model), devices=devices)
    made.verify()
    return made


@cache
def transfers(model: Model, name: str, devices: int = 8) -> tuple[Transfer, ...]:
    return lay_out(*analyzed(model), plan(model, name, devices)).transfers


def is_backward(model: Model, transfer: Transfer) -> bool:
    return "transpose(" in analyzed(model)[1].ops[transfer.value].op_name


def large(some: Iterable[Transfer]) -> list[Transfer]:
    return [one for one in some if one.size_bytes >= SMALL]


def sizes(some: Iterable[Transfer], kind: str) -> Counter[int]:
    """The bytes of what one kind of collective moves, each as often as it is moved."""
    found: Counter[int] = Counter()
    for one in some:
        if one.kind == kind:
            found[one.size_bytes] += one.times
    return found


def arguments(model: Model, kind: str) -> dict[str, int]:
    """The arguments of one role, each with its bytes."""
    _, analysis = analyzed(model)
    return {
        analysis.arguments[number]: size_bytes(analysis.ops[analysis.parameters[number]].shape)
        for number, role in enumerate(argument_roles(analysis))
        if role.kind == kind
    }


def stored(model: Model, name: str, kind: str) -> dict[str, Cuts]:
    """How the arguments of one role lie."""
    names = arguments(model, kind)
    return {one.argument: one.cuts for one in plan(model, name).storage if one.argument in names}


def chosen(model: Model, name: str, axis: str) -> dict[int, Strategy | None]:
    """By distinct block what one axis does."""
    made = plan(model, name)
    number = made.mesh.names.index(axis)
    _, analysis = analyzed(model)
    return {
        choice.blocks[0]: None
        if choice.strategies[number] == WHOLE
        else analysis.strategies_of(choice.blocks[0])[choice.strategies[number]]
        for choice in made.choices
    }


# ---- megatron

TRANSFORMERS = {  # the layers, and the sums of activations that go forward in one
    GPT: (2, 2),
    Model("gpt", (("num_layer", 2), ("scan", True))): (2, 2),
    Model("gpt", (("num_layer", 2), ("scan", True), ("remat", True))): (2, 2),
    Model("llama2", (("num_layer", 2),)): (2, 2),
    Model("t5", (("num_layer", 1),)): (1, 5),  # encoder 2, decoder 3
}


@pytest.mark.parametrize("model", TRANSFORMERS, ids=str)
def test_megatron_only_sums(model: Model) -> None:
    """Columns meet rows everywhere: no activation, weight or gradient is ever gathered or moved."""
    assert {one.kind for one in transfers(model, "megatron:4 x replicated:2")} == {"all-reduce"}


@pytest.mark.parametrize(("model", "expected"), TRANSFORMERS.items(), ids=str)
def test_megatron_sums_twice_a_layer_forward(model: Model, expected: tuple[int, int]) -> None:
    """Beside lookups: once after attention, once after the feed-forward layer."""
    layers, sums = expected
    _, analysis = analyzed(model)
    forward = [
        one.times
        for one in large(transfers(model, "megatron:4 x replicated:2"))
        if not is_backward(model, one) and analysis.ops[one.value].opcode != "gather"
    ]
    assert sum(forward) == layers * sums


def test_megatron_of_gpt_by_block() -> None:
    """Two sums forward in a layer; backward one of widen's input, one of each of q, k and v's."""
    _, analysis = analyzed(GPT)
    found: Counter[tuple[str, int]] = Counter()
    for one in large(transfers(GPT, "megatron:4 x replicated:2")):
        phase = "backward" if is_backward(GPT, one) else "forward"
        found[phase, analysis.ops[one.value].owner_index] += one.times
        assert one.size_bytes == 8 * 32 * 64 * 4
    lookup, head = 0, 10
    layers = {("forward", 3): 1, ("forward", 5): 1, ("backward", 4): 1, ("backward", 2): 3}
    layers |= {(phase, block + 4): times for (phase, block), times in layers.items()}
    assert found == layers | {("forward", lookup): 1, ("backward", head): 1}


def test_megatron_stores_a_tied_table_once_by_its_vocabulary() -> None:
    parameters = stored(GPT, "data x megatron", PARAMETER)
    assert parameters["state.params['tokens']['embedding']"] == (AxisCut("megatron", 0),)
    assert parameters["state.params['layer_1']['widen']['kernel']"] == (AxisCut("megatron", 1),)
    assert parameters["state.params['layer_1']['narrow']['kernel']"] == (AxisCut("megatron", 0),)


def test_megatron_cuts_heads_not_within_them() -> None:
    attention = chosen(GPT, "data x megatron", "megatron")[2]
    assert attention
    assert (attention.origin, attention.granule) == ("weight", 4)


def test_megatron_of_experts_takes_columns_then_rows() -> None:
    blocks = chosen(MOE, "data x megatron", "megatron")
    origins = {block: one and one.origin for block, one in blocks.items()}
    dispatch, widen, narrow = 4, 5, 6
    assert (origins[dispatch], origins[widen], origins[narrow]) == (None, "weight", "contracted")


def test_megatron_of_convolutions_takes_output_and_then_input_channels() -> None:
    blocks = chosen(Model("wresnet"), "data x megatron", "megatron")
    mix, widen = blocks[3], blocks[4]  # of the bottlenecks
    assert mix
    assert widen
    assert (mix.origin, widen.origin) == ("weight", "contracted")


@pytest.mark.parametrize("model", [Model("llama2", (("num_layer", 1),)), UNTIED, Model("zoo.gru")])
def test_no_other_way_moves_fewer_bytes(model: Model) -> None:
    """The search, two blocks at a time, against all combinations of what the blocks may take."""
    findings = find(*analyzed(model))
    pieces = {block: (1,) * len(one.granules) for block, one in findings.divisions.items()}
    some = candidates(findings, MEGATRON, 4, pieces)
    ways = [dict(zip(some, way, strict=True)) for way in product(*some.values())]
    assert len(ways) >= 16
    least = min(moved_bytes(findings, way, 4) for way in ways)
    assert moved_bytes(findings, fewest_bytes(findings, some, 4), 4) == least


# ---- data parallelism and how its state is stored


def test_data_sums_every_gradient_once_and_nothing_else() -> None:
    gradients = [one for one in transfers(UNTIED, "data") if one.size_bytes > 4]
    assert sizes(gradients, "all-reduce") == Counter(arguments(UNTIED, PARAMETER).values())
    assert {one.kind for one in transfers(UNTIED, "data")} == {"all-reduce"}
    assert set(stored(UNTIED, "data", PARAMETER).values()) == {()}
    assert set(stored(UNTIED, "data", DATA).values()) == {(AxisCut("data", 0),)}


def gradient_sums(moved: list[Transfer]) -> Counter[int]:
    """What is summed and scattered, by size; the positions, whose lookup is whole, are summed only.

    A sum of four bytes is the loss.
    """
    summed = sizes((one for one in moved if one.size_bytes > 4), "all-reduce")
    assert len(summed) == 1
    return summed + sizes(moved, "reduce-scatter")


def test_fsdp_stores_all_state_in_parts_gathers_it_and_scatters_its_gradients() -> None:
    for kind in (PARAMETER, OPTIMIZER):
        cuts = stored(UNTIED, "fsdp", kind)
        assert [name for name, own in cuts.items() if [cut.axis for cut in own] != ["fsdp"]] == []
    moved = transfers(UNTIED, "fsdp")
    assert gradient_sums(moved) == Counter(arguments(UNTIED, PARAMETER).values())
    kernels = Counter(
        size_bytes
        for name, size_bytes in arguments(UNTIED, PARAMETER).items()
        if name.endswith(("['kernel']", "['embedding']"))
    )
    assert kernels <= sizes(moved, "all-gather")


def test_zero1_stores_the_optimizer_in_parts_and_gathers_what_it_updates() -> None:
    assert set(stored(UNTIED, "zero1", PARAMETER).values()) == {()}
    cuts = stored(UNTIED, "zero1", OPTIMIZER)
    assert [name for name, own in cuts.items() if [cut.axis for cut in own] != ["zero1"]] == []
    moved = transfers(UNTIED, "zero1")
    parameters = Counter(arguments(UNTIED, PARAMETER).values())
    assert sizes((one for one in moved if one.reader < 0), "all-gather") == parameters
    assert gradient_sums(moved) == parameters


def test_optimizer_state_lies_as_its_parameter() -> None:
    _, analysis = analyzed(GPT)
    cuts = [one.cuts for one in plan(GPT, "data:2 x megatron:4 + fsdp").storage]
    roles = argument_roles(analysis)
    pairs = [(n, role.parameter) for n, role in enumerate(roles) if role.kind == OPTIMIZER]
    assert len(pairs) == 2 * len(arguments(GPT, PARAMETER))
    assert [(n, p) for n, p in pairs if cuts[n] != cuts[p]] == []


def test_storage_leaves_the_loop_over_layers_alone() -> None:
    scanned = Model("gpt", (("num_layer", 8), ("scan", True)))
    cuts = stored(scanned, "fsdp", PARAMETER)
    layers = [own for name, own in cuts.items() if "['layer']" in name]
    assert layers
    assert all(cut.dim > 0 for own in layers for cut in own)


# ---- sequences and experts


def test_sequence_gathers_keys_and_values_once_a_layer() -> None:
    made = transfers(GPT, "sequence:4 x replicated:2")
    forward = [one for one in large(made) if not is_backward(GPT, one)]
    _, analysis = analyzed(GPT)
    found = Counter((one.kind, analysis.ops[one.value].owner_index) for one in forward)
    assert found == {("all-gather", 2): 2, ("all-gather", 6): 2}
    data = stored(GPT, "sequence:4 x replicated:2", DATA)
    assert set(data.values()) == {(AxisCut("sequence", 1),)}


def test_sequence_splits_a_decoder_whose_tokens_lead_back_to_no_argument() -> None:
    t5 = Model("t5", (("num_layer", 1),))
    _, analysis = analyzed(t5)
    share = sum(analysis.blocks[block].flops for block in range(len(analysis.blocks)))
    whole = {
        block for block, one in chosen(t5, "data:4 x sequence:2", "sequence").items() if not one
    }
    assert sum(analysis.blocks[block].flops for block in whole) < 0.02 * share


def test_experts_exchange_tokens_twice_each_way() -> None:
    made = transfers(MOE, "expert:4 x replicated:2")
    exchanged = [one for one in made if one.kind == "all-to-all"]
    assert [is_backward(MOE, one) for one in exchanged] == [False, False, True, True]
    parameters = stored(MOE, "expert:4 x replicated:2", PARAMETER)
    experts = {name: own for name, own in parameters.items() if own}
    assert set(experts) == {
        "state.params['layer_0']['Experts_0']['widen']",
        "state.params['layer_0']['Experts_0']['narrow']",
    }
    assert set(experts.values()) == {(AxisCut("expert", 0),)}


def test_experts_and_data_share_the_batch() -> None:
    made = plan(MOE, "data:2 x expert:2", devices=4)
    attention = next(one for one in made.choices if 2 in one.blocks)
    assert attention.strategies[0] == attention.strategies[1] != WHOLE


# ---- meshes that are given


def test_parts_spread_over_the_axes_of_a_mesh() -> None:
    mesh = Mesh.of_devices(8)
    made = baseline("data x megatron + fsdp", *analyzed(GPT), mesh=mesh)
    made.verify()
    assert (made.mesh, made.name) == (mesh, "data:4 x megatron:2 + fsdp")
    named = plan(GPT, "data:4 x megatron:2 + fsdp")
    for one, other in zip(made.choices, named.choices, strict=True):
        data, megatron = other.strategies
        assert one.strategies == (data, data, megatron)


def test_an_axis_takes_another_split_of_the_batch_where_the_first_is_used_up() -> None:
    """Four groups of two sequences: two axes cut the groups, the third what is in each."""
    made = baseline("data", *analyzed(MOE), mesh=Mesh.of_devices(8))
    made.verify()
    dispatch = next(one.strategies for one in made.choices if 4 in one.blocks)
    assert dispatch[0] == dispatch[1] != dispatch[2] != WHOLE


# ---- what does not fit

THE_BATCH = "; dimension 0 of batch['inputs'] has 8 elements: make it 6 or 9"


@pytest.mark.parametrize(
    ("model", "name", "because"),
    [
        (GPT, "expert", "no block can be cut along stacked weights, such as experts"),
        (MLP, "sequence", "no block can be cut along another dimension of the data than the batch"),
        (Model("zoo.no_contraction"), "data", "no block can be cut along the batch"),
        (GPT, "data", f"no block can be cut along the batch into 3{THE_BATCH}"),
    ],
)
def test_a_baseline_that_splits_nothing_is_refused(model: Model, name: str, because: str) -> None:
    with pytest.raises(UnfitBaselineError) as caught:
        baseline(name, *analyzed(model), devices=3)
    assert caught.value.because == because


def test_one_device_is_a_mesh_too() -> None:
    assert str(plan(GPT, "data", devices=1).mesh) == "data:1"


@settings(max_examples=60)
@given(
    st.lists(st.sampled_from(KINDS), min_size=1, max_size=3),
    st.lists(st.sampled_from(("", ":1", ":2", ":3", ":4")), min_size=3, max_size=3),
    st.sampled_from(("", *STORAGES)),
    st.integers(1, 12),
)
def test_any_name_is_a_sound_plan_or_refused(
    kinds: list[str], degrees: list[str], storage: str, devices: int
) -> None:
    parts = " x ".join(kind + degree for kind, degree in zip(kinds, degrees, strict=False))
    name = f"{parts} + {storage}" if storage else parts
    try:
        made = baseline(name, *analyzed(MLP), devices=devices)
    except (UnfitBaselineError, UnfitDegreesError, UnreadableBaselineError):
        return
    made.verify()
    assert made.mesh.devices == devices
    lay_out(*analyzed(MLP), made)


# ---- all of them


@pytest.mark.parametrize("model", [GPT, MOE, MLP], ids=str)
def test_every_baseline_is_sound_and_like_no_other(model: Model) -> None:
    traced, analysis = analyzed(model)
    every = baselines(traced, analysis, 8)
    names = [one.name for one in every.plans]
    assert {"replicated:8", "data:8", "data:4 x megatron:2", "data:2 x megatron:4"} <= set(names)
    assert len(set(names)) == len(names)
    for one in every.plans:
        one.verify()
        assert one.mesh.devices == 8
        lay_out(traced, analysis, one)
    decided = {
        (one.mesh.sizes, one.choices, tuple(own.cuts for own in one.storage)) for one in every.plans
    }
    assert len(decided) == len(every.plans)


def test_what_is_left_out_is_told() -> None:
    every = baselines(*analyzed(MLP), 8)
    told = {one.name: one.because for one in every.left_out}
    assert told["expert:8"] == "no block can be cut along stacked weights, such as experts"
    assert {one.name for one in every.plans}.isdisjoint(told)
    assert {"data:8", "fsdp:4 x megatron:2"} <= {one.name for one in every.plans}


def test_a_plan_among_all_is_the_one_of_its_name() -> None:
    for one in baselines(*analyzed(MOE), 8).plans[:12]:
        assert one == plan(MOE, one.name)


def test_all_baselines_on_a_mesh_keep_its_axes() -> None:
    mesh = Mesh.parse("a:4 x b:2")
    every = baselines(*analyzed(MLP), mesh)
    assert {one.mesh for one in every.plans} == {mesh}
    assert "data:4 x megatron:2" in {one.name for one in every.plans}
    assert "data:2 x megatron:4" not in {one.name for one in every.plans}

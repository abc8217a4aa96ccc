"""enumerate_strategies on real models: roles by the names of the state, facts by the analysis.

The test models keep their parameters in `state.params`, AdamW's moments in `state.optimizer[0].mu`
and `.nu` under the same keys, and the batch in `batch`: names that cfp does not look at.
"""

import re
from functools import cache
from importlib import import_module
from itertools import groupby, pairwise
from math import prod
from typing import Any

import pytest

from cfp.ir import Analysis, Mesh
from cfp.ir.block import Strategy
from cfp.ir.division import division_of
from cfp.ir.notation import notation_of
from cfp.ir.readers import readers_of
from cfp.ir.roles import Role, argument_roles
from cfp.ir.shape import dims
from cfp.ir.space import StrategySpace
from cfp.passes.analyze_hlo import analyze_hlo
from cfp.passes.enumerate_strategies import enumerate_strategies
from cfp.passes.trace_step import trace_step

STEPS: dict[str, tuple[str, dict[str, Any]]] = {
    "gpt": ("gpt", {"num_layer": 2}),
    "gpt_fused": ("gpt", {"num_layer": 1, "fused_qkv": True}),
    "gpt_in_loops": ("gpt", {"scan": True, "remat": True, "accumulation": 2}),
    "gpt_with_dropout": ("gpt", {"num_layer": 1, "dropout": 0.1}),
    "bert": ("bert", {"num_layer": 1}),
    "llama2": ("llama2", {"num_layer": 1}),
    "moe": ("moe", {"num_layer": 1}),
    "t5": ("t5", {"num_layer": 1}),
    "wresnet": ("wresnet", {}),
    "clip": ("zoo.clip", {}),
    "gru": ("zoo.gru", {}),
    "linear_attention": ("zoo.linear_attention", {}),
    "lora": ("zoo.lora", {}),
    "mlp": ("zoo.mlp", {}),
    "ssm": ("zoo.ssm", {}),
    "unet": ("zoo.unet", {}),
}
EIGHT = Mesh.of_devices(8)
MOMENT = re.compile(r"state\.optimizer\[0\]\.(?:mu|nu)(.*)")


@cache
def analyzed(name: str) -> Analysis:
    model, flags = STEPS[name]
    return analyze_hlo(trace_step(*import_module(f"cfp_test.{model}").train_step(**flags)))


@cache
def on_eight(name: str) -> StrategySpace:
    return enumerate_strategies(analyzed(name), EIGHT)


# ---- roles


def role_by_name(analysis: Analysis, argument: str) -> Role:
    """What a person who knows the names would say."""
    names = analysis.arguments
    if moment := MOMENT.fullmatch(argument):
        return Role("optimizer", names.index(f"state.params{moment[1]}"))
    if argument.startswith("state.params") or argument == "state.statistics['frozen']":
        return Role("parameter", names.index(argument))
    return Role("data" if argument.startswith("batch") else "other")


@pytest.mark.parametrize("name", STEPS)
def test_roles_are_those_that_the_names_tell(name: str) -> None:
    analysis = analyzed(name)
    roles = dict(zip(analysis.arguments, argument_roles(analysis), strict=True))
    arrays = {
        argument: role
        for number, (argument, role) in enumerate(roles.items())
        if dims(analysis.ops[analysis.parameters[number]].shape)  # a scalar cannot be cut
    }
    assert {one.kind for one in arrays.values()} >= {"parameter", "optimizer", "data"}
    assert arrays == {argument: role_by_name(analysis, argument) for argument in arrays}


# ---- options


@pytest.mark.parametrize("name", STEPS)
def test_the_space_verifies(name: str) -> None:
    on_eight(name).verify()
    assert [one.block for one in on_eight(name).blocks] == list(analyzed(name).distinct_blocks)


@pytest.mark.parametrize("name", STEPS)
def test_no_two_strategies_of_a_real_block_have_one_border(name: str) -> None:
    analysis = analyzed(name)
    readers = readers_of(analysis)
    for block in analysis.distinct_blocks:
        borders = division_of(analysis, block, readers).borders
        assert len(set(borders)) == len(borders)


def parts_of(strategies: tuple[Strategy, ...], choice: tuple[int, ...], mesh: Mesh) -> Any:
    """By value, reader and dim: inside how many parts it is cut, and into how many pieces."""
    pieces: dict[int, int] = {}
    for number, size in zip(choice, mesh.sizes, strict=True):
        pieces[number] = pieces.get(number, 1) * size
    found: dict[tuple[int, int, int], dict[int, int]] = {}
    for number, count in pieces.items():
        for cut in {*strategies[number].inputs, *strategies[number].members} if number >= 0 else ():
            parts = found.setdefault((cut.value, cut.reader, cut.dim), {})
            assert cut.outer not in parts  # or one value would have to lie in two ways
            parts[cut.outer] = count
    return found


@pytest.mark.parametrize("name", ["gpt", "gpt_fused", "llama2", "moe", "gru", "ssm", "clip"])
@pytest.mark.parametrize("mesh", ["a:2 x b:2 x c:2", "a:4 x b:2", "a:3 x b:2"])
def test_every_option_divides_every_value(name: str, mesh: str) -> None:
    """A dimension is cut from outside in, each time into equal parts of what is left."""
    analysis = analyzed(name)
    space = enumerate_strategies(analysis, Mesh.parse(mesh))
    for block in space.blocks:
        for option in block.options:
            strategies = analysis.strategies_of(block.block)
            cuts = parts_of(strategies, option.strategies, space.mesh)
            for (value, _, dim), parts in cuts.items():
                size = dims(analysis.ops[value].shape)[dim]
                outers = [*sorted(parts), size]
                for outer, inner in pairwise(outers):
                    assert inner % (outer * parts[outer]) == 0


@pytest.mark.parametrize("name", STEPS)
def test_one_strategy_divides_what_the_core_says(name: str) -> None:
    """The FLOPs by contraction agree with the share that the core counts op by op."""
    analysis = analyzed(name)
    readers = readers_of(analysis)
    for block in analysis.distinct_blocks:
        strategies = analysis.strategies_of(block)
        division = division_of(analysis, block, readers)
        for number, one in enumerate(strategies):
            pieces = [2 if other == number else 1 for other in range(len(strategies))]
            assert division.flops_share(pieces) == pytest.approx(1 - one.split_flops_share / 2)
            partials = [each for each in one.collectives if each.kind == "gather-partials"]
            more = sum(each.size_bytes for each in partials)
            assert division.communication_bytes(pieces) == one.size_bytes + more


def test_what_real_blocks_cannot_do_at_once() -> None:
    def kinds(name: str) -> set[str]:
        return {removal.kind for one in on_eight(name).blocks for removal in one.removed}

    assert kinds("gpt") == {"indivisible", "clashing", "symmetric"}
    gru = on_eight("gru").block(2)  # gates and state are the same columns
    clashes = [removal.because for removal in gru.removed if removal.kind == "clashing"]
    assert [re.sub(r"%\d+", "%7", because) for because in clashes] == [
        "strategies 1 and 2 cut %7 at dimension 1, neither inside the other"
    ]


def test_many_axes_take_no_time_to_speak_of() -> None:
    """32 devices: every 1-D to 5-D mesh in one space, its reasons still told on a page."""
    space = enumerate_strategies(analyzed("gpt"), Mesh.of_devices(32))
    space.verify()
    choices = [
        len(one.options) + sum(len(removal.choices) for removal in one.removed)
        for one in space.blocks
    ]
    assert choices == [(len(one.strategies) + 1) ** 5 for one in space.blocks]
    assert all(len(one.removed) <= 10 for one in space.blocks)


# ---- notation


@pytest.mark.parametrize("name", STEPS)
def test_every_option_is_read_back_from_its_text(name: str) -> None:
    analysis = analyzed(name)
    for block in on_eight(name).blocks:
        notation = notation_of(analysis, block.block, EIGHT.names)
        for option in block.options[::3]:
            text = notation.by_dimension(option.strategies)
            assert notation.read(text) == option.strategies


def test_the_batch_is_called_so() -> None:
    analysis = analyzed("wresnet")
    notation = notation_of(analysis, 0, ("data", "model"))
    assert notation.by_dimension((0, 3)) == "[batch->data, ., ., n0->model]"
    assert notation.by_dimension((1, 4)) == "[., images.1->data, ., . | k0->model]"
    assert notation.as_matrices((0, 3)) == "SS = SR x RS @ {0,1}"


# ---- storage


@pytest.mark.parametrize("name", STEPS)
def test_state_can_be_stored_cut_and_data_lies_as_used(name: str) -> None:
    for one in on_eight(name).arguments:
        if one.role in ("data", "other"):
            assert one.ways == ((),)
        elif any(size % 8 == 0 for dim, size in enumerate(one.shape) if dim not in one.looped):
            assert prod(EIGHT.size(cut.axis) for cut in one.ways[-1]) == 8


def test_stacked_layers_are_not_cut_where_the_loop_slices() -> None:
    looped = {one.argument: one for one in on_eight("gpt_in_loops").arguments if one.looped}
    stacked = {
        one.argument for one in on_eight("gpt_in_loops").arguments if "layer" in one.argument
    }
    assert set(looped) == stacked
    assert {one.looped for one in looped.values()} == {(0,)}
    assert all(cut.dim for one in looped.values() for cuts in one.ways for cut in cuts)


def test_optimizer_state_can_be_stored_as_its_parameter_can() -> None:
    spaces = sorted(on_eight("gpt").arguments, key=lambda one: one.parameter)
    for parameter, group in groupby(spaces, key=lambda one: one.parameter):
        members = list(group)
        if parameter:
            assert [one.role for one in members].count("parameter") == 1
            assert len(members) == 3
            assert len({(one.shape, one.ways) for one in members}) == 1

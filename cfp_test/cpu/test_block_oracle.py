"""The definition of a ParallelBlock, asked of a compiler.

A block alone, partitioned as one of its strategies says, communicates what the strategy declares,
to the byte, and nothing else; and its products are divided as the strategy promises.

    gpt, block 2, contracted %294 k0 ...    declared  all-reduce %294, 65536 bytes, ...
                                            found     all-reduce f32[8,32,64], ...

What is declared is turned into what a compiler does: a halo is a collective-permute, of which one
device gets at most the whole value; partial results are all-gathered, one from each piece.

A strategy that cuts inside the equal parts of a fused projection cannot be written as shardings and
is not tried here; most strategies of every model must be.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from cfp import _jax
from cfp.passes.analyze_hlo import analyze_hlo
from cfp.passes.trace_step import trace_step
from cfp_test.cpu.compiled_collectives import Found, read_collectives, read_products

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cfp.ir.analysis import Analysis
    from cfp.ir.block import Strategy

DEVICES = 8


@dataclass(frozen=True, eq=False)
class Model:
    """A factory of train steps with its flags."""

    factory: str
    flags: dict[str, Any] = field(default_factory=dict[str, Any])

    def __str__(self) -> str:
        return " ".join([self.factory, *(f"{key}={flag}" for key, flag in self.flags.items())])


MODELS = (
    Model("gpt", {"num_layer": 1}),
    Model("moe", {"num_layer": 1}),
    Model("llama2", {"num_layer": 1}),
    Model("llama2", {"num_layer": 1, "num_kv_heads": 1}),
    Model("t5", {"num_layer": 1}),
    Model("wresnet"),
    Model("zoo.clip"),
    Model("zoo.ssm"),
    Model("zoo.gru"),
    Model("zoo.lora"),
    Model("zoo.linear_attention"),
)
MORE_MODELS = (
    Model("bert"),
    Model("zoo.mlp"),
    Model("zoo.unet"),
    Model("gpt", {"fused_qkv": True}),
    Model("gpt", {"dropout": 0.1}),
    Model("gpt", {"scan": True, "remat": True, "accumulation": 2}),
    Model("llama2", {"scan": True, "remat": True}),
    Model("moe", {"scan": True}),
    Model("t5", {"scan": True}),
)


class Trial(NamedTuple):
    """A block under one of its strategies, in so many pieces."""

    model: Model
    block: int
    strategy: int
    pieces: int


@cache
def analyzed(model: Model) -> Analysis:
    """The analysis of a model's train step."""
    return analyze_hlo(
        trace_step(*import_module(f"cfp_test.{model.factory}").train_step(**model.flags))
    )


def trials(model: Model, counts: Callable[[int], list[int]]) -> Iterator[Trial]:
    """All strategies that shardings can say, in as many pieces as `counts` takes of a granule."""
    for block, one in enumerate(analyzed(model).blocks):
        for number, strategy in enumerate(one.strategies):
            if can_be_said(strategy):
                for pieces in counts(strategy.granule):
                    yield Trial(model, block, number, pieces)


def every_count(granule: int) -> list[int]:
    """All numbers of equal pieces for which there are devices."""
    return [pieces for pieces in range(2, DEVICES + 1) if granule % pieces == 0]


def greatest_count(granule: int) -> list[int]:
    """The most equal pieces for which there are devices, if any."""
    return every_count(granule)[-1:]


def can_be_said(strategy: Strategy) -> bool:
    """Whether all its cuts are the most major ones of their dimensions."""
    return all(cut.outer == 1 for cut in (*strategy.inputs, *strategy.members))


def compiled(trial: Trial) -> str:
    """The partitioned program of one device."""
    program: Any = analyzed(trial.model).program
    hlo = program.block_module(trial.block, trial.strategy, trial.pieces)
    return _jax.partitioned_hlo(hlo, trial.pieces)


@cache
def products_of_whole(model: Model, block: int) -> int:
    """The products that the block computes on one device."""
    return read_products(compiled(Trial(model, block, 0, 1)))


def declared_bytes(strategy: Strategy, pieces: int) -> Counter[str]:
    """What devices are to send, by the compiler's name for it."""
    declared: Counter[str] = Counter()
    for one in strategy.collectives:
        if one.kind == "halo":
            declared["collective-permute"] += one.size_bytes
        elif one.kind == "gather-partials":
            declared["all-gather"] += pieces * one.size_bytes
        else:
            declared[one.kind] += one.size_bytes
    return declared


def complaints(declared: Counter[str], found: list[Found]) -> list[str]:
    """Where found and declared bytes differ; of a halo, where more is found than declared."""
    sent: Counter[str] = Counter()
    for one in found:
        sent[one.kind] += one.size_bytes
    return [
        f"{kind}: {sent[kind]} bytes found, {declared[kind]} declared"
        for kind in sorted({*sent, *declared})
        if sent[kind] > declared[kind]
        or (sent[kind] < declared[kind] and kind != "collective-permute")
    ]


def told(trial: Trial, wrong: list[str], found: list[Found]) -> str:
    """A table of one trial that failed."""
    strategy = analyzed(trial.model).blocks[trial.block].strategies[trial.strategy]
    lines = [
        f"{trial.model}, block {trial.block}, strategy {trial.strategy}, {trial.pieces} pieces:",
        f"  {strategy.origin} {'; '.join(strategy.factors)} {strategy.variant}",
        *(f"    {line}" for line in wrong),
        *(
            f"  declared  {one.kind} %{one.value} for %{one.reader}, {one.size_bytes} bytes"
            for one in strategy.collectives
        ),
        *(
            f"  found     {one.kind} {one.shape}, {one.size_bytes} bytes, {one.op_name}"
            for one in found
        ),
    ]
    return "\n".join(lines)


def failure(trial: Trial) -> str:
    """What the compiler and the strategy disagree on, as a table; nothing where they agree."""
    analysis = analyzed(trial.model)
    strategy = analysis.blocks[trial.block].strategies[trial.strategy]
    program = compiled(trial)
    found = read_collectives(program)
    wrong = complaints(declared_bytes(strategy, trial.pieces), found)
    whole, part = products_of_whole(trial.model, trial.block), read_products(program)
    left = whole * (1 - strategy.split_flops_share * (1 - 1 / trial.pieces))
    if part > left * (1 + 1e-9):  # fewer where a sum over one product each is no dot any more
        wrong.append(f"products: {part} of {whole} on each device, {left:.0f} promised")
    return told(trial, wrong, found) if wrong else ""


@pytest.mark.parametrize("model", MODELS, ids=str)
def test_a_block_communicates_what_is_declared(model: Model) -> None:
    tried = list(trials(model, greatest_count))
    assert "\n".join(filter(None, map(failure, tried))) == ""
    strategies = sum(len(block.strategies) for block in analyzed(model).blocks)
    assert len(tried) >= 3 / 4 * strategies


@pytest.mark.slow
@pytest.mark.parametrize("model", [*MODELS, *MORE_MODELS], ids=str)
def test_a_block_communicates_what_is_declared_in_any_number_of_pieces(model: Model) -> None:
    assert "\n".join(filter(None, map(failure, trials(model, every_count)))) == ""


@pytest.mark.smoke
def test_what_is_not_declared_is_complained_about() -> None:
    model = MODELS[0]
    analysis = analyzed(model)
    with_all_reduce = [
        (trial, declared_bytes(strategy, trial.pieces))
        for trial in trials(model, greatest_count)
        for strategy in [analysis.blocks[trial.block].strategies[trial.strategy]]
        if {one.kind for one in strategy.collectives} == {"all-reduce"}
    ]
    trial, declared = with_all_reduce[0]
    found = read_collectives(compiled(trial))
    size = declared["all-reduce"]
    assert complaints(declared, found) == []
    assert complaints(Counter(), found) == [f"all-reduce: {size} bytes found, 0 declared"]
    assert complaints(declared, []) == [f"all-reduce: 0 bytes found, {size} declared"]

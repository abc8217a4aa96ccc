"""The oracle of the tags: an HLO instruction must lead back to the equation that it computes.

Two independent sources must agree. The tag says which equation; the instruction's opcode and shape
say what it computes. Without the right tag they would agree by accident only:

    %dot.7 = f32[8,64] dot(...), metadata={op_name="…/cfp:12/dot_general"}
    equation 12 is a dot_general, and one of its results is [8, 64]
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import pytest
from jax.extend.core import Jaxpr, jaxprs_in_params
from jaxlib.xla_client import XlaComputation

from cfp.ir import TracedStep
from cfp.passes.trace_step import trace_step
from cfp_test import gpt, moe, t5, wresnet

STEPS = {
    "gpt": (gpt, {}),
    "moe": (moe, {}),
    "t5": (t5, {}),
    "wresnet": (wresnet, {}),
    "gpt_in_loops": (gpt, {"scan": True, "remat": True, "accumulation": 2}),
    "gpt_with_dropout": (gpt, {"dropout": 0.1, "num_layer": 2}),
}
PRIMITIVES = {
    "add": "add add_any",
    "and": "and",
    "compare": "eq ne lt le gt ge",
    "convert": "convert_element_type",
    "convolution": "conv_general_dilated",
    "divide": "div",
    "dot": "dot_general",
    "exponential": "exp",
    "log": "log",
    "maximum": "max",
    "multiply": "mul",
    "negate": "neg",
    "power": "pow",
    "reduce": "reduce_sum reduce_max reduce_and reduce_or argmax argmin",
    "rsqrt": "rsqrt",
    "select": "select_n",
    "sqrt": "sqrt",
    "subtract": "sub",
    "tanh": "tanh",
    "transpose": "transpose",
}
EXPANDED = {"random_bits"}  # one equation, a hundred instructions of threefry
TAG = re.compile(r"cfp:(\d+(?:/\d+)*)")
COMPUTATION = re.compile(r"(?:ENTRY )?%(?P<name>\S+) .*\{$")
INSTRUCTION = re.compile(
    r"\s+(?:ROOT )?%\S+ = (?P<shape>\(.*?\)|\S+) (?P<opcode>[\w-]+)\((?P<rest>.*)"
)
CALLED = re.compile(r"(?:to_apply|body|condition)=%([\w.-]+)")
NO_WORK = {"parameter", "constant", "tuple", "get-tuple-element", "call", "while", "conditional"}


@dataclass(frozen=True)
class Instruction:
    """What the text of an HLO instruction says, and the computation it stands in."""

    computation: str
    opcode: str
    shape: tuple[int, ...]
    op_name: str
    called: tuple[str, ...]

    @property
    def tag(self) -> str | None:
        return (TAG.findall(self.op_name) or [None])[-1]


@cache
def traced(name: str) -> TracedStep:
    package, flags = STEPS[name]
    return trace_step(*package.train_step(**flags))


@cache
def instructions(name: str) -> tuple[Instruction, ...]:
    text = XlaComputation(traced(name).hlo).as_hlo_module().to_string()
    return tuple(read_instructions(text))


def read_instructions(text: str) -> Iterator[Instruction]:
    computation = ""
    for line in text.splitlines():
        if header := COMPUTATION.match(line):
            computation = header["name"]
        if found := INSTRUCTION.match(line):
            sizes = re.search(r"\[([\d,]*)\]", found["shape"])
            op_name = re.search(r'op_name="(.*?)"', line)
            yield Instruction(
                computation,
                found["opcode"],
                tuple(int(size) for size in sizes[1].split(",") if size) if sizes else (),
                op_name[1] if op_name else "",
                tuple(CALLED.findall(line)),
            )


def result_shapes(jaxpr: Jaxpr) -> Iterator[tuple[str, list[tuple[int, ...]]]]:
    for eqn in jaxpr.eqns:
        path = TAG.findall(str(eqn.source_info.name_stack))[-1]
        yield path, [var.aval.shape for var in eqn.outvars]
        for nested in jaxprs_in_params(eqn.params):
            yield from result_shapes(nested)


def working(name: str) -> list[Instruction]:
    """The instructions that compute something, without the scalar functions of reductions."""
    everything = instructions(name)
    scalar_functions = {
        called
        for one in everything
        for called in one.called
        if one.opcode not in {"call", "while", "conditional"}
    }
    return [
        one
        for one in everything
        if one.opcode not in NO_WORK and one.computation not in scalar_functions
    ]


@pytest.mark.parametrize("name", STEPS)
def test_a_tag_leads_to_the_equation(name: str) -> None:
    shapes = dict(result_shapes(traced(name).jaxpr.jaxpr))
    primitives = {one.path: one.primitive for one in traced(name).equations}
    known = [
        one
        for one in working(name)
        if one.opcode in PRIMITIVES and one.tag and primitives[one.tag] not in EXPANDED
    ]
    right = [
        one
        for one in known
        if primitives[one.tag] in PRIMITIVES[one.opcode].split() and one.shape in shapes[one.tag]
    ]
    assert len(right) >= 0.9 * len(known) > 100


@pytest.mark.parametrize("name", STEPS)
def test_nearly_all_work_has_a_tag(name: str) -> None:
    """Its own, or its caller's: functions shared by several equations have none."""
    callers = {called: one for one in instructions(name) for called in one.called}

    def has_tag(one: Instruction) -> bool:
        caller = callers.get(one.computation)
        return bool(one.tag) or (caller is not None and has_tag(caller))

    work = working(name)
    assert sum(map(has_tag, work)) >= 0.95 * len(work)


@pytest.mark.parametrize("name", STEPS)
def test_every_contraction_joins_exactly(name: str) -> None:
    step, shapes = traced(name), dict(result_shapes(traced(name).jaxpr.jaxpr))
    contractions = [one for one in working(name) if one.opcode in {"dot", "convolution"}]
    assert len(contractions) > 10
    for one in contractions:
        equation = step.equation(one.tag)
        assert equation.primitive in PRIMITIVES[one.opcode]
        assert shapes[one.tag] == [one.shape]
        assert ("transpose(" in equation.name_stack) == ("transpose(" in one.op_name)
    reached = {one.tag for one in contractions}
    in_jaxpr = {
        one.path
        for one in step.equations
        if one.primitive in {"dot_general", "conv_general_dilated"}
    }
    assert in_jaxpr == reached


@pytest.mark.parametrize("name", STEPS)
def test_forward_and_backward_are_both_there(name: str) -> None:
    stacks = [one.name_stack for one in traced(name).equations if one.primitive == "dot_general"]
    backward = [stack for stack in stacks if "transpose(" in stack]
    assert 0 < len(backward) < len(stacks)

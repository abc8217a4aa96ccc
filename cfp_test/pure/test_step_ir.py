"""TracedStep as data: it checks, prints and writes itself without JAX."""

import base64
import json
import zlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfp.errors import InconsistentError, UnreadableJsonError
from cfp.ir import ArrayInfo, Equation, StaticArgument, TracedStep


def equation(path: str, primitive: str = "add") -> Equation:
    return Equation(path, primitive, "transpose(jvp(Net))/layer", "model.py", 7, "Net.attend")


STEP = TracedStep(
    name="train",
    hlo=b"\x00hlo\xff",
    arguments=(
        ArrayInfo("state.params['w']", (2, 3), "float32", donated=True),
        ArrayInfo("key", (), "key<fry>"),
    ),
    results=(ArrayInfo("result[0]", (2, 3), "float32"),),
    equations=(equation("0", "scan"), equation("0/0", "dot_general")),
    static_arguments=(StaticArgument("mode", "'fast'"),),
)


def test_equations_are_found_by_path() -> None:
    assert STEP.equation("0/0").primitive == "dot_general"
    with pytest.raises(KeyError):
        STEP.equation("0/1")


def test_prints_itself() -> None:
    assert str(STEP) == (
        "step train: 2 arguments, 1 results, 2 equations, 5 bytes of HLO\n"
        "static arguments\n"
        "  mode = 'fast'\n"
        "arguments\n"
        "  float32[2,3]  state.params['w']  donated\n"
        "  key<fry>[]  key\n"
        "results\n"
        "  float32[2,3]  result[0]\n"
        "equations\n"
        "  0  scan  transpose(jvp(Net))/layer  model.py:7 in Net.attend\n"
        "  0/0  dot_general  transpose(jvp(Net))/layer  model.py:7 in Net.attend"
    )


def test_an_equation_without_source_says_so() -> None:
    assert str(Equation("3", "add", "", "", 0, "")) == "3  add  .  unknown"


def test_a_sound_step_verifies() -> None:
    STEP.verify()


@pytest.mark.parametrize(
    ("broken", "fact"),
    [
        (replace(STEP, hlo=b""), "it holds no HLO"),
        (replace(STEP, equations=STEP.equations[:1] * 2), "two equations share a path"),
        (replace(STEP, equations=STEP.equations[1:]), "equation '0/0' has no parent"),
        (replace(STEP, equations=(equation("0/"),)), "equation '0/' has no parent"),
    ],
)
def test_a_contradiction_is_found(broken: TracedStep, fact: str) -> None:
    with pytest.raises(InconsistentError) as found:
        broken.verify()
    assert found.value.what == f"the TracedStep contradicts itself: {fact}"


TEXT = st.text(max_size=8)
ARRAYS = st.builds(ArrayInfo, TEXT, st.lists(st.integers(0, 2**62)).map(tuple), TEXT, st.booleans())
STEPS = st.builds(
    TracedStep,
    name=TEXT,
    hlo=st.binary(max_size=64),
    arguments=st.lists(ARRAYS, max_size=3).map(tuple),
    results=st.lists(ARRAYS, max_size=3).map(tuple),
    equations=st.lists(st.builds(Equation, *[TEXT] * 4, st.integers(), TEXT), max_size=3).map(
        tuple
    ),
    static_arguments=st.lists(st.builds(StaticArgument, TEXT, TEXT), max_size=2).map(tuple),
)


@given(STEPS)
def test_json_returns_the_same_step(step: TracedStep) -> None:
    assert TracedStep.from_json(step.to_json()) == step


def test_json_leaves_out_what_lives_in_memory() -> None:
    step = replace(STEP, jaxpr=object(), in_tree=object(), out_tree=object())
    again = TracedStep.from_json(step.to_json())
    assert again == step
    assert (again.jaxpr, again.in_tree, again.out_tree) == (None, None, None)


def test_hlo_can_be_taken_from_the_json_by_hand() -> None:
    packed = json.loads(STEP.to_json())["hlo"]
    assert zlib.decompress(base64.b64decode(packed)) == STEP.hlo


def mutated(**entries: object) -> str:
    return json.dumps({**json.loads(STEP.to_json()), **entries})


@pytest.mark.parametrize(
    ("text", "place", "problem"),
    [
        ("{", "TracedStep", "Expecting property name"),
        ("[]", "TracedStep", "expected dict, found list"),
        (mutated(kind="Plan"), "TracedStep.kind", "expected 'TracedStep'"),
        (mutated(extra=1), "TracedStep.extra", "is not a known key"),
        ('{"kind": "TracedStep"}', "TracedStep.arguments", "is missing"),
        (mutated(name=3), "TracedStep.name", "expected str, found int"),
        (mutated(hlo="?"), "TracedStep.hlo", "not zlib-packed base64"),
        (mutated(hlo="AAAA"), "TracedStep.hlo", "not zlib-packed base64"),
        (mutated(results=[3]), "TracedStep.results[0]", "expected dict, found int"),
    ],
)
def test_other_json_is_refused(text: str, place: str, problem: str) -> None:
    with pytest.raises(UnreadableJsonError) as found:
        TracedStep.from_json(text)
    assert found.value.where == place
    assert problem in found.value.what


def test_a_wrong_number_deep_inside_is_located() -> None:
    data = json.loads(STEP.to_json())
    data["arguments"][0]["shape"][1] = True
    with pytest.raises(UnreadableJsonError) as found:
        TracedStep.from_json(json.dumps(data))
    assert found.value.where == "TracedStep.arguments[0].shape[1]"

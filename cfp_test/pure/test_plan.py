"""Plan as data: it finds its contradictions, survives its file, and refuses a changed one."""

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfp.errors import (
    CfpError,
    ChangedPlanError,
    InconsistentError,
    PlanFileError,
    UnknownPlanSchemaError,
    UnreadableJsonError,
)
from cfp.ir.layout import AxisCut
from cfp.ir.mesh import Mesh
from cfp.ir.plan import Choice, Plan, Storage

DATA = AxisCut("data", 0)
COLUMNS = AxisCut("model", 1)
W = Storage("state['w']", (COLUMNS,), (64, 96), "float32")
PLAN = Plan(
    name="data x model",
    step="train",
    fingerprint="9f31c0aa" * 8,
    jax_version="0.10.2",
    mesh=Mesh((("data", 4), ("model", 2))),
    choices=(
        Choice((0,), (0, -1), "[batch->data, ., .]"),
        Choice((1, 2), (0, 3), "[batch->data, ., hidden->model]"),
    ),
    storage=(W, Storage("batch['x']", (DATA,), (16, 64), "float32")),
)


def with_cuts(*cuts: AxisCut, **entries: Any) -> Plan:
    return replace(PLAN, storage=(replace(W, cuts=cuts, **entries),))


def with_choice(**entries: Any) -> Plan:
    return replace(PLAN, choices=(replace(PLAN.choices[0], **entries),))


def test_a_sound_plan_verifies() -> None:
    PLAN.verify()
    with_cuts(AxisCut("data", 1, 3), AxisCut("model", 1, 3)).verify()
    with_cuts(AxisCut("data", 7), dtype="", shape=()).verify()  # of an array that is not known


@pytest.mark.parametrize(
    ("broken", "fact"),
    [
        (replace(PLAN, schema=2), "its schema is 2, not 1"),
        (replace(PLAN, choices=PLAN.choices * 2), "block 0 is chosen for twice"),
        (with_choice(blocks=(4, 4)), "block 4 is chosen for twice"),
        (with_choice(blocks=()), "the choice '[batch->data, ., .]' is for no block"),
        (with_choice(blocks=(-2,)), "block -2 is chosen for, and blocks count from 0"),
        (with_choice(strategies=(0,)), "block 0 has 1 strategies on 2 mesh axes"),
        (with_choice(strategies=(0, -2)), "strategy -2 is chosen, and -1 stands for none"),
        (replace(PLAN, storage=(W, W)), "state['w'] is stored twice"),
        (
            with_cuts(AxisCut("expert", 0)),
            "state['w'] is cut by expert, which is no axis of the mesh data:4 x model:2",
        ),
        (
            with_cuts(COLUMNS, DATA),
            "state['w'] is cut by model, data: each once, in the order of the mesh",
        ),
        (
            with_cuts(DATA, DATA),
            "state['w'] is cut by data, data: each once, in the order of the mesh",
        ),
        (with_cuts(AxisCut("data", 0, 0)), "state['w'] is cut inside 0 parts"),
        (with_cuts(AxisCut("data", 2)), "state['w'] is cut at dim 2, which it has not"),
        (with_cuts(AxisCut("data", -1)), "state['w'] is cut at dim -1, which it has not"),
        (
            with_cuts(DATA, AxisCut("model", 0), shape=(12, 2)),
            "state['w'] has 12 at dim 0, which data and model cannot cut into 8 equal parts",
        ),
        (
            with_cuts(AxisCut("model", 1, 3), shape=(2, 8)),
            (
                "state['w'] has 8 at dim 1, which model cannot cut into 2 equal parts inside each "
                "of 3 parts"
            ),
        ),
    ],
)
def test_a_contradiction_is_found(broken: Plan, fact: str) -> None:
    with pytest.raises(InconsistentError) as found:
        broken.verify()
    assert found.value.what == f"the Plan contradicts itself: {fact}"


def test_an_unsound_mesh_is_found() -> None:
    with pytest.raises(InconsistentError, match="two axes share a name"):
        replace(PLAN, mesh=Mesh((("a", 2), ("a", 2)))).verify()


# ---- JSON


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """Sound plans of any names, on meshes of up to three axes."""
    sizes = draw(st.lists(st.integers(1, 4), min_size=1, max_size=3))
    names = [f"axis{number}" for number in range(len(sizes))]
    mesh = Mesh(tuple(zip(names, sizes, strict=True)))
    blocks = draw(st.lists(st.integers(0, 2**40), unique=True, max_size=6))
    choices = tuple(
        Choice((block,), tuple(draw(st.integers(-1, 9)) for _ in sizes), draw(st.text(max_size=5)))
        for block in blocks
    )
    arguments = draw(st.lists(st.text(max_size=6), unique=True, max_size=5))
    storage = tuple(draw(stored(name, mesh)) for name in arguments)
    texts = [draw(st.text(max_size=8)) for _ in range(4)]
    return Plan(*texts, mesh, choices, storage)


@st.composite
def stored(draw: st.DrawFn, name: str, mesh: Mesh) -> Storage:
    cut = [axis for axis in mesh.names if draw(st.booleans())]
    cuts = tuple(AxisCut(axis, draw(st.integers(0, 1)), draw(st.integers(1, 3))) for axis in cut)
    return Storage(
        name, cuts, (12**3 * 6, 12**3 * 6), draw(st.sampled_from(["float32", "key<fry>"]))
    )


@given(plans())
def test_json_returns_the_same_plan(plan: Plan) -> None:
    assert Plan.from_json(plan.to_json()) == plan


def test_how_the_text_is_set_does_not_count() -> None:
    data = json.loads(PLAN.to_json())
    shuffled = dict(reversed(data.items()))
    assert Plan.from_json(json.dumps(shuffled)) == PLAN


@given(plans(), plans())
def test_other_plans_have_another_hash(one: Plan, other: Plan) -> None:
    assert (one.content_hash == other.content_hash) == (one == other)


def places_in(data: Any, place: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to every scalar of a JSON value."""
    keys = data if isinstance(data, dict) else range(len(data)) if isinstance(data, list) else ()
    inner = [one for key in keys for one in places_in(data[key], (*place, key))]
    return inner if isinstance(data, dict | list) else [place]


@pytest.mark.parametrize("place", places_in(json.loads(PLAN.to_json())), ids=str)
@pytest.mark.parametrize("value", [None, 7, "other", [], True])
def test_no_value_can_be_changed(place: tuple[Any, ...], value: object) -> None:
    data = json.loads(PLAN.to_json())
    holder = data
    for key in place[:-1]:
        holder = holder[key]
    holder[place[-1]] = value
    with pytest.raises((ChangedPlanError, UnknownPlanSchemaError, UnreadableJsonError)):
        Plan.from_json(json.dumps(data))


@given(st.integers(0, len(PLAN.to_json()) - 1), st.characters())
def test_a_changed_text_is_an_error_or_the_same_plan(position: int, character: str) -> None:
    text = PLAN.to_json()
    changed = text[:position] + character + text[position + 1 :]
    try:
        assert Plan.from_json(changed) == PLAN
    except CfpError:
        assert changed != text


@pytest.mark.parametrize("text", ["", "{", "[]", "3", "[" * 100_000, '{"kind": "Step"}'])
def test_what_is_no_plan_is_refused(text: str) -> None:
    with pytest.raises(UnreadableJsonError) as found:
        Plan.from_json(text)
    assert found.value.where.startswith("Plan")


def test_a_contradiction_is_refused_even_where_the_hash_is_right() -> None:
    with pytest.raises(InconsistentError):
        Plan.from_json(replace(PLAN, storage=(W, W)).to_json())


def test_a_value_of_another_type_is_refused_even_where_the_hash_is_right() -> None:
    wrong: Any = replace(PLAN, step=3)
    with pytest.raises(UnreadableJsonError) as found:
        Plan.from_json(wrong.to_json())
    assert found.value.where == "Plan.step"


def test_another_schema_is_told_before_anything_is_read() -> None:
    with pytest.raises(UnknownPlanSchemaError):
        Plan.from_json('{"kind": "Plan", "schema": 9, "decisions": []}')


# ---- files


def test_a_file_returns_the_same_plan(tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    PLAN.save(file)
    assert Plan.load(str(file)) == PLAN
    replace(PLAN, name="another").save(str(file))
    assert Plan.load(file).name == "another"
    assert [one.name for one in tmp_path.iterdir()] == ["plan.json"]


def test_an_interrupted_save_leaves_the_old_plan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "plan.json"
    PLAN.save(file)
    monkeypatch.setattr(Path, "replace", interrupted)
    with pytest.raises(PlanFileError):
        replace(PLAN, name="another").save(file)
    assert Plan.load(file) == PLAN
    assert [one.name for one in tmp_path.iterdir()] == ["plan.json"]


def interrupted(*_: object) -> None:
    raise OSError(28, "No space left on device")


def test_a_saved_plan_is_as_readable_as_other_files(tmp_path: Path) -> None:
    (tmp_path / "other").write_text("")
    PLAN.save(tmp_path / "plan.json")
    modes = {file.stat().st_mode for file in tmp_path.iterdir()}
    assert len(modes) == 1


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(PlanFileError) as found:
        Plan.load(tmp_path / "none.json")
    assert found.value.what == (
        f"the file {tmp_path}{os.sep}none.json cannot be opened: No such file or directory"
    )
    with pytest.raises(PlanFileError):
        PLAN.save(tmp_path / "none" / "plan.json")


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(PlanFileError):
        Plan.load(tmp_path / "plan.json")


def test_an_error_in_a_file_names_the_file(tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    file.write_text(PLAN.to_json().replace("batch", "bench"))
    with pytest.raises(ChangedPlanError) as found:
        Plan.load(file)
    assert found.value.__notes__ == [f"  file:  {file}"]

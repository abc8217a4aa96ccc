"""Collectives read off a program, and compared with what a layout predicts."""

from dataclasses import replace

import pytest

from cfp.audit.collectives import compare_collectives
from cfp.audit.found_collectives import found_collectives
from cfp.formats.hlo_text import read_program
from cfp.ir.audit import Traffic
from cfp.ir.layout import Layout, Transfer
from cfp.ir.mesh import Mesh
from cfp.ir.op import Source
from cfp.ir.step import Equation, TracedStep
from cfp_test.pure.small_steps import analysis, op

MESH = Mesh.parse("data:4 x model:2")
DATA, MODEL, BOTH = "[2,4]<=[4,2]T(1,0)", "[4,2]<=[8]", "[1,8]<=[8]"
STEP = TracedStep("step", b"hlo", (), (), (Equation("7", "dot_general", "", "net.py", 3, "f"),))


def found_in(*lines):
    text = "\n  ".join(("%x = f32[4,8]{1,0} parameter(0)", *lines))
    program = read_program(f"ENTRY %main (x: f32[4,8]) -> f32[] {{\n  {text}\n}}\n")
    return list(found_collectives(program, MESH))


def told(found):
    return [(one.kind, one.axes, one.elements, one.size_bytes, one.times) for one in found]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            f"%a = f32[4,8]{{1,0}} all-reduce(%x), replica_groups={DATA}, to_apply=%add",
            [("all-reduce", ("data",), 32, 128, 1)],
        ),
        (
            f"%a = (f32[4,8]{{1,0}}, bf16[8]{{0}}) all-reduce(%x, %x), replica_groups={MODEL}",
            [("all-reduce", ("model",), 32, 128, 1), ("all-reduce", ("model",), 8, 16, 1)],
        ),
        (
            f"%a = f32[4,8]{{1,0}} reduce-scatter(%x), replica_groups={DATA}, dimensions={{0}}",
            [("reduce-scatter", ("data",), 128, 512, 1)],
        ),
        (
            f"%a = (f32[2,8]{{1,0}}, f32[2,8]{{1,0}}) all-to-all(%x, %x), replica_groups={MODEL}",
            [("all-to-all", ("model",), 32, 128, 1)],
        ),
        (
            f"%a = f32[32,8]{{1,0}} all-gather(%x), replica_groups={BOTH}, dimensions={{0}}",
            [("all-gather", ("data", "model"), 256, 1024, 1)],
        ),
        (
            "%a = f32[4,8]{1,0} collective-permute(%x), source_target_pairs={{0,2},{2,4}}",
            [("collective-permute", ("data",), 32, 128, 1)],
        ),
        ("%a = f32[4,8]{1,0} all-reduce(%x), replica_groups=[8,1]<=[8]", []),
        ("%a = f32[4,8]{1,0} add(%x, %x)", []),
    ],
)
def test_a_collective_is_read(line, expected):
    assert told(found_in(line)) == expected


def test_an_asynchronous_collective_counts_once_with_the_axes_of_its_start():
    found = found_in(
        f"%s = (f32[4,8]{{1,0}}, f32[8,8]{{1,0}}) all-gather-start(%x), replica_groups={MODEL}",
        "%d = f32[8,8]{1,0} all-gather-done(%s)",
    )
    assert told(found) == [("all-gather", ("model",), 64, 256, 1)]


# ---- compared


def layout(*transfers):
    return Layout(MESH, (), (), (), (), (), transfers)


def compare(found, *transfers, platform="cpu", shape="f32[16,8]"):
    ops = (op("dot", shape),)
    made = analysis(ops, (), {})
    return compare_collectives(found, STEP, made, layout(*transfers), platform)


def all_reduce(axes, name="a"):
    metadata = 'metadata={op_name="jit(step)/cfp:7/dot_general"}'
    return f"%{name} = f32[4,8]{{1,0}} all-reduce(%x), replica_groups={axes}, {metadata}"


def test_what_was_predicted_is_explained():
    traffic, unexplained = compare(
        found_in(all_reduce(DATA)), Transfer("all-reduce", "data", 0, -1, 1, 128)
    )
    assert traffic == (Traffic("all-reduce", "data", 1, 128, 1, 128),)
    assert unexplained == ()


def test_what_was_not_predicted_is_told_with_its_line():
    _, (one,) = compare(found_in(all_reduce(MODEL)), Transfer("all-reduce", "data", 0, -1, 1, 128))
    assert (one.kind, one.axes, one.shape, one.size_bytes) == (
        "all-reduce",
        "model",
        "f32[4,8]",
        128,
    )
    assert (one.equation, one.source) == ("7", "net.py:3 in f")


def test_a_prediction_explains_as_many_as_it_expects():
    found = found_in(all_reduce(DATA, "a"), all_reduce(DATA, "b"), all_reduce(DATA, "c"))
    _, unexplained = compare(found, Transfer("all-reduce", "data", 0, -1, 2, 128))
    assert [one.instruction for one in unexplained] == ["c"]


def test_one_collective_along_two_axes_counts_on_each():
    both = (
        Transfer("all-reduce", "data", 0, -1, 1, 128),
        Transfer("all-reduce", "model", 0, -1, 1, 128),
    )
    traffic, unexplained = compare(found_in(all_reduce(BOTH)), *both)
    assert [(one.axis, one.found, one.found_bytes) for one in traffic] == [
        ("data", 1, 128),
        ("model", 1, 128),
    ]
    assert unexplained == ()


def test_a_gather_along_two_axes_grows():
    line = f"%a = f32[32,8]{{1,0}} all-gather(%x), replica_groups={BOTH}, dimensions={{0}}"
    both = (
        Transfer("all-gather", "model", 0, -1, 1, 256),
        Transfer("all-gather", "data", 0, -1, 1, 1024),
    )
    assert compare(found_in(line), *both)[1] == ()


@pytest.mark.parametrize(("platform", "explained"), [("cpu", True), ("tpu", False)])
def test_where_there_is_no_reduce_scatter_an_all_reduce_stands_for_it(platform, explained):
    planned = Transfer("reduce-scatter", "data", 0, -1, 1, 128)
    _, unexplained = compare(found_in(all_reduce(DATA)), planned, platform=platform)
    assert (unexplained == ()) == explained


def test_numbers_are_compared_not_bytes():
    planned = Transfer("all-reduce", "data", 0, -1, 1, 64)
    assert compare(found_in(all_reduce(DATA)), planned, shape="bf16[16,8]")[1] == ()


def test_a_collective_of_another_size_is_explained_by_its_place():
    made = analysis(
        (replace(op("dot", "f32[16,8]"), source=Source("net.py", 3, "f", "7")),), (), {}
    )
    planned = layout(Transfer("all-reduce", "data", 0, -1, 1, 512))
    assert compare_collectives(found_in(all_reduce(DATA)), STEP, made, planned, "cpu")[1] == ()

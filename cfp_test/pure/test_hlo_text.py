"""A compiled program, read from the text that XLA prints."""

from dataclasses import replace

import pytest

from cfp.formats.hlo_text import read_program
from cfp.ir.compiled import Array

LOOP = """\
HloModule jit_f, is_scheduled=true, entry_computation_layout={(f32[8,4]{1,0})->f32[8,4]{1,0}}

%add (x: f32[], y: f32[]) -> f32[] {
  %x = f32[] parameter(0)
  %y = f32[] parameter(1)
  ROOT %sum = f32[] add(%x, %y)
}

%product (p0: f32[8,4], p1: f32[4,4]) -> f32[8,4] {
  %p0 = f32[8,4]{1,0} parameter(0)
  %p1 = f32[4,4]{1,0} parameter(1)
  ROOT %dot.4 = f32[8,4]{1,0} dot(%p0, %p1), lhs_contracting_dims={1}, rhs_contracting_dims={0}, \
metadata={op_name="jit(f)/while/body/cfp:3/0/dot_general" stack_frame_id=6}
}

%body (carried: (s32[], f32[8,4])) -> (s32[], f32[8,4]) {
  %carried = (s32[], f32[8,4]{1,0}) parameter(0)
  %i = s32[] get-tuple-element(%carried), index=0
  %h = f32[8,4]{1,0} get-tuple-element(%carried), index=1
  %w = f32[4,4]{1,0} constant({...})
  %fused = f32[8,4]{1,0} fusion(%h, %w), kind=kCustom, calls=%product
  %all-reduce.3 = f32[8,4]{1,0} all-reduce(%fused), replica_groups=[4,2]<=[8], to_apply=%add
  ROOT %next = (s32[], /*index=1*/f32[8,4]{1,0}) tuple(%i, %all-reduce.3)
}

%less (i: s32[], n: s32[]) -> pred[] {
  %i.1 = s32[] parameter(0)
  %n.1 = s32[] parameter(1)
  ROOT %lt = pred[] compare(%i.1, %n.1), direction=LT
}

%condition (state: (s32[], f32[8,4])) -> pred[] {
  %state = (s32[], f32[8,4]{1,0}) parameter(0)
  %limit = s32[] constant(5)
  %count = s32[] get-tuple-element(%state), index=0
  ROOT %go = pred[] fusion(%count, %limit), kind=kLoop, calls=%less
}

ENTRY %main (arg: f32[8,4]) -> f32[8,4] {
  %arg = f32[8,4]{1,0:T(8,128)} parameter(0), metadata={op_name="arrays[0]"}
  %zero = s32[] constant(0)
  %start = (s32[], f32[8,4]{1,0}) tuple(%zero, %arg)
  %while.1 = (s32[], f32[8,4]{1,0}) while(%start), condition=%condition, body=%body, KNOWN
  ROOT %result = f32[8,4]{1,0} get-tuple-element(%while.1), index=1
}
"""
KNOWN = 'backend_config={"known_trip_count":{"n":"7"}}'


def named(program, name):
    return next(
        one for each in program.computations for one in each.instructions if one.name == name
    )


def test_instructions_have_shapes_operands_and_what_they_call():
    program = read_program(LOOP)
    loop = named(program, "while.1")
    assert (loop.opcode, loop.operands, loop.called) == ("while", ("start",), ("condition", "body"))
    assert loop.arrays == (Array("s32", ()), Array("f32", (8, 4)))
    assert loop.size_bytes == 4 + 128
    assert named(program, "next").operands == ("i", "all-reduce.3")
    assert program.entry.name == "main"


def test_what_a_reduction_applies_is_no_part_of_the_program():
    program = read_program(LOOP)
    assert named(program, "all-reduce.3").called == ()
    assert program.times["add"] == 0


def test_the_last_tag_names_the_equation():
    dot = named(read_program(LOOP), "dot.4")
    assert dot.equation == "3/0"
    assert dot.numbers("lhs_contracting_dims") == (1,)
    assert dot.numbers("lhs_batch_dims") == ()
    assert named(read_program(LOOP), "arg").equation == ""


@pytest.mark.parametrize(("known", "trips"), [(KNOWN, 7), ("", 5)])
def test_a_loop_runs_as_often_as_xla_says_or_its_condition(known, trips):
    program = read_program(LOOP.replace("KNOWN", known))
    assert program.times["body"] == program.times["product"] == trips
    assert dict(program.executed())[named(program, "dot.4")] == trips


def test_a_loop_that_nobody_can_count_runs_once():
    program = read_program(LOOP.replace("direction=LT", "direction=NE"))
    assert program.times["body"] == 1


def test_text_without_signs_reads_the_same():
    bare, signed = read_program(LOOP.replace("%", "")), read_program(LOOP)
    assert bare.times == signed.times
    for name in ("while.1", "next", "dot.4", "all-reduce.3"):
        attributes = named(signed, name).attributes
        assert replace(named(bare, name), attributes=attributes) == named(signed, name)


@pytest.mark.parametrize(
    ("line", "arrays", "size"),
    [
        ("%c = pred[3]{0} constant({1, 0, 1})", (Array("pred", (3,)),), 3),
        ("%k = s4[3]{0} parameter(0)", (Array("s4", (3,)),), 2),
        ("%b = bf16[<=4,2]{1,0} parameter(0)", (Array("bf16", (4, 2)),), 16),
        ("%t = (f32[8,4]{1,0}, (pred[8], c64[2])) tuple(%a)", None, 128 + 8 + 16),
    ],
)
def test_sizes(line, arrays, size):
    program = read_program(f"ENTRY %main () -> f32[] {{\n  {line}\n}}\n")
    found = program.entry.instructions[0]
    assert found.size_bytes == size
    assert arrays in (None, found.arrays)

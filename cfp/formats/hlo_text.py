"""Reads the text of a compiled program: what `compiled.as_text()` gives.

    %while.1 = (s32[], f32[4,8]{1,0}) while(%tuple.3), condition=%cond, body=%body, metadata={…}

becomes the Instruction "while.1" with the arrays s32[] and f32[4,8], the operand "tuple.3" and the
called computations "cond" and "body". What XLA prints is no promised format: a line that is not an
instruction is passed over, and attributes stay text.
"""

import re
from collections.abc import Iterator

from cfp.ir.compiled import Array, CompiledProgram, Computation, Instruction

_HEADER = re.compile(r"(ENTRY )?%?([\w.\-]+)(?: \(.*)? \{$")
_INSTRUCTION = re.compile(r"\s+(?:ROOT )?%?([\w.\-]+) = ")
_ARRAY = re.compile(r"([a-z]\w*)\[([\d,<=]*)\]")
_OPCODE = re.compile(r"\s*([\w\-]+)\(")
_BRACKETS = re.compile(r"\[[^\]]*\]|\{[^}]*\}")
_NAME = re.compile(r"%?([\w.\-]+)")
_CALLED = re.compile(
    r"\b(?:calls|to_apply|body|condition|true_computation|false_computation)=%?([\w.\-]+)"
)
_BRANCHES = re.compile(r"\b(?:branch_computations|calls|called_computations)=\{([^}]*)\}")
_OP_NAME = re.compile(r'op_name="([^"]*)"')
_COMMENT = re.compile(r"/\*.*?\*/")
_NO_OPERANDS = ("constant", "iota", "parameter")
# What these call is a function of single numbers, which they apply; it is no part of the program.
_APPLY_A_FUNCTION = (
    *("all-reduce", "all-reduce-start", "reduce", "reduce-scatter", "reduce-window"),
    *("scatter", "select-and-scatter", "sort", "map"),
)


def read_program(text: str) -> CompiledProgram:
    """The program; a called computation is printed before those that call it, the entry is last."""
    computations: list[Computation] = []
    entry: list[Computation] = []
    header: re.Match[str] | None = None
    instructions: list[Instruction] = []
    for line in text.splitlines():
        if found := _HEADER.match(line):
            header, instructions = found, []
        elif header and line == "}":
            computation = Computation(header[2], tuple(instructions))
            (entry if header[1] else computations).append(computation)
            header = None
        elif header and (start := _INSTRUCTION.match(line)):
            instructions.append(_read_instruction(start[1], _COMMENT.sub("", line[start.end() :])))
    return CompiledProgram((*computations, *entry))


def _read_instruction(name: str, text: str) -> Instruction:
    """The instruction after `name = `."""
    shape_end = _closing(text, 0) if text.startswith("(") else text.index(" ")
    opcode = _OPCODE.match(text, shape_end)
    start = opcode.end() if opcode else len(text)
    end = _closing(text, start - 1)
    inside, attributes = text[start : end - 1], text[end:]
    op_name = _OP_NAME.search(attributes)
    kind = opcode[1] if opcode else ""
    return Instruction(
        name=name,
        opcode=kind,
        arrays=tuple(_read_arrays(text[:shape_end])),
        operands=() if kind in _NO_OPERANDS else tuple(_read_operands(inside)),
        called=() if kind in _APPLY_A_FUNCTION else tuple(_read_called(attributes)),
        op_name=op_name[1] if op_name else "",
        attributes=attributes,
        literal=inside if kind == "constant" else "",
    )


def _read_operands(text: str) -> Iterator[str]:
    """The names in `%x.1, f32[8,4]{1,0} %y`; the sign and the shape may be missing."""
    for part in _BRACKETS.sub("", text).split(","):
        if words := part.split():
            yield words[-1].removeprefix("%")


def _read_arrays(shape: str) -> Iterator[Array]:
    """The arrays of `(f32[8,4]{1,0}, pred[])`; of a dynamic dimension `<=4` the bound."""
    for found in _ARRAY.finditer(shape):
        sizes = found[2].replace("<=", "").split(",")
        yield Array(found[1], tuple(int(size) for size in sizes if size))


def _read_called(attributes: str) -> Iterator[str]:
    yield from _CALLED.findall(attributes)
    for found in _BRANCHES.finditer(attributes):
        yield from _NAME.findall(found[1])


def _closing(text: str, opening: int) -> int:
    """The place after the bracket that closes the one at `opening`."""
    depth = 0
    for place in range(opening, len(text)):
        depth += (text[place] in "({[") - (text[place] in ")}]")
        if depth == 0:
            return place + 1
    return len(text)

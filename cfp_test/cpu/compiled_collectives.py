"""Reads a partitioned program: what it sends between devices, and how much each device multiplies.

    %all-reduce.3 = f32[8,32]{1,0} all-reduce(%dot.1), ..., metadata={op_name="%41 .../dot_general"}
        ->  Found("all-reduce", 1024, "f32[8,32]{1,0}", "%41 .../dot_general")

Several collectives may be combined into one with a tuple of results: every element counts. An
asynchronous one is a start and a done, and counts at its done, whose result is what was asked for.
"""

from __future__ import annotations

import re
from math import prod
from typing import NamedTuple

_COLLECTIVE = re.compile(
    r"^\s*(?:ROOT )?%\S+ = (?P<shape>.+?) (?P<kind>all-reduce|all-gather|reduce-scatter|"
    r"ragged-all-to-all|all-to-all|collective-permute|collective-broadcast)(?:-done)?\("
)
_PRODUCT = re.compile(
    r"^\s*(?:ROOT )?%\S+ = (?P<shape>\S+) (?P<opcode>dot|convolution)"
    r"\(%(?P<lhs>\S+), %(?P<rhs>\S+)\)"
)
_RESULT = re.compile(r"^\s*(?:ROOT )?%(?P<name>\S+) = (?P<shape>\w+\[[\d,]*\])")
_ARRAY = re.compile(r"(?P<type>\w+)\[(?P<dims>[\d,]*)\]")
_BITS = re.compile(r"\d+")
_CONTRACTED = re.compile(r"lhs_contracting_dims=\{([\d,]*)\}")
_KERNEL = re.compile(r"dim_labels=\w+_(\w+)->")
_OP_NAME = re.compile(r'op_name="([^"]*)"')


class Found(NamedTuple):
    """One collective of a partitioned program; `size_bytes` is what one device ends up with."""

    kind: str
    size_bytes: int
    shape: str
    op_name: str


def read_collectives(hlo: str) -> list[Found]:
    """Every collective of an HLO text, in the order of the text."""
    found: list[Found] = []
    for line in hlo.splitlines():
        if match := _COLLECTIVE.match(line):
            op_name = _OP_NAME.search(line)
            shape = match["shape"]
            found.append(
                Found(match["kind"], size_bytes(shape), shape, op_name[1] if op_name else "")
            )
    return found


def size_bytes(shape: str) -> int:
    """Of an array, or of all elements of a tuple: `(f32[8,4]{1,0}, pred[8])` is 136 bytes."""
    return sum(
        (_bits(array["type"]) * prod(_dims(array["dims"])) + 7) // 8
        for array in _ARRAY.finditer(shape)
    )


def read_products(hlo: str) -> int:
    """How many products one device computes in all dots and convolutions of an HLO text."""
    dims_of = {
        match["name"]: _dims_of(match["shape"])
        for match in map(_RESULT.match, hlo.splitlines())
        if match
    }
    total = 0
    for line in hlo.splitlines():
        match = _PRODUCT.match(line)
        if match and match["opcode"] == "dot":
            contracted = _CONTRACTED.search(line)
            lhs = dims_of[match["lhs"]]
            total += prod(_dims_of(match["shape"])) * prod(
                lhs[dim] for dim in _dims(contracted[1] if contracted else "")
            )
        elif match:
            kernel = dims_of[match["rhs"]]
            labels = _KERNEL.search(line)
            features = labels[1].index("o") if labels else 0
            total += prod(_dims_of(match["shape"])) * prod(kernel) // kernel[features]
    return total


def _bits(element: str) -> int:
    """`f32` has 32, `pred` 8."""
    digits = _BITS.search(element)
    return int(digits[0]) if digits else 8


def _dims_of(shape: str) -> list[int]:
    array = _ARRAY.match(shape)
    return _dims(array["dims"]) if array else []


def _dims(text: str) -> list[int]:
    return [int(size) for size in text.split(",") if size]

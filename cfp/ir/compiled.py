"""The program that XLA made of a step for one device, as far as an audit reads it.

    ENTRY main                        executed once
      %all-gather.2   f32[16,32]      of %get-tuple-element.21, op_name "…/cfp:7/dot_general"
      %while.14       (s32[], …)      body region_0: executed 5 times, known_trip_count of the loop

An instruction keeps its attributes as XLA printed them. `read_program` makes it of the text.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from math import prod

from cfp.ir.shape import bits

_TAG = re.compile(r"cfp:(\d+(?:/\d+)*)(?=[/)]|$)")
_KNOWN_TRIPS = re.compile(r'"known_trip_count":\{"n":"(\d+)"')


@dataclass(frozen=True, slots=True)
class Array:
    """`bf16[8,32]`: what one device holds of a value."""

    dtype: str
    dims: tuple[int, ...]

    @property
    def elements(self) -> int:
        """How many numbers it holds."""
        return prod(self.dims)

    @property
    def size_bytes(self) -> int:
        """What it takes in memory."""
        return -(-self.elements * bits(self.dtype) // 8)

    def __str__(self) -> str:
        return f"{self.dtype}[{','.join(map(str, self.dims))}]"


@dataclass(frozen=True, slots=True)
class Instruction:
    """One line of the program; `arrays` are the elements of its result, one unless it is a tuple.

    called are the computations that it runs: the body of a loop, what a fusion holds. A literal is
    what stands between the brackets of a constant.
    """

    name: str
    opcode: str
    arrays: tuple[Array, ...]
    operands: tuple[str, ...]
    called: tuple[str, ...]
    op_name: str
    attributes: str
    literal: str = ""

    @property
    def equation(self) -> str:
        """The path of the equation it was lowered from: the last tag of its op_name, or ""."""
        tags = _TAG.findall(self.op_name)
        return tags[-1] if tags else ""

    @property
    def size_bytes(self) -> int:
        """Of all elements of its result."""
        return sum(one.size_bytes for one in self.arrays)

    def numbers(self, attribute: str) -> tuple[int, ...]:
        """`(2,)` for `lhs_contracting_dims={2}`; () where there is no such attribute."""
        found = re.search(rf"\b{attribute}=\{{([\d,]*)\}}", self.attributes)
        return tuple(int(one) for one in found[1].split(",") if one) if found else ()

    def word(self, attribute: str) -> str:
        """`LT` for `direction=LT`; "" where there is no such attribute."""
        found = re.search(rf"\b{attribute}=%?([^\s,]+)", self.attributes)
        return found[1] if found else ""


@dataclass(frozen=True, slots=True)
class Computation:
    """A list of instructions in the order in which they run; operands come first."""

    name: str
    instructions: tuple[Instruction, ...]


@dataclass(frozen=True)
class CompiledProgram:
    """All computations of a module, the called ones before those that call them."""

    computations: tuple[Computation, ...]

    @property
    def entry(self) -> Computation:
        """The computation that runs when the program does."""
        return self.computations[-1]

    @cached_property
    def by_name(self) -> dict[str, Computation]:
        """Each computation under its name."""
        return {one.name: one for one in self.computations}

    @cached_property
    def times(self) -> dict[str, int]:
        """How often each computation runs in one step; 0 for one that nothing calls."""
        times = dict.fromkeys(self.by_name, 0)
        times[self.entry.name] = 1
        for caller in reversed(self.computations):
            for one in caller.instructions:
                for called in one.called:
                    times[called] += times[caller.name] * self.trips(one)
        return times

    def executed(self) -> Iterator[tuple[Instruction, int]]:
        """Every instruction that runs, with how often it does in one step."""
        for computation in self.computations:
            if times := self.times[computation.name]:
                yield from ((one, times) for one in computation.instructions)

    def trips(self, instruction: Instruction) -> int:
        """How often an instruction runs what it calls: the trip count of a loop, else 1.

        XLA writes the count where it knows it. Else it is read off a condition that compares a
        counter with a constant; a loop without either counts once.
        """
        if instruction.opcode != "while":
            return 1
        if known := _KNOWN_TRIPS.search(instruction.attributes):
            return int(known[1])
        return self._bound(instruction.word("condition"))

    def _bound(self, condition: str) -> int:
        """N of `counter < N`."""
        instructions = self.by_name[condition].instructions
        inside = [
            inner
            for one in instructions
            for called in one.called
            for inner in self.by_name[called].instructions
        ]
        compares = [one for one in (*instructions, *inside) if one.opcode == "compare"]
        bounds = [one.literal for one in instructions if one.opcode == "constant"]
        counts = len(compares) == 1 and compares[0].word("direction") == "LT" and len(bounds) == 1
        return int(bounds[0]) if counts and bounds[0].isdecimal() else 1

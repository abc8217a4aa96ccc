"""Which values of a step take memory, and what must lie in memory when an op runs.

    h = x·W        a dot writes its result                           buffer h
    a = h + b      fused into its reader                             none: the reader reads h and b
    y = exp(a)     several read it, and it is dear to repeat         buffer y, made of h and b
    z = y as [4]   a view                                            lies in buffer y
    loop           carries s over its trips, updates it in place     buffer s

A compiler that fuses works about so. The assumptions, none of them fitted to a compiler:
- contractions, reductions and all that cannot be fused read and write memory;
- an elementwise op is computed by those that read it, unless one of them cannot be fused or stands
  in another region, or the op is dear (a division, an exponential) and several read it;
- views, constants, iotas and broadcasts take nothing; a loop's state takes one buffer per value.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from cfp.ir.analysis import Analysis
from cfp.ir.op import Op

_VIEWS = frozenset(
    ("bitcast", "bitcast-convert", "copy", "get-tuple-element", "optimization-barrier", "reshape")
)
_FREE = frozenset(("broadcast", "constant", "iota", "parameter", "partition-id", "replica-id"))
_DEAR = frozenset(
    (
        *("atan2", "cbrt", "cosine", "divide", "erf", "exponential", "exponential-minus-one"),
        *("log", "log-plus-one", "logistic", "power", "remainder", "rsqrt", "sine", "sqrt"),
        *("tan", "tanh"),
    )
)
_CHEAP = frozenset(
    (
        *("abs", "add", "and", "broadcast", "ceil", "clamp", "compare", "complex", "concatenate"),
        *("convert", "count-leading-zeros", "dynamic-slice", "dynamic-update-slice", "floor"),
        *("gather", "imag", "iota", "is-finite", "maximum", "minimum", "multiply", "negate"),
        *("not", "or", "pad", "popcnt", "real", "reduce-precision", "reverse"),
        *("round-nearest-afz", "round-nearest-even", "select", "shift-left"),
        *("shift-right-arithmetic", "shift-right-logical", "sign", "slice", "subtract"),
        *("transpose", "xor"),
    )
)
_FUSED = _DEAR | _CHEAP
_RUNS_A_REGION = frozenset(("loop", "branch"))

Buffer = int  # the op that makes it, or the parameter or carry that it is


@dataclass(frozen=True, slots=True)
class Task:
    """Something that runs: an op with all that is fused into it, or a loop with its bodies."""

    op: int
    reads: frozenset[Buffer]
    makes: tuple[Buffer, ...]
    regions: tuple[int, ...] = ()


class Buffers:
    """The buffers of a step: `home` is where each op's value lies, `read` what computing it reads.

    A value without memory of its own reads what it is computed of; one with memory, itself.
    """

    def __init__(self, analysis: Analysis) -> None:
        self._analysis = analysis
        self._bodies = _bodies(analysis)
        self._carries = _carries(analysis)
        self.home = self._homes()
        self.is_made = self._find_made()
        self.read = self._find_read()
        self._runners = self._find_runners()

    def region_of(self, buffer: Buffer) -> int:
        """The region in which a buffer must be alive: a loop's state is alive around it."""
        op = self._analysis.ops[buffer]
        return self._analysis.regions[op.region].parent if op.opcode == "carry" else op.region

    def may_overwrite(self, task: Task) -> bool:
        """Whether a task can write its result over an operand of the same size."""
        return bool(task.regions) or self._analysis.ops[task.op].opcode in _FUSED

    def tasks(self, region: int) -> list[Task]:
        """What runs in a region, in the order of the ops."""
        return [
            Task(number, self._reads(number), self._makes(number), self._bodies.get(number, ()))
            for number, op in enumerate(self._analysis.ops)
            if op.region == region and self._runs(number)
        ]

    def runner(self, number: int) -> int:
        """The op whose task computes an op: itself, or the first that it is fused into."""
        return self._runners[number]

    def outlast(self, region: int) -> frozenset[Buffer]:
        """What a loop's body makes for its next trip."""
        owner = next((op for op, bodies in self._bodies.items() if region in bodies), None)
        return self._inputs(owner) if owner is not None else frozenset()

    # ---- where values lie

    def _homes(self) -> list[Buffer]:
        """A view lies where its operand does, a result or an in-place update in a loop's state."""
        home: list[Buffer] = []
        states = {op: self._states(op) for op in self._bodies}
        for number, op in enumerate(self._analysis.ops):
            first = op.operands[0] if op.operands else -1
            if first in self._bodies and op.opcode == "get-tuple-element":
                home.append(self._take_alike(states[first], number))
            elif first >= 0 and (self._is_view(op, first) or self._is_update(op, home[first])):
                home.append(home[first])
            else:
                home.append(number)
        return home

    def _states(self, owner: int) -> list[Buffer]:
        """What a loop carries."""
        return [one for body in self._bodies[owner] for one in self._carries.get(body, ())]

    def _take_alike(self, states: list[Buffer], result: int) -> Buffer:
        """Takes the state that a result of a loop is: the first of its shape that is left."""
        ops = self._analysis.ops
        alike = [one for one in states if ops[one].shape == ops[result].shape]
        if alike:
            states.remove(alike[0])
        return alike[0] if alike else result

    def _is_view(self, op: Op, operand: int) -> bool:
        return op.opcode in _VIEWS and op.region == self._analysis.ops[operand].region

    def _is_update(self, op: Op, home: Buffer) -> bool:
        """Whether it writes a part of a loop's state in its place."""
        carried = self._analysis.ops[home].opcode == "carry"
        return carried and op.opcode == "dynamic-update-slice"

    # ---- which take memory

    def _find_made(self) -> list[bool]:
        ops = self._analysis.ops
        readers: list[list[int]] = [[] for _ in ops]
        for number, op in enumerate(ops):
            for one in op.operands:
                if self.home[number] != self.home[one]:
                    readers[self.home[one]].append(number)
        results = {self.home[one] for one in self._analysis.results if one >= 0}
        return [
            self.home[number] == number
            and (number in results or self._needs_memory(number, readers[number]))
            for number in range(len(ops))
        ]

    def _needs_memory(self, number: int, readers: list[int]) -> bool:
        op = self._analysis.ops[number]
        if op.opcode in _FREE or op.opcode in _RUNS_A_REGION:
            return False
        if op.opcode not in _FUSED or not readers:
            return True
        if op.opcode in _DEAR and len(readers) > 1:
            return True
        return any(not self._is_fused_into(op.region, reader) for reader in readers)

    def _is_fused_into(self, region: int, reader: int) -> bool:
        op = self._analysis.ops[reader]
        return op.region == region and (op.opcode in _FUSED or op.opcode == "reduce")

    def _find_read(self) -> list[frozenset[Buffer]]:
        read: list[frozenset[Buffer]] = []
        for number, op in enumerate(self._analysis.ops):
            home = self.home[number]
            if self.is_made[home] or op.opcode == "parameter":
                read.append(frozenset((home,)))
            elif home != number:
                read.append(read[home])
            elif op.opcode in _FREE:
                read.append(frozenset())
            else:
                read.append(frozenset[Buffer]().union(*(read[one] for one in op.operands)))
        return read

    # ---- what runs

    def _runs(self, number: int) -> bool:
        op = self._analysis.ops[number]
        if op.opcode in ("carry", "parameter"):
            return False
        updates = op.opcode == "dynamic-update-slice" and self.home[number] != number
        return self.is_made[number] or updates or number in self._bodies

    def _find_runners(self) -> list[int]:
        ops = self._analysis.ops
        runners = list(range(len(ops)))
        first: dict[int, int] = {}
        for number in reversed(range(len(ops))):
            if not self._runs(number):
                runners[number] = first.get(number, number)
            for one in ops[number].operands:
                first[one] = min(first.get(one, number), runners[number])
        return runners

    def _inputs(self, number: int) -> frozenset[Buffer]:
        operands = self._analysis.ops[number].operands
        return frozenset[Buffer]().union(*(self.read[one] for one in operands))

    def _reads(self, number: int) -> frozenset[Buffer]:
        """Of a loop, all that its bodies and the bodies in them read from outside."""
        region = self._analysis.ops[number].region
        reads = self._inputs(number)
        if number in self._bodies:
            inside = [self._inputs(one) for one in self._inside(number)]
            reads = frozenset(one for one in reads.union(*inside) if self.region_of(one) == region)
        return reads

    def _inside(self, owner: int) -> Iterator[int]:
        """The ops of all regions that an op runs, however deep."""
        regions = self._analysis.regions
        nested = set(self._bodies[owner])
        for number, region in enumerate(regions):
            if region.parent in nested:
                nested.add(number)
        yield from (number for number, op in enumerate(self._analysis.ops) if op.region in nested)

    def _makes(self, number: int) -> tuple[Buffer, ...]:
        states = self._states(number) if number in self._bodies else []
        return (*states, number) if self.is_made[number] else tuple(states)


def _bodies(analysis: Analysis) -> dict[int, tuple[int, ...]]:
    """The op that runs each region: the first of its kind that comes after the region's ops."""
    last: dict[int, int] = {}
    for number, op in enumerate(analysis.ops):
        last[op.region] = number
    bodies: dict[int, tuple[int, ...]] = {}
    for region, ends in last.items():
        parent = analysis.regions[region].parent
        for number in range(ends + 1, len(analysis.ops)):
            op = analysis.ops[number]
            if parent >= 0 and op.region == parent and op.opcode in _RUNS_A_REGION:
                bodies[number] = (*bodies.get(number, ()), region)
                break
    return bodies


def _carries(analysis: Analysis) -> dict[int, list[int]]:
    carries: dict[int, list[int]] = {}
    for number, op in enumerate(analysis.ops):
        if op.opcode == "carry":
            carries.setdefault(op.region, []).append(number)
    return carries

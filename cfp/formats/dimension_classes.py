"""Which dimensions of a step belong together: whoever cuts one of them cuts all.

    h = x·W1, y = h·W2      W1 dim 1, h dim 1, W2 dim 0 and the moments of W1 and W2 alike

Each strategy names the dimensions of arguments, inputs and members that it cuts. What it cannot
name follows by structure: blocks alike the first of their kind, biases under a broadcast, and what
the optimizer keeps of a parameter.
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from itertools import combinations

from cfp.ir.analysis import Analysis
from cfp.ir.block import Strategy
from cfp.ir.shape import dims

Place = tuple[int, int]  # an op, and one of its dimensions; an argument is its parameter's op


class DimensionClasses:
    """Places that lead to the one that stands for all that belong together."""

    def __init__(self) -> None:
        self._next: dict[Place, Place] = {}

    def unite(self, places: Iterable[Place]) -> None:
        """Makes one class of these places and all that belongs to them."""
        standing = [self.of(place) for place in places]
        for place in standing:
            self._next[place] = standing[0]

    def of(self, place: Place) -> Place:
        """The place that stands for all."""
        while (further := self._next.setdefault(place, place)) != place:
            self._next[place] = place = self._next[further]
        return place


def dimension_classes(analysis: Analysis) -> DimensionClasses:
    """The classes of the dimensions of all ops."""
    classes = DimensionClasses()
    for number in analysis.distinct_blocks:
        for strategy in analysis.blocks[number].strategies:
            classes.unite(_cut_places(analysis, strategy))
    for one, other in (*_alike(analysis), *_kept_by_optimizer(analysis)):
        for dim in range(len(dims(analysis.ops[one].shape))):
            classes.unite([(one, dim), (other, dim)])
    return classes


def _cut_places(analysis: Analysis, strategy: Strategy) -> Iterator[Place]:
    """What a strategy cuts: arguments, values that blocks own, and biases."""
    for argument, dim in strategy.sources:
        yield analysis.parameters[argument], dim
    for cut in (*strategy.inputs, *strategy.members):
        op = analysis.ops[cut.value]
        if cut.outer == 1 and (op.owner == "block" or op.opcode == "parameter"):
            yield cut.value, cut.dim
        elif cut.outer == 1 and op.opcode == "broadcast":
            yield from _under_broadcast(analysis, cut.value, cut.dim)


def _under_broadcast(analysis: Analysis, value: int, dim: int) -> Iterator[Place]:
    """The dimension of a parameter that is broadcast, where its sizes leave one way to do it."""
    sizes = dims(analysis.ops[value].shape)
    while (op := analysis.ops[value]).opcode != "parameter":
        if len(op.operands) != 1 or op.owner == "block":
            return
        value = op.operands[0]
    small = dims(op.shape)
    ways = [
        way
        for way in combinations(range(len(sizes)), len(small))
        if tuple(sizes[one] for one in way) == small
    ]
    if len(ways) == 1 and dim in ways[0]:
        yield value, ways[0].index(dim)


def argument_ops(analysis: Analysis) -> tuple[int, ...]:
    """The op of each argument; of one that the step ignores, a number below 0 of its own."""
    return tuple(op if op >= 0 else -1 - number for number, op in enumerate(analysis.parameters))


# ---- what follows by structure


def _alike(analysis: Analysis) -> Iterator[Place]:
    """Ops of a block, or read by it, that are the same in the first of its kind."""
    for number, block in enumerate(analysis.blocks):
        first = analysis.blocks[block.alike]
        pairs = list(zip(first.ops, block.ops, strict=False))
        if not all(_same_kind(analysis, *pair) for pair in pairs):  # same ops in another order
            pairs = [
                (analysis.contractions[one].op, analysis.contractions[other].op)
                for one, other in zip(first.contractions, block.contractions, strict=True)
            ]
        yield from _with_operands(analysis, pairs, (block.alike, number))


def _with_operands(
    analysis: Analysis, pairs: list[Place], blocks: tuple[int, int]
) -> Iterator[Place]:
    """The pairs, and those that they are computed from inside the blocks or outside of all."""
    waiting, seen = list(pairs), set(pairs)
    while waiting:
        one, other = waiting.pop()
        yield one, other
        operands = zip(analysis.ops[one].operands, analysis.ops[other].operands, strict=False)
        for pair in operands:
            near = all(map(partial(_is_near, analysis), pair, blocks))
            if pair not in seen and near and _same_kind(analysis, *pair):
                seen.add(pair)
                waiting.append(pair)


def _is_near(analysis: Analysis, op: int, block: int) -> bool:
    owner = analysis.ops[op]
    return owner.owner != "block" or owner.owner_index == block


def _same_kind(analysis: Analysis, one: int, other: int) -> bool:
    here, there = analysis.ops[one], analysis.ops[other]
    return (here.opcode, here.shape) == (there.opcode, there.shape)


def _kept_by_optimizer(analysis: Analysis) -> Iterator[Place]:
    """Parameters of the model, each with an argument that its update reads, such as a moment."""
    readers: dict[int, list[int]] = {}
    for number, op in enumerate(analysis.ops):
        for operand in op.operands:
            readers.setdefault(operand, []).append(number)
    for number, op in enumerate(analysis.parameters):
        updated = _updated_with(analysis, readers, op) if op >= 0 else None
        if updated is not None and updated != number:
            yield analysis.parameters[updated], op


def _updated_with(analysis: Analysis, readers: Mapping[int, list[int]], op: int) -> int | None:
    """The argument whose update reads an op of the same shape, through ops that nobody owns."""
    shape = dims(analysis.ops[op].shape)
    waiting, seen = [op], {op}
    while waiting:
        for number in readers.get(waiting.pop(), []):
            reader = analysis.ops[number]
            if number in seen or not shape or dims(reader.shape) != shape:
                continue
            if reader.owner == "optimizer" and _has_shape(analysis, reader.owner_index, shape):
                return reader.owner_index
            if reader.owner == "nobody":
                seen.add(number)
                waiting.append(number)
    return None


def _has_shape(analysis: Analysis, argument: int, shape: tuple[int, ...]) -> bool:
    op = analysis.parameters[argument]
    return op >= 0 and dims(analysis.ops[op].shape) == shape

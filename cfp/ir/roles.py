"""What each argument of a step is for, told from how the step uses it, whatever its name.

    state.params['wte']              parameter    the optimizer updates it
    state.optimizer[0].mu['wte']     optimizer    read by the update of state.params['wte'] alone
    batch['inputs']                  data         a split of the activations leads back to it
    state.optimizer[0].count         other

A frozen weight is a parameter too: no split of the activations leads back to it, another one does,
and a contraction depends on it.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

from cfp.ir.readers import THE_CALLER, readers_of
from cfp.ir.shape import dims

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cfp.ir.analysis import Analysis
    from cfp.ir.block import Strategy
    from cfp.ir.op import Op

PARAMETER, OPTIMIZER, DATA, OTHER = "parameter", "optimizer", "data", "other"


@dataclass(frozen=True, slots=True)
class Role:
    """kind is "parameter", "optimizer", "data" or "other".

    parameter is the number of the argument that optimizer state belongs to, a parameter's own
    number, -1 for the others.
    """

    kind: str
    parameter: int = -1


def argument_roles(analysis: Analysis) -> tuple[Role, ...]:
    """The role of every argument, by its number."""
    updated = {one.owner_index for one in analysis.ops if one.owner == "optimizer"}
    contracted = _contracted(analysis)
    split, whole = _led_back_to(analysis)
    chains = _chains(analysis)

    def role(number: int, op: int) -> Role:
        if op in contracted and (number in updated or number in whole - split):
            return Role(PARAMETER, number)
        chain = chains[op]
        if len(chain) == 1 and _same_shape(analysis, op, min(chain)):
            return Role(OPTIMIZER, min(chain))
        return Role(DATA if number in split else OTHER)

    return tuple(
        role(number, op) if op >= 0 else Role(OTHER)
        for number, op in enumerate(analysis.parameters)
    )


def _contracted(analysis: Analysis) -> set[int]:
    """The ops that a contraction depends on, other than through an update."""
    found = {one.op for one in analysis.contractions}
    for number in reversed(range(len(analysis.ops))):
        if number in found and analysis.ops[number].owner != "optimizer":
            found.update(analysis.ops[number].operands)
    return found


# ---- optimizer state


def _chains(analysis: Analysis) -> list[set[int]]:
    """By op, the parameters in whose updates its readers stand; -1 for readers of another owner.

    What nobody owns (`0.9 * mu`) is looked through.
    """
    chains: list[set[int]] = [set() for _ in analysis.ops]
    readers = readers_of(analysis)
    for number in reversed(range(len(analysis.ops))):
        for reader in readers[number]:
            owner = "" if reader == THE_CALLER else analysis.ops[reader].owner
            if owner == "nobody":
                chains[number] |= chains[reader]
            elif owner == "optimizer":
                chains[number].add(analysis.ops[reader].owner_index)
            else:
                chains[number].add(-1)
    return chains


def _same_shape(analysis: Analysis, op: int, parameter: int) -> bool:
    """Whether an op has the dimensions of a parameter; its dtype may be another."""
    if not 0 <= parameter < len(analysis.parameters):
        return False
    other = analysis.parameters[parameter]
    return other != op and dims(analysis.ops[op].shape) == dims(analysis.ops[other].shape)


# ---- where splits come from


def _led_back_to(analysis: Analysis) -> tuple[set[int], set[int]]:
    """The arguments that splits of activations lead back to, and those that other splits do."""
    arguments = {op: number for number, op in enumerate(analysis.parameters)}
    led: tuple[set[int], set[int]] = (set(), set())
    for block in analysis.blocks:
        for strategy in block.strategies:
            found = led[0] if strategy.origin == "activation" else led[1]
            found.update(number for number, _ in strategy.sources)
            found.update(arguments[op] for op in _origins(analysis, strategy) if op in arguments)
    return led


def _origins(analysis: Analysis, strategy: Strategy) -> Iterator[int]:
    """Yields the parameter ops that the inputs of a block come from along the cut dimension."""
    waiting = [(cut.value, cut.dim) for cut in strategy.inputs]
    seen = set(waiting)
    while waiting:
        value, dim = waiting.pop()
        op = analysis.ops[value]
        if op.opcode == "parameter":
            yield value
        if op.owner != "nobody":
            continue
        for operand in op.operands:
            for before in _dims_before(op, dim, dims(analysis.ops[operand].shape)):
                if (operand, before) not in seen:
                    seen.add((operand, before))
                    waiting.append((operand, before))


def _dims_before(op: Op, dim: int, operand: tuple[int, ...]) -> list[int]:
    """The dimensions of an operand that one of the result may come from, judged by their sizes."""
    result = dims(op.shape)
    if dim >= len(result):
        return []
    if op.opcode == "reshape":  # the dimension in which this one begins
        start = prod(result[:dim])
        places = range(len(operand))
        return [n for n in places if prod(operand[:n]) <= start < prod(operand[: n + 1])]
    if len(result) == len(operand) and result[dim] == operand[dim]:
        return [dim]
    return [number for number, size in enumerate(operand) if size == result[dim]]

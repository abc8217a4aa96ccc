"""A Plan as people read it: one page, since blocks and arguments that do the same are told once.

plan 'data x megatron' for step `step` on data:4 x megatron:2, 8 devices

choices: for each axis of the mesh the number of a strategy of these blocks, . for none
  data  megatron  in words                            blocks
     0         3  [batch->data, ., hidden->megatron]  2, 6, …, 14

storage: 4 arrays, 99.2 KiB; one device holds 51.2 KiB
  dim 1 by megatron: 3 arrays, 96.0 KiB; 48.0 KiB
      ['first'] of state.params, state.optimizer[0].mu, state.optimizer[0].nu
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

from cfp.ir.array_text import cuts_text
from cfp.ir.layout import local_shape
from cfp.ir.name_patterns import star_numbers, tell_together
from cfp.ir.step_text import size_bytes
from cfp.ir.table import paragraph, table
from cfp.ir.units import bytes_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from cfp.ir.plan import Plan, Storage

MOST_NAMES = 40


def page(plan: Plan) -> str:
    """What the plan is for, its choices and its storage."""
    headline = f"plan {plan.name!r} for step `{plan.step}` on {plan.mesh}, {plan.mesh.devices}"
    sections = [
        [
            f"{headline} {_plural('device', plan.mesh.devices)}",
            f"  fingerprint {plan.fingerprint[:12]}, made with jax {plan.jax_version}",
        ],
        _choices(plan),
        list(_storage(plan)),
    ]
    return "\n\n".join("\n".join(lines) for lines in sections if lines)


def _plural(noun: str, count: int) -> str:
    return noun if count == 1 else f"{noun}s"


# ---- choices


def _choices(plan: Plan) -> list[str]:
    same: dict[tuple[tuple[int, ...], str], list[int]] = {}
    for one in plan.choices:
        same.setdefault((one.strategies, one.notation), []).extend(one.blocks)
    rows = [
        (*(_number(one) for one in strategies), notation, blocks_text(blocks))
        for (strategies, notation), blocks in same.items()
    ]
    if not rows:
        return []
    title = (
        "choices: for each axis of the mesh the number of a strategy of these blocks, . for none"
    )
    return [title, *table((*plan.mesh.names, "in words", "blocks"), rows)]


def _number(strategy: int) -> str:
    return "." if strategy < 0 else str(strategy)


def blocks_text(blocks: Iterable[int]) -> str:
    """`2, 6, …, 94`: four or more at equal distances are told by their ends."""
    return ", ".join(_run_text(run) for run in _equidistant(sorted(blocks)))


def _run_text(run: Sequence[int]) -> str:
    if len(run) < 4:
        return ", ".join(map(str, run))
    return f"{run[0]}, {run[1]}, …, {run[-1]}"


def _equidistant(numbers: Sequence[int]) -> Iterator[Sequence[int]]:
    """Cuts sorted numbers into runs, each as long as it goes."""
    start = 0
    while start < len(numbers):
        end = min(start + 2, len(numbers))
        while end < len(numbers) and _continues(numbers, end):
            end += 1
        if end - start < 4:  # a number alone: its successor may begin a run
            end = start + 1
        yield numbers[start:end]
        start = end


def _continues(numbers: Sequence[int], end: int) -> bool:
    return numbers[end] - numbers[end - 1] == numbers[end - 1] - numbers[end - 2]


# ---- storage


def _storage(plan: Plan) -> Iterator[str]:
    if not plan.storage:
        return
    yield f"storage: {_amount(plan, plan.storage)}"
    patterns = star_numbers({one.argument: one.cuts for one in plan.storage})
    same: dict[str, list[Storage]] = {}
    for one in plan.storage:
        same.setdefault(cuts_text(one.cuts), []).append(one)
    for cuts, members in same.items():
        yield f"  {cuts}: {_amount(plan, members)}"
        yield from names_lines("      ", [patterns[one.argument] for one in members])


def names_lines(indent: str, patterns: Sequence[str]) -> list[str]:
    """The names of some arguments, wrapped; of very many the first."""
    names = list(dict.fromkeys(patterns))
    shown = tell_together(names[:MOST_NAMES])
    if more := len(names) - MOST_NAMES:
        shown += [f"… {more} more"] if more > 0 else []
    return paragraph(indent, "; ".join(shown))


def _amount(plan: Plan, members: Sequence[Storage]) -> str:
    count = f"{len(members)} {_plural('array', len(members))}"
    if not all(one.dtype for one in members):
        return count
    whole = sum(size_bytes(one.array) for one in members)
    local = sum(_local_bytes(plan, one) for one in members)
    return f"{count}, {bytes_text(whole)}; one device holds {bytes_text(local)}"


def _local_bytes(plan: Plan, one: Storage) -> int:
    parts = prod(one.shape) // max(prod(local_shape(one.shape, one.cuts, plan.mesh)), 1)
    return size_bytes(one.array) // max(parts, 1)

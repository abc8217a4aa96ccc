"""What one plan does and another does otherwise; blocks and arguments that change alike are one.

plan 'data' -> plan 'zero1'
  storage of 6 arguments: whole -> dim 0 by data
      ['first'], ['second'] of state.optimizer[0].mu, state.optimizer[0].nu
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from cfp.ir.array_text import array_text, cuts_text
from cfp.ir.name_patterns import star_numbers
from cfp.ir.plan_text import blocks_text, names_lines
from cfp.ir.table import paragraph

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cfp.ir.plan import Plan, Storage

SAME = "the same plan"
_ABSENT = "not in the plan"
Change = tuple[str, str]
Key = TypeVar("Key", int, str)


def diff(before: Plan, after: Plan) -> str:
    """The lines in which the plans differ; `the same plan` where they are equal."""
    if before == after:
        return SAME
    lines = [*_facts(before, after), *_choices(before, after), *_storage(before, after)]
    told = lines or ["  the same decisions, grouped or worded otherwise"]
    return "\n".join([f"plan {before.name!r} -> plan {after.name!r}", *told])


def _facts(before: Plan, after: Plan) -> Iterator[str]:
    facts = {
        "step": (before.step, after.step),
        "fingerprint": (before.fingerprint[:12], after.fingerprint[:12]),
        "jax": (before.jax_version, after.jax_version),
        "mesh": (str(before.mesh), str(after.mesh)),
    }
    for name, (old, new) in facts.items():
        if old != new:
            yield f"  {name}: {old} -> {new}"


def _choices(before: Plan, after: Plan) -> Iterator[str]:
    for (old, new), blocks in _changes(_by_block(before), _by_block(after)).items():
        yield from paragraph(f"  blocks {blocks_text(blocks)}: ", f"{old} -> {new}")


def _by_block(plan: Plan) -> dict[int, str]:
    """`data 0, megatron 3` of each block."""
    texts: dict[int, str] = {}
    for choice in plan.choices:
        pairs = zip(plan.mesh.names, choice.strategies, strict=True)
        split = ", ".join(f"{axis} {strategy}" for axis, strategy in pairs if strategy >= 0)
        texts |= dict.fromkeys(choice.blocks, f"{split or 'no split'} {choice.notation}".rstrip())
    return dict(sorted(texts.items()))


def _storage(before: Plan, after: Plan) -> Iterator[str]:
    old = {one.argument: _stored(one) for one in before.storage}
    new = {one.argument: _stored(one) for one in after.storage}
    changes = _changes(_worded(old, new), _worded(new, old))
    patterns = star_numbers({name: change for change, names in changes.items() for name in names})
    for (was, now), names in changes.items():
        yield f"  storage: {was} -> {now}"
        yield from names_lines("      ", [patterns[name] for name in names])


def _stored(one: Storage) -> Change:
    return cuts_text(one.cuts), array_text(one.array)


def _worded(mine: Mapping[str, Change], its: Mapping[str, Change]) -> dict[str, str]:
    """The cuts of each argument, and what kind of array it is where that is another there."""
    return {
        name: cuts if its.get(name, (cuts, array))[1] == array else f"{array} {cuts}"
        for name, (cuts, array) in mine.items()
    }


def _changes(old: Mapping[Key, str], new: Mapping[Key, str]) -> dict[Change, list[Key]]:
    """What has changed alike, by how it was and is."""
    changes: dict[Change, list[Key]] = {}
    for key in {**old, **new}:
        change = old.get(key, _ABSENT), new.get(key, _ABSENT)
        if change[0] != change[1]:
            changes.setdefault(change, []).append(key)
    return changes

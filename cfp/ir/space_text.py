"""A StrategySpace as people read it: at most a page per distinct block, long lists with a count.

block 2: 131 options of 343 choices
  0  activation batch
  3  weight n0
  a  b  c  FLOPs on one device  communication
  0  0  0               12.5 %  0 B
  0  0  3               12.5 %  0 B
  removed   choices  because
  clashing       36  strategies 1 and 2 cut the same: …

`choices_text` is the same with the analysis at hand: every option, in both notations.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from cfp.ir.analysis_text import operation
from cfp.ir.notation import notation_of
from cfp.ir.table import paragraph, table, unbroken
from cfp.ir.units import bytes_text, flops_text, percent_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cfp.ir.analysis import Analysis
    from cfp.ir.layout import Cuts
    from cfp.ir.notation import Notation
    from cfp.ir.space import ArgumentSpace, BlockSpace, Option, StrategySpace

MOST_OPTIONS = 24
MOST_REASONS = 12
MOST_WAYS = 8
_LEGEND = """\
Each axis of the mesh has the number of a strategy, or . for none. FLOPs and communication are those
of one forward run of the block on one device."""
_BETWEEN_PARTS = re.compile(r"(?<=;) | (?=\(\w+ keeps)")  # of a notation
_UNBROKEN = 48


def report(space: StrategySpace) -> str:
    """Blocks, each with its first options and reasons, and how arguments may be stored."""
    sections = [
        _title(space),
        *(_block(one, space.mesh.names) for one in space.blocks),
        list(_storage(space.arguments)),
    ]
    return "\n\n".join("\n".join(lines) for lines in sections if lines)


def _title(space: StrategySpace) -> list[str]:
    options = sum(len(one.options) for one in space.blocks)
    counts = f"distinct blocks: {len(space.blocks)}, options: {options}"
    return [f"strategies on {space.mesh}, {space.mesh.devices} devices; {counts}", _LEGEND]


# ---- blocks


def _block(one: BlockSpace, axes: Sequence[str]) -> list[str]:
    header = (*axes, "FLOPs on one device", "communication")
    rows = [
        (
            *_numbers(option),
            percent_text(option.flops_share),
            bytes_text(option.communication_bytes),
        )
        for option in one.options[:MOST_OPTIONS]
    ]
    return [
        headline(one),
        *(line for number, text in enumerate(one.strategies) for line in _numbered(number, text)),
        *table(header, rows),
        *_more(len(one.options) - len(rows), "options"),
        *_removed(one),
    ]


def headline(one: BlockSpace) -> str:
    """`block 2: 131 options of 343 choices`."""
    choices = len(one.options) + sum(len(removal.choices) for removal in one.removed)
    return f"block {one.block}: {len(one.options)} options of {choices} choices"


def _numbered(number: int, text: str) -> list[str]:
    return paragraph(f"  {number}  ", text)


def _numbers(option: Option) -> Iterator[str]:
    return ("." if number < 0 else str(number) for number in option.strategies)


def _removed(one: BlockSpace) -> list[str]:
    rows = [
        (removal.kind, len(removal.choices), removal.because)
        for removal in one.removed[:MOST_REASONS]
    ]
    more = _more(len(one.removed) - len(rows), "reasons")
    return [*table(("removed", "choices", "because"), rows), *more] if rows else []


def _more(count: int, of_what: str) -> list[str]:
    return [f"  … {count} more {of_what}"] if count > 0 else []


# ---- every option, with the analysis at hand


def choices_text(analysis: Analysis, space: StrategySpace) -> str:
    """Every option of every distinct block by dimension and as matrices, and what was removed."""
    sections = [
        _title(space),
        *(_choices(analysis, one, space.mesh.names) for one in space.blocks),
    ]
    return "\n\n".join("\n".join(lines) for lines in sections)


def _choices(analysis: Analysis, one: BlockSpace, axes: Sequence[str]) -> list[str]:
    notation = notation_of(analysis, one.block, axes)
    flops = sum(each.flops for _, each in analysis.forward_contractions(one.block))
    header = (*axes, "FLOPs", "communication", "by dimension, as matrices")
    rows = [
        (
            *_numbers(option),
            flops_text(flops * option.flops_share),
            bytes_text(option.communication_bytes),
            _in_both(notation, option),
        )
        for option in one.options
    ]
    removals = [(each.kind, len(each.choices), each.because) for each in one.removed]
    return [
        headline(one),
        *paragraph("  contractions: ", ", ".join(_roots(analysis, one.block))),
        *table(header, rows),
        *(table(("removed", "choices", "because"), removals) if removals else ()),
    ]


def _roots(analysis: Analysis, block: int) -> list[str]:
    contractions = analysis.forward_contractions(block)
    return [unbroken(operation(analysis, one.op)) for _, one in contractions] or ["none"]


def _in_both(notation: Notation, option: Option) -> str:
    by_dimension = notation.by_dimension(option.strategies)
    as_matrices = notation.as_matrices(option.strategies)
    if by_dimension == as_matrices:  # nothing is cut
        return by_dimension
    return f"{_broken_at_parts(by_dimension)}  {_broken_at_parts(as_matrices)}"


def _broken_at_parts(text: str) -> str:
    parts = _BETWEEN_PARTS.split(text)
    return " ".join(unbroken(one) if len(one) <= _UNBROKEN else one for one in parts)


# ---- arguments


def _storage(arguments: Sequence[ArgumentSpace]) -> Iterator[str]:
    """A line for all arguments of one shape: what they are, and how they may be stored."""
    if not arguments:
        return
    alike: dict[tuple[tuple[int, ...], tuple[Cuts, ...]], Counter[str]] = {}
    for one in arguments:
        alike.setdefault((one.shape, one.ways), Counter())[one.role] += 1
    rows = [
        (
            "x".join(map(str, shape)) or "scalar",
            ", ".join(f"{count} {role}" for role, count in roles.items()),
            _ways(ways),
        )
        for (shape, ways), roles in alike.items()
    ]
    yield "storage: the axes that may cut an argument beyond its use, where use leaves it whole"
    yield from table(("shape", "arguments", "ways"), rows)


def _ways(ways: tuple[Cuts, ...]) -> str:
    """`as used; dim 0 by a, b, a+b; dim 1 by c`."""
    axes: dict[int, list[str]] = {}
    for cuts in ways[1:]:
        axes.setdefault(cuts[0].dim, []).append("+".join(cut.axis for cut in cuts))
    return "; ".join(["as used", *(f"dim {dim} by {_first(names)}" for dim, names in axes.items())])


def _first(names: Sequence[str]) -> str:
    more = len(names) - MOST_WAYS
    return ", ".join(names[:MOST_WAYS]) + (f" and {more} more" if more > 0 else "")

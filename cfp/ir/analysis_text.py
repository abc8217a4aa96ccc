"""An Analysis as people read it: a page for any number of layers, since repeats are told once.

    ParallelBlocks: 19, of which 6 are distinct
      block  segment  runs  contractions  FLOPs       share  members
          2        1     4  5+10          21.0 MFLOP  26.7 %  120 ops: B10.2 30, B10.3 21, …
    ParallelBlocks sequence: (6, 10) mapped to (2, 6)

Contractions are counted by phase, forward + backward, and + recomputed where there are any.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from cfp.ir.table import paragraph, table, unbroken
from cfp.ir.units import bytes_text, flops_text, percent_text, seconds_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cfp.ir.analysis import Analysis, Timing
    from cfp.ir.block import Strategy


def report(analysis: Analysis) -> str:
    """Blocks, their strategies, how they repeat, and the warnings."""
    sections = [
        _blocks(analysis),
        *_strategies(analysis),
        sequence_lines(analysis),
        _segments(analysis),
        _warnings(analysis),
    ]
    return "\n\n".join("\n".join(lines) for lines in sections if lines)


def sequence_lines(analysis: Analysis) -> list[str]:
    """`ParallelBlocks sequence: (6, 10) mapped to (2, 6)`, a line for every repeat."""
    return [
        f"ParallelBlocks sequence: {_range(run)} mapped to {_range(first)}"
        for first, *repeats in (segment.runs for segment in analysis.segments)
        for run in repeats
    ]


def _range(run: range) -> str:
    return f"({run.start}, {run.stop})"


def timing_lines(timing: Timing) -> list[str]:
    """The CPU time of the analysis, in all and by part."""
    parts = ", ".join(f"{name} {seconds_text(seconds)}" for name, seconds in timing.parts)
    return paragraph(f"analysis time: {seconds_text(timing.total_s)} of CPU  ", f"({parts})")


def operation(analysis: Analysis, number: int) -> str:
    """`%812 dot f32[8,32,64]`."""
    op = analysis.ops[number]
    return f"%{number} {op.opcode} {op.shape}"


# ---- blocks


def _blocks(analysis: Analysis) -> list[str]:
    distinct = analysis.distinct_blocks
    header = ("block", "segment", "runs", "contractions", "FLOPs", "of segment", "members")
    places = analysis.places
    runs = Counter(one.alike for one in analysis.blocks)
    rows = [
        (
            number,
            places[number][0],
            runs[number],
            _phases(analysis.phases(number)),
            flops_text(analysis.blocks[number].flops),
            percent_text(analysis.blocks[number].flops_share),
            _members(analysis, number),
        )
        for number in distinct
    ]
    return [
        *_totals(analysis),
        *(table(header, rows) if rows else ["  none: no op of this step contracts"]),
    ]


def _totals(analysis: Analysis) -> Iterator[str]:
    owners = Counter(one.owner for one in analysis.ops)
    flops = flops_text(sum(one.flops for one in analysis.contractions))
    yield from paragraph(
        f"{len(analysis.ops)} ops: ",
        f"{owners['block']} in blocks, {owners['optimizer']} of the optimizer, {owners['nobody']} "
        f"that every reader computes for itself; {flops} in contractions",
    )
    distinct = f", {len(analysis.distinct_blocks)} of them distinct" if analysis.blocks else ""
    yield f"ParallelBlocks: {len(analysis.blocks)}{distinct}"


def _phases(count: Counter[str]) -> str:
    text = f"{count['forward']}+{count['backward']}"
    return f"{text}+{count['recomputed']}" if count["recomputed"] else text


def _members(analysis: Analysis, number: int) -> str:
    block = analysis.blocks[number]
    labels = Counter(analysis.ops[op].label for op in block.ops)
    by_clause = ", ".join(
        unbroken(f"{label} {labels[label]}") for label in sorted(labels, key=_clause)
    )
    return f"{len(block.ops)} ops: {by_clause}"


def _clause(label: str) -> tuple[str, list[int]]:
    """B10.2 before B10.10."""
    return label[:1], [int(part) for part in label[1:].split(".")]


# ---- strategies

_LEGEND = """\
what is cut, into how many pieces at most, and what the forward pass then communicates. A cut \
`%12 n0` is the first factor of op 12 of kind n: b batch, m of its first operand, n of its second, \
k summed over."""


def _strategies(analysis: Analysis) -> Iterator[list[str]]:
    if analysis.blocks:
        yield paragraph("strategies on one mesh axis: ", _LEGEND)
    light = analysis.light_contractions
    for number in analysis.distinct_blocks:
        block = analysis.blocks[number]
        yield [
            _headline(analysis, number),
            *_roots(analysis, number, light),
            *strategy_table(block.strategies),
            *(line for reason in block.dropped for line in paragraph("  given up: ", reason)),
        ]


def _headline(analysis: Analysis, number: int) -> str:
    repeats = [
        str(other)
        for other, block in enumerate(analysis.blocks)
        if block.alike == number and other != number
    ]
    shown = repeats if len(repeats) <= 8 else [*repeats[:7], f"… {len(repeats) - 7} more"]
    return f"block {number}" + (f", also at {', '.join(shown)}" if repeats else "")


def _roots(analysis: Analysis, number: int, light: frozenset[int]) -> list[str]:
    rows = [
        (
            operation(analysis, one.op),
            str(analysis.ops[one.op].source),
            f"[{one.label}]",
            f"{one.because}, light" if index in light else one.because,
        )
        for index, one in analysis.forward_contractions(number)
    ]
    header = ("forward contraction", "source", "clause", "because")
    return table(header, rows) if rows else ["  no contraction: a normalisation for several blocks"]


def strategy_table(strategies: Sequence[Strategy]) -> list[str]:
    """A row for each way to split a block over one mesh axis."""
    header = ("", "strategy", "pieces", "FLOPs cut", "communication", "cuts")
    rows = [
        (
            index,
            one.origin,
            one.granule,
            percent_text(one.split_flops_share),
            communication(one),
            _factors(one),
        )
        for index, one in enumerate(strategies)
    ]
    return table(header, rows) if rows else ["  no strategy of its own"]


def communication(strategy: Strategy) -> str:
    """`2 all-reduce 1.30 MiB + 1 all-gather 64.0 KiB`, or `none`."""
    counts = Counter(one.kind for one in strategy.collectives)
    sizes: Counter[str] = Counter()
    for one in strategy.collectives:
        sizes[one.kind] += one.size_bytes
    kinds = (f"{counts[kind]} {kind} {bytes_text(sizes[kind])}" for kind in sorted(counts))
    return " + ".join(kinds) or "none"


def _factors(strategy: Strategy) -> str:
    text = ", ".join(map(unbroken, strategy.factors))
    return f"{text}; {strategy.variant}" if strategy.variant else text


# ---- segments


def _segments(analysis: Analysis) -> list[str]:
    header = ("segment", "blocks", "distinct", "runs", "times", "starts at block")
    rows = [
        (
            number,
            _range(segment.runs[0]),
            len({analysis.blocks[block].alike for block in segment.runs[0]}),
            len(segment.starts),
            segment.times,
            ", ".join(map(str, segment.starts)),
        )
        for number, segment in enumerate(analysis.segments)
    ]
    return ["segments", *table(header, rows)] if rows else []


def _warnings(analysis: Analysis) -> list[str]:
    return [line for text in analysis.warnings for line in paragraph("warning: ", text)]

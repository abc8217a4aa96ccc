"""The files in which passes show what they made.

    00_trace_step.txt     the step: arguments, results, every equation with its line
    01_analyze_hlo.txt    the blocks, their strategies, how they repeat
    after_ir.txt          every op: the user's line, its block, the clause that put it there; with a
                          plan also the strategies of its block, its part, what it moves
    after_spmd.txt        the program that the compiler made of that for one device
    strategy_map.txt      every block, and the block whose strategies it takes; with a mesh also
                          what each can do on it, in words, and why it cannot do the rest

One op can be followed from a source line to the reason it is where it is:

    model.py:57  %812 dot f32[8,32,64]  block 3  [B5] root of its block
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from pathlib import Path

from cfp.errors import UnreadableFileError
from cfp.ir.analysis import Analysis
from cfp.ir.analysis_text import operation, sequence_lines
from cfp.ir.op import Contraction
from cfp.ir.space import StrategySpace
from cfp.ir.space_text import choices_text
from cfp.ir.table import table


def write_dump(folder: str, name: str, text: str) -> None:
    """Writes one dump, making the folder where it is missing."""
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
        (Path(folder) / name).write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise UnreadableFileError(str(Path(folder) / name), error.strerror or str(error)) from error


def ops_text(analysis: Analysis, notes: Sequence[str] = ()) -> str:
    """after_ir.txt: a line for every op, in canonical order, each with its note."""
    contractions = {one.op: one for one in analysis.contractions}
    sources = [str(op.source) for op in analysis.ops]
    width = max(map(len, sources), default=0)
    return "\n".join(
        [
            f"step {analysis.name}: {len(analysis.ops)} ops",
            "source line, op, its operands, its owner, [clause of docs/spec.md] and why",
            *(
                f"{source:{width}}  {_op_line(analysis, number, contractions.get(number))}{note}"
                for number, (source, note) in enumerate(zip_longest(sources, notes, fillvalue=""))
            ),
        ]
    )


def _op_line(analysis: Analysis, number: int, contraction: Contraction | None) -> str:
    op = analysis.ops[number]
    operands = ", ".join(f"%{one}" for one in op.operands)
    reason = f"[{op.label}] {op.because}"
    if contraction:
        reason = f"[{contraction.label}] {_reason(analysis, contraction)}"
    region = f"  region {op.region}" if op.region else ""
    owner = analysis.owner(number)
    return f"{operation(analysis, number)}({operands})  {owner}  {reason}{region}"


def _reason(analysis: Analysis, contraction: Contraction) -> str:
    origin = f"%{analysis.contractions[contraction.forward].op}"
    if contraction.phase == "recomputed":
        return f"recomputes {origin}"
    if contraction.phase == "backward":
        return f"gradient of operand {contraction.gradient_of} of {origin}"
    return contraction.because


def strategy_map_text(analysis: Analysis) -> str:
    """strategy_map.txt: what each block takes from the first of its kind."""
    return "\n".join([*sequence_lines(analysis), *table(_MAP_HEADER, list(_map_rows(analysis)))])


def mesh_strategy_map_text(analysis: Analysis, space: StrategySpace) -> str:
    """strategy_map.txt of a step on a mesh: the same, and every option of every distinct block."""
    return "\n\n".join([strategy_map_text(analysis), choices_text(analysis, space)])


_MAP_HEADER = ("block", "segment", "run", "as block", "strategies", "by origin")


def _map_rows(analysis: Analysis) -> Iterator[tuple[object, ...]]:
    places = analysis.places
    for number, block in enumerate(analysis.blocks):
        strategies = analysis.strategies_of(number)
        origins = Counter(one.origin for one in strategies)
        told = ", ".join(f"{count} {origin}" for origin, count in origins.items())
        yield (number, *places[number], block.alike, len(strategies), told)

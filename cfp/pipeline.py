"""The order of everything.

    step ─▶ trace_step ─▶ TracedStep ─▶ analyze_hlo ─▶ Analysis
                   HLO from elsewhere ─▶ analyze_module ─┘

After each pass its result is verified, dumped and timed; a pass that fails is named.
"""

from collections.abc import Callable, Mapping, Sequence
from time import process_time
from typing import Any, Protocol, TypeVar

from absl import logging

from cfp.dump import ops_text, strategy_map_text, write_dump
from cfp.ir.analysis import Analysis
from cfp.ir.step import TracedStep
from cfp.ir.units import seconds_text
from cfp.options import Options
from cfp.passes.analyze_hlo import analyze_hlo, analyze_module
from cfp.passes.trace_step import trace_step


class Noun(Protocol):
    """What a pass makes."""

    def verify(self) -> None:
        """Raises where the noun contradicts itself."""
        ...


Made = TypeVar("Made", bound=Noun)

NOTHING_WRITTEN = Options()


def analyze_step(
    step: Callable[..., Any],
    args: Sequence[Any],
    kwargs: Mapping[str, Any] | None = None,
    options: Options = NOTHING_WRITTEN,
) -> tuple[TracedStep, Analysis]:
    """From a step and its arguments, arrays or only their shapes, to its blocks."""
    traced = run(0, trace_step, step, args, kwargs, options=options)
    analysis = run(1, analyze_hlo, traced, options=options)
    dump_ops(analysis, options)
    return traced, analysis


def analyze_hlo_bytes(hlo: bytes, name: str, options: Options = NOTHING_WRITTEN) -> Analysis:
    """From a serialised HloModuleProto to its blocks."""
    analysis = run(1, analyze_module, hlo, name, options=options)
    dump_ops(analysis, options)
    return analysis


def run(number: int, make: Callable[..., Made], *inputs: Any, options: Options) -> Made:
    """Runs one pass: names it where it fails, verifies, times and dumps what it made."""
    name = make.__name__
    logging.info("%s", name)
    start = process_time()
    try:
        made = make(*inputs)
        made.verify()
    except Exception as error:
        error.add_note(f"  pass:  {name}, number {number}")
        raise
    logging.info("%s: %s of CPU", name, seconds_text(process_time() - start))
    if options.dump_dir:
        write_dump(options.dump_dir, f"{number:02}_{name}.txt", str(made))
    return made


def dump_ops(analysis: Analysis, options: Options) -> None:
    """Writes what is too long for the dump of a pass: every op, every block."""
    if options.dump_dir:
        write_dump(options.dump_dir, "after_ir.txt", ops_text(analysis))
        write_dump(options.dump_dir, "strategy_map.txt", strategy_map_text(analysis))

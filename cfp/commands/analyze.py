"""`python -m cfp analyze STEP`: a step or a module to its ParallelBlocks, on the terminal.

    python -m cfp analyze cfp_test.gpt:train_step --num_layer 2

A word that is no flag of the command is one of the step's factory.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from cfp import errors, pipeline
from cfp.formats.factory import build_step, describe_flags, load_factory
from cfp.ir import step_text
from cfp.ir.analysis import Analysis
from cfp.ir.analysis_text import timing_lines
from cfp.options import Options, options_from_environment

_HELP = """\
Prints the ParallelBlocks of a train step: which ops one decision settles, how each block can be
split and what that communicates, and how blocks repeat. Nothing is allocated, nothing is run.

STEP is one of
  package.module:factory     a function that returns (step, args) or (step, args, kwargs)
  path/to/file.py:factory    the same, in a file
  step.hlo.pb                a serialised HloModuleProto

A factory's keyword arguments are flags; `python -m cfp analyze STEP --help` lists them.

examples
  python -m cfp analyze cfp_test.gpt:train_step --num_layer 4 --batch_size 8
  python -m cfp analyze my_project/train.py:train_step --dump_dir dumps
  python -m cfp analyze step.hlo.pb --json analysis.json
"""


def run(words: Sequence[str]) -> int:
    """Prints an analysis, or what there is to know about doing so."""
    parser = _parser()
    chosen, flags = parser.parse_known_args(words)
    if chosen.help:
        print(_help(parser, chosen.step))
        return 0
    if not chosen.step:
        parser.error("which step? give STEP, or --help for what it may be")
    return _analyze(parser, chosen, flags)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m cfp analyze",
        description=_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        add_help=False,
        allow_abbrev=False,
    )
    parser.add_argument("step", nargs="?", metavar="STEP", help="which step, see above")
    parser.add_argument("--dump_dir", metavar="DIR", help="write what every pass makes into DIR")
    parser.add_argument("--json", metavar="FILE", help="write the analysis as JSON into FILE")
    parser.add_argument("-h", "--help", action="store_true", help="this text, and STEP's flags")
    return parser


def _help(parser: argparse.ArgumentParser, step: str | None) -> str:
    texts = [parser.format_help()]
    if step and not _is_file(step):
        texts.append(describe_flags(load_factory(step)))
    return "\n".join(texts)


def _analyze(parser: argparse.ArgumentParser, chosen: argparse.Namespace, flags: list[str]) -> int:
    options = options_from_environment()
    if chosen.dump_dir:
        options = replace(options, dump_dir=chosen.dump_dir)
    if _is_file(chosen.step) and flags:
        parser.error(f"a file has no flags: {' '.join(flags)}")
    title, analysis = (_of_file if _is_file(chosen.step) else _of_factory)(
        chosen.step, flags, options
    )
    print("\n\n".join([title, str(analysis)]))
    if analysis.timing:
        print("\n" + "\n".join(timing_lines(analysis.timing)))
    if chosen.json:
        _write(chosen.json, analysis.to_json())
    return 0


def _is_file(step: str) -> bool:
    return ":" not in step and not step.endswith(".py")


def _of_file(step: str, _: Sequence[str], options: Options) -> tuple[str, Analysis]:
    try:
        hlo = Path(step).read_bytes()
    except OSError as error:
        raise errors.UnreadableFileError(step, error.strerror or str(error)) from error
    analysis = pipeline.analyze_hlo_bytes(hlo, step, options)
    return f"module {step}: {len(analysis.ops)} ops", analysis


def _of_factory(step: str, flags: Sequence[str], options: Options) -> tuple[str, Analysis]:
    here = str(Path.cwd())
    if here not in sys.path:  # as `python -m` has it, and the installed command has not
        sys.path.insert(0, here)
    built = build_step(load_factory(step), flags)
    traced, analysis = pipeline.analyze_step(built.step, built.args, built.kwargs, options)
    return step_text.summary(traced), analysis


def _write(path: str, text: str) -> None:
    try:
        Path(path).write_text(text, encoding="utf-8")
    except OSError as error:
        raise errors.UnreadableFileError(path, error.strerror or str(error)) from error

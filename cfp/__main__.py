"""The command line: `python -m cfp COMMAND`, also installed as `cfp`.

    python -m cfp analyze STEP      the ParallelBlocks of a train step
    python -m cfp cache ls          the costs that are recorded

Exit status: 0 when what was asked for is done, 1 when something cannot be read, traced or trusted
(the text on stderr says what, where, and the cure), 2 when the command itself is wrong.
"""

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module

from absl import logging

from cfp import errors

COMMANDS = {
    "analyze": "prints the ParallelBlocks of a train step: what one decision settles",
    "cache": "lists, checks and clears the costs that earlier runs have recorded",
}
_HELP = "Finds the fastest way to shard a JAX train step over the devices you have."
_COMMANDS_HELP = """\
commands
{commands}

`python -m cfp COMMAND --help` says more of each. The exit status is 0 when it is done, 1 when
something cannot be read, traced or trusted, 2 when the command is wrong.
"""
_USAGE_ERRORS = (errors.UnknownFlagError, errors.FlagValueError)


def main(words: Sequence[str] | None = None) -> int:
    """Runs one command; the exit status. Only the modules of that command are imported."""
    words = sys.argv[1:] if words is None else words
    command: str = _parser().parse_args(words[:1]).command
    logging.set_verbosity(logging.INFO if sys.stderr.isatty() else logging.WARNING)
    try:
        return import_module(f"cfp.commands.{command}").run(words[1:])
    except errors.CfpError as error:
        print("\n".join(["cfp: " + str(error), *getattr(error, "__notes__", ())]), file=sys.stderr)
        return 2 if isinstance(error, _USAGE_ERRORS) else 1


def _parser() -> argparse.ArgumentParser:
    width = max(map(len, COMMANDS))
    commands = "\n".join(f"  {name:{width}}  {does}" for name, does in COMMANDS.items())
    parser = argparse.ArgumentParser(
        prog="python -m cfp",
        usage="%(prog)s COMMAND ...",
        description=_HELP,
        epilog=_COMMANDS_HELP.format(commands=commands),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("command", choices=COMMANDS, help=argparse.SUPPRESS)
    return parser


if __name__ == "__main__":
    sys.exit(main())

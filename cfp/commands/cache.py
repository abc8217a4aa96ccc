"""`python -m cfp cache ls|gc|verify`: the costs that earlier runs have recorded.

python -m cfp cache ls cpu                        those in which "cpu" occurs
python -m cfp cache gc --days 90 --dry_run        what would go
python -m cfp cache verify                        exit status 1 where one is damaged
"""

import argparse
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from cfp.costs.recorded import (
    Limits,
    Removal,
    Store,
    check,
    collect,
    installed_versions,
    listing,
    removable,
)
from cfp.ir.table import table
from cfp.ir.units import bytes_text
from cfp.options import options_from_environment

_HELP = """\
Costs that were found once are recorded in a folder, and later runs take them from there. These
commands show what it holds, make room in it, and check that it is as it was written.

The folder is the first that is named: --cache_dir, the variable CFP_CACHE_DIR, the folder cfp in
XDG_CACHE_HOME, ~/.cache/cfp. It may be removed whole at any time: costs are then found anew.
"""
_EXAMPLES = """\
examples
  python -m cfp cache ls
  python -m cfp cache ls 'TPU v5e'
  python -m cfp cache gc --days 90 --total_mib 100 --dry_run
  python -m cfp cache verify
"""
_LS = "Lists the recorded costs, the oldest first."
_GC = """\
Removes damaged entries and what stopped writers left, always; and what a limit asks for.
Entries are removed one by one, so runs that use the folder go on.
"""
_VERIFY = "Reads every recorded cost; the exit status is 1 where one cannot be used."


def run(words: Sequence[str]) -> int:
    """Shows, clears or checks the folder."""
    parser = _parser()
    chosen = parser.parse_args(words)
    folder = chosen.cache_dir or options_from_environment().cache_dir
    if not folder:
        parser.error("which folder? you have no home, so give --cache_dir or set CFP_CACHE_DIR")
    return chosen.do(Store(folder), chosen)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m cfp cache",
        description=_HELP,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    actions = parser.add_subparsers(dest="action", metavar="ls|gc|verify", required=True)

    def action(name: str, do: Callable[..., int], says: str) -> argparse.ArgumentParser:
        one = actions.add_parser(
            name, help=says.splitlines()[0], description=says, allow_abbrev=False
        )
        one.add_argument("--cache_dir", metavar="DIR", help="the folder, see `cfp cache --help`")
        one.set_defaults(do=do)
        return one

    ls = action("ls", _ls, _LS)
    ls.add_argument("text", nargs="?", default="", help="only those in which this occurs")
    _add_limits(action("gc", _gc, _GC))
    action("verify", _verify, _VERIFY)
    return parser


def _add_limits(gc: argparse.ArgumentParser) -> None:
    gc.add_argument("--days", type=_count, metavar="N", help="remove what is older")
    gc.add_argument("--total_mib", type=_count, metavar="N", help="keep no more, the newest")
    gc.add_argument(
        "--other_versions",
        action="store_true",
        help="remove what other versions of jax, jaxlib or cfp have recorded",
    )
    gc.add_argument("--dry_run", action="store_true", help="remove nothing, show what would go")


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number")
    return int(text)


def _ls(store: Store, chosen: argparse.Namespace) -> int:
    print(listing(store, chosen.text, _now().date()))
    return 0


def _gc(store: Store, chosen: argparse.Namespace) -> int:
    limits = Limits(
        days=chosen.days,
        size_bytes=None if chosen.total_mib is None else chosen.total_mib * 2**20,
        versions=installed_versions() if chosen.other_versions else None,
    )
    remove, told = (removable, "would go") if chosen.dry_run else (collect, "removed")
    removals = remove(store, limits, _now())
    print("\n".join([*_rows(removals), f"  {_files(removals)} {told}"]))
    return 0


def _verify(store: Store, chosen: argparse.Namespace) -> int:  # noqa: ARG001 - as the others
    problems = check(store)
    for problem in problems:
        print(f"cfp: {problem}")
    whole = sum(1 for _ in store.entries())
    leftovers = sum(1 for _ in store.leftovers())
    print(f"  {whole} whole, {len(problems)} not, {leftovers} unfinished in {store.folder}")
    return 1 if problems else 0


def _rows(removals: Sequence[Removal]) -> list[str]:
    if not removals:
        return []
    rows = [
        (one.file.path.name.lstrip(".")[:8], bytes_text(one.file.size_bytes), one.reason)
        for one in removals
    ]
    return table(("entry", "size", "why"), rows)


def _files(removals: Sequence[Removal]) -> str:
    size = bytes_text(sum(one.file.size_bytes for one in removals))
    return f"{len(removals)} files, {size}," if len(removals) != 1 else f"1 file, {size},"


def _now() -> datetime:
    return datetime.now(UTC)

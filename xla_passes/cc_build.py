"""Compiles the C++ sources of this folder; an object is kept while all it is made of is the same.

One rule says which file is what, so no list of sources has to be kept:

    *_test.cc                                  a test program
    testing_main.cc, *_fuzz.cc, cfp_opt.cc     bring a `main`
    bindings.cc                                the Python extension
    every other *.cc                           the core, linked into all of the above

An object is named after its source and a hash of the command, the source and every header that the
source includes from this folder: `graph-1f2e3d4c5b6a.o`. Editing `graph.h` recompiles only the
sources that include it.
"""

from __future__ import annotations

import hashlib
import os
import re
import shlex
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

FOLDER = Path(__file__).resolve().parent
BINDINGS = FOLDER / "bindings.cc"
CFP_OPT = FOLDER / "cfp_opt.cc"
TEST_MAIN = FOLDER / "testing_main.cc"

LANGUAGE = ("-std=c++17", f"-I{FOLDER}")
WARNINGS = ("-Wall", "-Wextra", "-Werror")

_NOT_CORE = re.compile(r"(_test|_main|_fuzz|^bindings|^cfp_opt)\.cc$")
_INCLUDE = re.compile(r'^#include "([^"]+)"', re.MULTILINE)


class CompilerError(Exception):
    """A source that does not compile or a program that does not link; stderr says why."""


@dataclass(frozen=True)
class Unit:
    """One source and the flags it is compiled with."""

    source: Path
    flags: tuple[str, ...]


def core_sources() -> list[Path]:
    """The sources that every program and the Python extension share, sorted by name."""
    return [source for source in sorted(FOLDER.glob("*.cc")) if not _NOT_CORE.search(source.name)]


def test_sources() -> list[Path]:
    """The test programs, sorted by name."""
    return sorted(FOLDER.glob("*_test.cc"))


def compiler() -> list[str]:
    """The C++ compiler as a command; `CXX` chooses another one."""
    return shlex.split(os.environ.get("CXX", "g++"))


def compile_units(units: Iterable[Unit], folder: Path, jobs: int = 2) -> list[Path]:
    """Returns the objects of `units`, compiling those that `folder` lacks, `jobs` at a time."""
    folder.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(jobs) as pool:
        return list(pool.map(partial(_compile, folder=folder), units))


def link_program(objects: Sequence[Path], flags: Sequence[str], program: Path) -> None:
    """Links `objects` to an executable, unless one of just these objects is there already."""
    command = [*compiler(), *flags, *map(str, objects)]
    linked = program.with_suffix(".linked")
    if program.exists() and linked.exists() and linked.read_text() == shlex.join(command):
        return
    _run([*command, "-o", str(program)], f"{program.name} does not link")
    linked.write_text(shlex.join(command))


def _compile(unit: Unit, folder: Path) -> Path:
    command = [*compiler(), *unit.flags, "-c", str(unit.source)]
    target = folder / f"{unit.source.stem}-{_content_hash(command, unit.source)}.o"
    if target.exists():
        return target
    print(f"  compiling {unit.source.name}", flush=True)
    unfinished = target.with_suffix(f".{os.getpid()}")
    _run([*command, "-o", str(unfinished)], f"{unit.source.name} does not compile")
    for outdated in folder.glob(f"{unit.source.stem}-????????????.o"):
        outdated.unlink()
    unfinished.rename(target)  # only now, so that an interrupted compiler leaves no half object
    return target


def _run(command: Sequence[str], failure: str) -> None:
    if subprocess.run(command, check=False).returncode:
        raise CompilerError(f"{failure}; the command was\n  {shlex.join(command)}")


def _content_hash(command: Sequence[str], source: Path) -> str:
    content = hashlib.sha256(shlex.join(command).encode())
    for file in _with_headers(source):
        content.update(file.read_bytes())
    return content.hexdigest()[:12]


def _with_headers(source: Path) -> Iterator[Path]:
    """Yields `source` and the headers of this folder that it includes, directly or not."""
    seen: set[Path] = set()
    waiting = [source]
    while waiting:
        file = waiting.pop()
        if file in seen:
            continue
        seen.add(file)
        yield file
        included = (FOLDER / name for name in _INCLUDE.findall(file.read_text()))
        waiting += [header for header in included if header.exists()]

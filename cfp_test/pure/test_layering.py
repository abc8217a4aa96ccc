"""Who may import whom: the architecture as a test.

The table below is the whole rule. A room is a file or folder of cfp/; it may import itself, the
rooms named in its row, and the third parties named there. A room without a row fails the test, so a
new one is a decision somebody takes here.
"""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "cfp"
SOURCES = sorted(PACKAGE.rglob("*.py"))


@dataclass(frozen=True)
class Row:
    """What one room may import besides the standard library."""

    rooms: frozenset[str]
    third_parties: frozenset[str] = frozenset()


def row(rooms: str = "", third_parties: str = "") -> Row:
    return Row(frozenset(rooms.split()), frozenset(third_parties.split()))


NOUNS = "errors ir"
ALLOWED = {
    "errors": row(),
    "ir": row("errors"),
    "_jax": row(NOUNS, "jax jaxlib numpy"),
    "_native": row(f"{NOUNS} _cfp_core"),
    "dump": row(NOUNS),
    "options": row(NOUNS),
    "costs": row(f"{NOUNS} _jax", "jax numpy"),
    "formats": row(f"{NOUNS} _jax"),
    "plans_by_name": row(f"{NOUNS} _jax _native", "jax"),
    "audit": row(f"{NOUNS} formats runtime _jax", "jax numpy"),
    "passes": row(f"{NOUNS} audit costs formats runtime _jax _native", "jax numpy"),
    "runtime": row(f"{NOUNS} _jax", "jax numpy"),
    "pipeline": row(f"{NOUNS} passes plans_by_name runtime costs formats dump options", "absl"),
    "api": row(f"{NOUNS} pipeline options runtime", "jax"),
    "report": row(f"{NOUNS} pipeline options"),
    "commands": row(f"{NOUNS} pipeline options dump report formats costs"),
    "__main__": row(f"{NOUNS} commands", "absl"),
    "__init__": row(f"{NOUNS} api pipeline options"),
}


def room_of(file: Path) -> str:
    """`cfp/passes/trace_step.py` -> `passes`, `cfp/errors/base.py` -> `errors`."""
    return file.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported_names(source: str, package: str) -> Iterator[str]:
    """Yields the absolute dotted name of all that `source`, a module of `package`, imports."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parents = package.split(".")[: len(package.split(".")) - node.level + 1]
            base = ".".join([*(parents if node.level else []), *filter(None, [node.module])])
            yield from (f"{base}.{alias.name}" for alias in node.names)


def forbidden_imports(source: str, file: Path) -> list[str]:
    """What `source`, standing in `file`, imports against the table."""
    room = room_of(file)
    package = ".".join(file.relative_to(ROOT).parent.parts)
    return [
        name
        for name in imported_names(source, package)
        if not _allowed(name, room, file) or (room != "_jax" and _is_private_jax(name))
    ]


def _allowed(name: str, room: str, file: Path) -> bool:
    top, *rest = name.split(".")
    if top != "cfp":
        return top in sys.stdlib_module_names | ALLOWED[room].third_parties
    target = rest[0] if rest else "__init__"
    if room == target == "passes":
        return name.startswith(f"cfp.passes.{file.stem}.")
    return target == room or target in ALLOWED[room].rooms


def _is_private_jax(name: str) -> bool:
    return bool(re.match(r"jaxlib\b|jax\._src\b", name))


def test_there_are_sources_to_judge() -> None:
    assert PACKAGE / "pipeline.py" in SOURCES


@pytest.mark.parametrize("file", SOURCES, ids=lambda file: str(file.relative_to(ROOT)))
def test_imports_follow_the_table(file: Path) -> None:
    assert room_of(file) in ALLOWED, f"give the room {room_of(file)} a row in ALLOWED"
    assert forbidden_imports(file.read_text(), file) == []


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("ir/hlo.py", "import jax"),
        ("ir/hlo.py", "from cfp.passes import trace_step"),
        ("errors/base.py", "from ..ir import hlo"),
        ("passes/trace_step.py", "from jax._src import core"),
        ("passes/trace_step.py", "from .analyze_hlo import analyze_hlo"),
        ("passes/trace_step.py", "from cfp import pipeline"),
        ("pipeline.py", "def later():\n    import cfp.api"),
        ("_native.py", "import numpy"),
    ],
)
def test_a_forbidden_import_is_found(file: str, line: str) -> None:
    assert len(forbidden_imports(line, PACKAGE / file)) == 1


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("_jax.py", "from jax._src import core"),
        ("ir/hlo.py", "from .mesh import Mesh\nimport json"),
        ("passes/trace_step.py", "from cfp.ir.step import TracedStep\nimport jax.numpy as jnp"),
        ("pipeline.py", "from cfp.passes.trace_step import trace_step"),
    ],
)
def test_an_allowed_import_passes(file: str, line: str) -> None:
    assert forbidden_imports(line, PACKAGE / file) == []


@pytest.mark.parametrize("module", ["cfp", "cfp.errors", "cfp.ir"])
def test_nouns_do_without_jax(module: str) -> None:
    program = (
        f"import sys, {module}; print(sorted({{'jax', 'jaxlib', 'numpy'}} & set(sys.modules)))"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (run.stdout, run.stderr) == ("[]\n", "")

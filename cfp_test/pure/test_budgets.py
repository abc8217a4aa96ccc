"""How large files and functions may grow, and what a name must not say: taste as a test."""

import ast
import re
import statistics
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILES = [
    file
    for folder in ("cfp", "xla_passes", "cfp_test", "build_jaxlib", "third_party")
    for suffix in ("py", "cc", "h", "sh")
    for file in sorted((ROOT / folder).rglob(f"*.{suffix}"))
]
NAMES_THAT_SAY_NOTHING = re.compile(r"(^|_)(utils?|helpers?|common|misc|manager)($|_)")
LEFT_FOR_LATER = re.compile(r"\b(TO[D]O|FIX[M]E|XX[X])\b")  # brackets: not to find itself


def name_of(file: Path) -> str:
    return str(file.relative_to(ROOT))


def function_lengths(file: Path) -> dict[str, int]:
    """Lines of every function of a Python file, by `file:line name`."""
    return {
        f"{name_of(file)}:{node.lineno} {node.name}": (node.end_lineno or 0) - node.lineno + 1
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_file_keeps_its_budgets(file: Path) -> None:
    text = file.read_text()
    assert text.count("\n") <= 500
    assert not NAMES_THAT_SAY_NOTHING.search(file.stem)
    assert LEFT_FOR_LATER.findall(text) == []


def test_half_of_the_files_are_short() -> None:
    assert statistics.median(file.read_text().count("\n") for file in FILES) <= 150


def test_functions_are_short() -> None:
    lengths = {
        name: length
        for file in FILES
        if file.suffix == ".py"
        for name, length in function_lengths(file).items()
    }
    assert statistics.quantiles(lengths.values(), n=10)[-1] <= 30
    assert {name: length for name, length in lengths.items() if length > 80} == {}

"""Every rule of docs/spec.md has its label in the code and in a test, and no label is invented.

The spec calls its rules R1, R2 … (partition rules), B1 … (blocks), S1 … (segments) and L1 …
(layouts). The line of code that is a rule carries `[R1]` in a comment or "R1" as a text, and so
does the test that would fail without it, where a text may go on: "R1: 8 pass 0.0 r.0".
"""

import re
from collections.abc import Iterable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SPEC = ROOT / "docs" / "spec.md"
IN_SPEC = re.compile(r"\*\*([RBSL]\d{1,2}(?:\.\d{1,2})?)\*\*")
IN_CODE = re.compile(r"[\[\"]([RBSL]\d{1,2}(?:\.\d{1,2})?)[\]\":]")


def labels(pattern: re.Pattern[str], files: Iterable[Path]) -> set[str]:
    return {label for file in files for label in pattern.findall(file.read_text())}


def is_test(file: Path) -> bool:
    return file.name.endswith("_test.cc")


CC_FILES = [
    file for file in sorted((ROOT / "xla_passes").rglob("*")) if file.suffix in (".cc", ".h")
]
CODE = [file for file in CC_FILES if not is_test(file)]
CODE += sorted((ROOT / "cfp").rglob("*.py"))
TESTS = [file for file in CC_FILES if is_test(file)]
TESTS += [file for file in (ROOT / "cfp_test").rglob("test_*.py") if file != Path(__file__)]


def test_the_spec_has_rules() -> None:
    first_of_each_kind = {"R1", "B1", "S1", "L1"}
    assert first_of_each_kind <= labels(IN_SPEC, [SPEC])


@pytest.mark.parametrize(("place", "files"), [("code", CODE), ("tests", TESTS)])
def test_labels_are_those_of_the_spec(place: str, files: list[Path]) -> None:
    promised, found = labels(IN_SPEC, [SPEC]), labels(IN_CODE, files)
    assert sorted(promised - found) == [], f"rules of docs/spec.md without a trace in the {place}"
    assert sorted(found - promised) == [], f"labels in the {place} that docs/spec.md does not know"

"""The dumps of small models are what they were; see cfp_test/golden/__init__.py."""

from pathlib import Path

import pytest

from cfp_test.golden.dumps import FOLDER, STEPS, dumps_of

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("name", STEPS)
def test_the_dumps_are_as_before(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)  # source files are told from the current folder
    dumps = dumps_of(name)
    assert dumps == {file: (FOLDER / name / file).read_text(encoding="utf-8") for file in dumps}


def test_every_golden_belongs_to_a_step() -> None:
    kept = {f"{name}/{file}" for name, (_, _, files) in STEPS.items() for file in files}
    assert {str(file.relative_to(FOLDER)) for file in FOLDER.rglob("*.txt")} == kept

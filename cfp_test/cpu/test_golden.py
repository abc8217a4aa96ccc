"""The dumps of small models are what they were, and the documentation quotes them as they are."""

import re
from pathlib import Path

import pytest

from cfp.options import Options
from cfp.pipeline import analyze_step
from cfp_test import gpt
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


def quotations() -> list[str]:
    """The lines that docs/reading_a_dump.md quotes, cut at every `…`."""
    text = (ROOT / "docs" / "reading_a_dump.md").read_text(encoding="utf-8")
    quoted = re.findall(r"<!-- quoted -->\n```\n(.*?)```", text, re.DOTALL)
    return [line for block in quoted for line in block.splitlines() if line]


def test_the_documentation_quotes_real_dumps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    analyze_step(*gpt.train_step(num_layer=2), options=Options(dump_dir=str(tmp_path)))
    said = [line for file in tmp_path.iterdir() for line in file.read_text().splitlines()]
    assert len(quotations()) > 15
    wrong = [
        quoted
        for quoted in quotations()
        if not any(all(part.strip() in line for part in quoted.split("…")) for line in said)
    ]
    assert wrong == []

"""The BUILD file and xla_passes/cc_build.py must agree on which C++ source is what.

A BUILD file is written in a subset of Python, so it is run here as Python, with rules that
only record what they are told.
"""

import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "xla_passes"))
import cc_build  # noqa: E402

Targets = dict[str, dict[str, Any]]


def glob(include: list[str], exclude: tuple[str, ...] = ()) -> list[str]:
    found = {path for pattern in include for path in ROOT.glob(pattern)}
    return sorted(_label(path) for path in found.difference(*(ROOT.glob(one) for one in exclude)))


def _label(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.fixture(scope="module")
def targets() -> Targets:
    found: Targets = {}

    def rule(name: str, **attributes: object) -> None:
        assert name not in found
        found[name] = attributes

    rules = dict.fromkeys(("cc_library", "cc_binary", "cc_test"), rule)
    exec((ROOT / "BUILD").read_text(), {"glob": glob, "package": lambda **_: None, **rules})
    return found


def test_the_core_is_the_same(targets: Targets) -> None:
    assert targets["cfp_core"]["srcs"] == [_label(file) for file in cc_build.core_sources()]


def test_every_cc_test_is_a_target(targets: Targets) -> None:
    tests = {file.stem: [_label(file)] for file in cc_build.test_sources()}
    assert tests
    assert {name: targets[name]["srcs"] for name in tests} == tests


def test_every_source_belongs_to_one_place(targets: Targets) -> None:
    used = [source for target in targets.values() for source in target["srcs"]]
    python_only = [_label(cc_build.BINDINGS)]
    fuzzers = glob(["xla_passes/*_fuzz.cc"])
    assert sorted([*used, *python_only, *fuzzers]) == glob(["xla_passes/*.cc"])


def test_one_version() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert f'version = "{version}"' in (ROOT / "MODULE.bazel").read_text()

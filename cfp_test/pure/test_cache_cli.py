"""`python -m cfp cache` as a stranger runs it: it lists, clears and checks, without JAX."""

import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cfp.__main__ import main
from cfp.costs.recorded import Store, installed_versions
from cfp.costs.recorded.entry import place_of
from cfp_test.pure.small_costs import COST, FAILED, FAILED_KEY, KEY

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """A store of two costs, in the folder that the environment names."""
    monkeypatch.setenv("CFP_CACHE_DIR", str(tmp_path))
    store = Store(tmp_path)
    store.put(KEY, COST)
    store.put(FAILED_KEY, FAILED)
    return store


def spoil(store: Store) -> Path:
    path = store.folder / place_of(KEY)
    path.write_text(path.read_text()[:-9])
    return path


def test_ls(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cache", "ls"]) == 0
    printed = capsys.readouterr().out
    assert "41.2 ms ± 0.3" in printed
    assert "  2 entries, " in printed
    assert main(["cache", "ls", "H100"]) == 0
    assert "  1 entry, " in capsys.readouterr().out


def test_a_folder_named_in_the_command_comes_first(
    store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other"
    assert main(["cache", "ls", "--cache_dir", str(other)]) == 0
    assert capsys.readouterr().out == f"  0 entries, 0 B in {other}\n"


def test_verify_gives_1_where_an_entry_is_damaged(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["cache", "verify"]) == 0
    assert capsys.readouterr().out == f"  2 whole, 0 not, 0 unfinished in {store.folder}\n"
    path = spoil(store)
    assert main(["cache", "verify"]) == 1
    printed = capsys.readouterr().out
    assert f"cfp: the recorded cost in {path} is damaged: " in printed
    assert printed.endswith(f"  1 whole, 1 not, 0 unfinished in {store.folder}\n")


def test_gc_removes_what_a_dry_run_shows(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    path = spoil(store)
    assert main(["cache", "gc", "--dry_run"]) == 0
    shown = capsys.readouterr().out
    assert path.exists()
    assert main(["cache", "gc"]) == 0
    removed = capsys.readouterr().out
    assert not path.exists()
    assert "damaged" in removed
    assert shown == removed.replace("removed", "would go")
    assert main(["cache", "gc"]) == 0
    assert capsys.readouterr().out == "  0 files, 0 B, removed\n"
    assert main(["cache", "verify"]) == 0


@pytest.mark.parametrize(
    ("words", "left"),
    [
        (["--days", "1000000"], ["new", "old"]),
        (["--days", "30"], ["new"]),
        (["--total_mib", "1"], ["new", "old"]),
        (["--total_mib", "0"], []),
        (["--other_versions"], ["new"]),
    ],
)
def test_gc_keeps_to_the_limits(words: list[str], left: list[str], tmp_path: Path) -> None:
    store = Store(tmp_path)
    here = installed_versions()
    today = datetime.now(UTC).date().isoformat()
    new = replace(KEY, program="new", versions=here)
    old = replace(KEY, program="old", versions=replace(here, jax="0.0.1"))
    store.put(new, replace(COST, when=today))
    store.put(old, replace(COST, when="2000-01-01"))
    assert main(["cache", "gc", "--cache_dir", str(tmp_path), *words]) == 0
    assert sorted(one.entry.key.program for one in store.entries()) == left


def test_a_folder_that_is_none_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("no folder")
    assert main(["cache", "verify", "--cache_dir", str(tmp_path / "file")]) == 1
    shown = capsys.readouterr().err
    assert shown.startswith(f"cfp: {tmp_path / 'file'} cannot be listed: Not a directory\n")
    assert "\n  cure:  " in shown


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "the following arguments are required: ls|gc|verify"),
        (["list"], "invalid choice: 'list'"),
        (["gc", "--days", "-1"], "'-1' is no whole number"),
        (["gc", "--days", "ten"], "'ten' is no whole number"),
        (["verify", "--fix"], "unrecognized arguments: --fix"),
    ],
)
def test_a_wrong_command_is_a_usage_error(
    words: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as left:
        main(["cache", *words])
    assert left.value.code == 2
    assert told in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--help"], ("analyze  ", "cache  ", "exit status is 0")),
        (["cache", "--help"], ("CFP_CACHE_DIR", "examples", "python -m cfp cache gc --days")),
        (["cache", "gc", "--help"], ("--dry_run", "--other_versions", "--cache_dir")),
    ],
)
def test_help_teaches(
    words: list[str], told: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as left:
        main(words)
    assert left.value.code == 0
    printed = capsys.readouterr().out
    assert [one for one in told if one not in printed] == []


def test_the_cache_can_be_looked_at_without_jax(store: Store) -> None:
    program = (
        "import sys; from cfp.__main__ import main; main(['cache', 'verify']);"
        "print(sorted({'jax', 'jaxlib', 'numpy', 'cfp._cfp_core'} & set(sys.modules)))"
    )
    run = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={**os.environ, "CFP_CACHE_DIR": str(store.folder)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout == f"  2 whole, 0 not, 0 unfinished in {store.folder}\n[]\n"

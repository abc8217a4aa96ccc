"""Recorded costs under fire: writers at once, readers between them, deaths at any moment."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cfp.costs.recorded import Limits, Store, check, collect, removable
from cfp_test.pure.recorded_writers import KEYS, cost_of, key_of

ROOT = Path(__file__).resolve().parents[2]
PUTS = 120
LATER = timedelta(hours=2)


def writing(*words: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "cfp_test.pure.recorded_writers", *map(str, words)]
    return subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def output_of(*words: object) -> str:
    with writing(*words) as process:
        out, err = process.communicate()
    assert (process.returncode, err) == (0, "")
    return out


def test_a_reader_beside_two_writers_never_sees_half_an_entry(tmp_path: Path) -> None:
    store = Store(tmp_path)
    possible = {cost_of(writer, turn) for writer in (1, 2) for turn in range(PUTS)}
    with writing("hammer", tmp_path, 1, PUTS) as one, writing("hammer", tmp_path, 2, PUTS) as two:
        seen = set()
        while one.poll() is None or two.poll() is None:
            seen |= {store.get(key_of(number)) for number in range(KEYS)}
    assert (one.returncode, two.returncode) == (0, 0)
    assert seen - {None} <= possible
    assert check(store) == ()
    assert list(store.leftovers()) == []
    last = [store.get(key_of(number)) for number in range(KEYS)]
    for number, cost in enumerate(last):
        turn = PUTS - KEYS + number
        assert cost in (cost_of(1, turn), cost_of(2, turn))


def test_death_at_any_line_leaves_the_old_entry_or_the_new_one(tmp_path: Path) -> None:
    left = output_of("at_lines", tmp_path).split()
    replaced = left.index("new")
    assert left == ["old"] * replaced + ["new"] * (len(left) - replaced)
    assert replaced > 10  # lines run before the new one is in its place
    assert len(left) - replaced > 5  # and after
    assert_only_leftovers_are_left(Store(tmp_path))


@pytest.mark.parametrize("seed", [1, 2])
def test_death_at_random_moments_loses_nothing(seed: int, tmp_path: Path) -> None:
    output_of("at_random", tmp_path, seed, 50)
    store = Store(tmp_path)
    assert len(list(store.entries())) == KEYS
    for stored in store.entries():
        cost = stored.entry.cost
        assert cost == cost_of(int(cost.time_s), cost.repeats - 1)
    assert_only_leftovers_are_left(store)


def assert_only_leftovers_are_left(store: Store) -> None:
    """Every entry is whole, and what else there is goes once it is old enough."""
    assert check(store) == ()
    entries, leftovers = list(store.entries()), list(store.leftovers())
    files = {path for path in store.folder.rglob("*") if path.is_file()}
    assert files == {one.file.path for one in entries} | {one.path for one in leftovers}
    now = datetime.now(UTC)
    assert removable(store, Limits(), now) == ()
    removed = collect(store, Limits(), now + LATER)
    assert {one.file for one in removed} == set(leftovers)
    assert list(store.entries()) == entries
    assert list(store.leftovers()) == []

"""Making room among recorded costs: what goes is what should, and never what was written since."""

import os
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cfp.costs.recorded import Limits, Removal, Store, collect, listing, removable
from cfp.costs.recorded.entry import Entry
from cfp.costs.recorded.whole_file import Found, remove
from cfp.errors import CacheFileError
from cfp.ir.cost import CostKey, Versions
from cfp_test.pure.small_costs import COST, FAILED, FAILED_KEY, KEY

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def put_aged(folder: Path, ages: Sequence[int]) -> dict[str, int]:
    """Entries found so many days ago; the age of each by its file's name."""
    names = {}
    for number, age in enumerate(ages):
        key = replace(KEY, program=f"program {number}")
        when = (NOW - timedelta(days=age)).date().isoformat()
        path = folder / Entry(key, replace(COST, when=when)).place
        path.parent.mkdir(exist_ok=True)
        path.write_text(Entry(key, replace(COST, when=when)).to_text())
        names[path.name] = age
    return names


def names_of(removals: Sequence[Removal]) -> set[str]:
    return {one.file.path.name for one in removals}


ages = st.lists(st.integers(0, 400), max_size=6, unique=True)


@settings(max_examples=25)
@given(ages, st.integers(0, 400))
def test_what_is_older_goes(ages: list[int], days: int) -> None:
    with TemporaryDirectory() as folder:
        names = put_aged(Path(folder), ages)
        removed = removable(Store(folder), Limits(days=days), NOW)
        assert names_of(removed) == {name for name, age in names.items() if age > days}


@settings(max_examples=40)
@given(ages, st.integers(0, 6), st.integers(-1, 1))
def test_the_newest_that_have_room_together_stay(ages: list[int], count: int, more: int) -> None:
    with TemporaryDirectory() as folder:
        store, names = Store(folder), put_aged(Path(folder), ages)
        sizes = {one.file.path.name: one.file.size_bytes for one in store.entries()}
        newest_first = sorted(names, key=names.__getitem__)
        size_bytes = max(sum(sizes[name] for name in newest_first[:count]) + more, 0)
        totals = accumulate(sizes[name] for name in newest_first)
        room = sum(total <= size_bytes for total in totals)
        removed = collect(store, Limits(size_bytes=size_bytes), NOW)
        assert {one.file.path.name for one in store.entries()} == set(newest_first[:room])
        assert names_of(removed) == set(newest_first[room:])


@pytest.mark.parametrize(
    ("here", "reasons"),
    [
        (KEY.versions, {"of jax 0.10.1, cfp unknown"}),
        (Versions("0.10.1", "", ""), {"of jax 0.10.2"}),
        (Versions("", "", ""), set()),
        (Versions("", "", "0.1.0", "v7"), {"of compiler unknown", "of cfp unknown, compiler v6"}),
    ],
)
def test_other_versions_go_and_an_unknown_one_decides_nothing(
    here: Versions, reasons: set[str], tmp_path: Path
) -> None:
    store = Store(tmp_path)
    store.put(KEY, COST)
    store.put(replace(KEY, versions=Versions("0.10.1", "0.10.2", "", "v6")), COST)
    assert {one.reason for one in removable(store, Limits(versions=here), NOW)} == reasons


def spoil(store: Store, key: CostKey, old: str, new: str) -> None:
    store.put(key, COST)
    path = store.folder / Entry(key, COST).place
    path.write_text(path.read_text().replace(old, new))


def test_the_damaged_always_go_the_foreign_on_demand(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.put(KEY, COST)
    spoil(store, replace(KEY, program="damaged"), "0.0412", "0.0413")
    spoil(store, replace(KEY, program="foreign"), '"schema": 1', '"schema": 2')
    with_foreign = removable(store, Limits(versions=KEY.versions), NOW)
    assert [one.reason for one in with_foreign] == ["damaged", "of another version of cfp"]
    assert [one.reason for one in collect(store, Limits(), NOW)] == ["damaged"]
    assert collect(store, Limits(), NOW) == ()
    assert len(list(store.contents())) == 2
    assert store.get(KEY) == COST


def test_what_a_stopped_writer_left_goes_after_an_hour(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.put(KEY, COST)
    entry = store.folder / Entry(KEY, COST).place
    draft = entry.with_name(f".{entry.name}.1234.tmp")
    draft.write_text('{"schema"')
    for age_s, count in ((3599, 0), (3601, 1)):
        moment = NOW.timestamp() - age_s
        os.utime(draft, (moment, moment))
        assert len(removable(store, Limits(), NOW)) == count
    (removal,) = collect(store, Limits(), NOW)
    assert removal.reason == "left by a writer that was stopped"
    assert [one for one in tmp_path.rglob("*") if one.is_file()] == [entry]


def test_what_was_written_since_is_not_removed(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.put(KEY, COST)
    (stored,) = store.entries()
    store.put(KEY, replace(COST, time_s=1.0))
    assert not remove(stored.file)
    assert store.get(KEY) == replace(COST, time_s=1.0)
    assert [one for one in tmp_path.rglob("*") if one.is_file()] == [stored.file.path]
    (stored,) = store.entries()
    assert remove(stored.file)
    assert not remove(stored.file)
    assert store.get(KEY) is None


def test_what_cannot_be_removed_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(CacheFileError, match="cannot be removed: Not a directory"):
        remove(Found(tmp_path / "file" / "x", 1, 1, 1))


# ---- the listing


def test_the_listing(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.put(KEY, COST)
    store.put(FAILED_KEY, replace(FAILED, when="2026-11-20"))
    listed = listing(store, "", date(2026, 11, 21)).replace(str(tmp_path), "~/.cache/cfp")
    assert (
        listed
        == """\
  entry     cost           source     size     age  program   strategy, mesh, device
  8bb87e04  cannot run     measured  777 B   1 day  9f31c0aa  [batch->data, ., .] on data:8, NVIDIA
                                                              H100 80GB HBM3: out of memory: 9.1 GiB
                                                              at dot.3
  b9d5554c  41.2 ms ± 0.3  measured  713 B  0 days  9f31c0aa  [batch->data, ., .] on data:8, cpu
  2 entries, 1.46 KiB in ~/.cache/cfp"""
    )


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("cpu clock", 1),
        ("H100", 1),
        ("out of memory", 1),
        ("9f31c0aa", 2),
        (KEY.digest(), 1),
        ("jaxlib 0.10.2", 2),
        ("fast_math", 2),
        ("nowhere", 0),
    ],
)
def test_the_listing_of_what_holds_a_text(text: str, count: int, tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.put(KEY, COST)
    store.put(FAILED_KEY, FAILED)
    *lines, total = listing(store, text, NOW.date()).splitlines()
    assert total.startswith(f"  {count} entr")
    assert sum("9f31c0aa" in line for line in lines) == count


def test_the_listing_tells_of_what_it_cannot_show(tmp_path: Path) -> None:
    store = Store(tmp_path)
    spoil(store, KEY, "{", "(")
    assert listing(store, "", NOW.date()).splitlines() == [
        f"  0 entries, 0 B in {tmp_path}",
        "  1 more cannot be used: `cfp cache verify` says why",
    ]

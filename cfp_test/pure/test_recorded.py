"""Recorded costs: what is put is got, and what is not as it was written counts for nothing."""

import json
import os
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings

from cfp.costs.recorded import CacheWarning, Store, check
from cfp.costs.recorded.entry import Entry, entry_in, place_of
from cfp.errors import CacheFileError, DamagedCostError, ForeignCostError, InconsistentError
from cfp.ir.cost import Cost, CostKey
from cfp_test.pure.small_costs import COST, FAILED, FAILED_KEY, KEY, costs, keys

ROOT = Path(__file__).resolve().parents[2]
ENTRY = Entry(KEY, COST)


def entry_path(folder: Path, key: CostKey = KEY) -> Path:
    return folder / place_of(key)


@settings(max_examples=30)
@given(keys, costs)
def test_what_is_put_is_got(key: CostKey, cost: Cost) -> None:
    key = replace(key, device=cost.device, source=cost.source)
    with TemporaryDirectory() as folder:
        store = Store(folder)
        assert store.get(key) is None
        store.put(key, cost)
        assert store.get(key) == cost
        (stored,) = store.entries()
        assert stored.entry == Entry(key, cost)
        assert stored.file.size_bytes == len(stored.file.path.read_bytes())
        assert check(store) == ()


def test_the_last_put_wins(tmp_path: Path) -> None:
    store = Store(tmp_path / "not" / "yet")
    store.put(KEY, COST)
    store.put(KEY, replace(COST, time_s=1.0))
    store.put(FAILED_KEY, FAILED)
    assert store.get(KEY) == replace(COST, time_s=1.0)
    assert store.get(FAILED_KEY) == FAILED
    assert len(list(store.entries())) == 2


def test_a_file_says_all_about_itself(tmp_path: Path) -> None:
    Store(tmp_path).put(KEY, COST)
    (file,) = (one for one in tmp_path.rglob("*") if one.is_file())
    assert str(file.relative_to(tmp_path)) == f"{KEY.digest()[:2]}/{KEY.digest()}.json"
    data = json.loads(file.read_text())
    assert data["schema"] == 1
    assert data["key"] == json.loads(KEY.to_json())
    assert data["cost"] == json.loads(COST.to_json())


def test_the_file_that_is_documented_is_the_one_that_is_written() -> None:
    document = (ROOT / "docs" / "cache.md").read_text()
    assert f"```\n{ENTRY.to_text()}```" in document
    assert f"`{ENTRY.place[:14]}….json`" in document


@pytest.mark.parametrize(
    ("cost", "fact"),
    [
        (replace(COST, device="TPU v5e"), "the device of the key is cpu, that of the cost TPU v5e"),
        (
            replace(COST, source="analytic", clock="model", repeats=0),
            "the source of the key is measured, that of the cost analytic",
        ),
    ],
)
def test_a_cost_is_not_put_under_the_key_of_another(cost: Cost, fact: str, tmp_path: Path) -> None:
    with pytest.raises(InconsistentError) as caught:
        Store(tmp_path).put(KEY, cost)
    assert caught.value.what == f"the Entry contradicts itself: {fact}"


# ---- what is not as it was written


def is_refused_or_the_same(text: bytes) -> bool:
    try:
        return entry_in(text, Path(ENTRY.place)) == ENTRY
    except (DamagedCostError, ForeignCostError):
        return True


def test_every_flipped_bit_is_found_or_changes_nothing() -> None:
    text = ENTRY.to_text().encode()
    for place in range(len(text)):
        for bit in range(8):
            flipped = bytearray(text)
            flipped[place] ^= 1 << bit
            assert is_refused_or_the_same(bytes(flipped)), (place, bit)


def test_every_cut_is_found() -> None:
    text = ENTRY.to_text().encode()
    for length in range(len(text) - 1):  # without its last line break it is still whole
        with pytest.raises(DamagedCostError):
            entry_in(text[:length], Path(ENTRY.place))


def with_hash_of_other_content() -> str:
    data = json.loads(ENTRY.to_text())
    data["cost"]["time_s"] *= 0.5
    return json.dumps(data)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "is damaged: the JSON cannot be read: Expecting value"),
        ("[]", "is damaged: the JSON cannot be read: expected dict, found list, at Entry"),
        ("\ufffe", "is damaged: the JSON cannot be read: "),
        ('{"schema": 1}', "is damaged: the JSON cannot be read: is missing, at Entry.cost"),
        (ENTRY.to_text().replace('"schema": 1', '"schema": 2'), "has schema 2, and this cfp reads"),
        (with_hash_of_other_content(), "it is not the hash of key and cost, at Entry.sha256"),
        (Entry(FAILED_KEY, FAILED).to_text(), f"its key belongs to {place_of(FAILED_KEY)}"),
    ],
)
def test_what_cannot_be_trusted_is_told_and_counts_as_absent(
    text: str, told: str, tmp_path: Path
) -> None:
    store = Store(tmp_path)
    store.put(KEY, COST)
    entry_path(tmp_path).write_text(text)
    with pytest.warns(CacheWarning) as warned:
        assert store.get(KEY) is None
    (problem,) = check(store)
    assert told in problem.what
    assert [str(one.message) for one in warned] == [str(problem)]
    assert list(store.entries()) == []
    store.put(KEY, COST)
    assert store.get(KEY) == COST


def test_an_entry_in_the_wrong_folder_is_found(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.put(KEY, COST)
    path = entry_path(tmp_path)
    other = tmp_path / ("00" if path.parent.name != "00" else "01") / path.name
    other.parent.mkdir()
    path.rename(other)
    assert store.get(KEY) is None
    assert [one.what for one in check(store)] == [
        f"the recorded cost in {other} is damaged: its key belongs to {place_of(KEY)}"
    ]


def test_what_is_no_entry_by_its_name_is_left_alone(tmp_path: Path) -> None:
    Store(tmp_path).put(KEY, COST)
    for name in ("notes.txt", "ab/notes.json", "models/weights.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("mine")
    assert [one.entry for one in Store(tmp_path).contents()] == [ENTRY]
    assert list(Store(tmp_path).leftovers()) == []


# ---- what the system refuses


def test_a_folder_that_cannot_be_written_is_an_error_and_a_run_goes_on(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    store = Store(tmp_path / "file")
    with pytest.raises(CacheFileError, match="cannot be written: Not a directory"):
        store.put(KEY, COST)
    with pytest.warns(CacheWarning, match=r"cannot be written: Not a directory\n  where: "):
        store.keep(KEY, COST)
    with pytest.warns(CacheWarning, match="cannot be read: Not a directory"):
        assert store.get(KEY) is None
    with pytest.raises(CacheFileError, match="cannot be listed: Not a directory"):
        list(store.contents())


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is read-only to root")
def test_a_read_only_folder_is_an_error(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(CacheFileError, match="cannot be written: Permission denied"):
        Store(tmp_path).put(KEY, COST)


def test_a_failed_write_leaves_no_file(tmp_path: Path) -> None:
    store = Store(tmp_path)
    entry_path(tmp_path).mkdir(parents=True)  # a folder where the file should go
    with pytest.raises(CacheFileError, match="cannot be written: Is a directory"):
        store.put(KEY, COST)
    assert list(store.leftovers()) == []
    (found,) = store.contents()
    assert "cannot be read: Is a directory" in str(found.error)


def test_a_run_that_can_record_is_told_nothing(tmp_path: Path) -> None:
    Store(tmp_path).keep(KEY, COST)  # a warning would be an error here
    assert Store(tmp_path).get(KEY) == COST
    assert list(Store(tmp_path / "nowhere").contents()) == []

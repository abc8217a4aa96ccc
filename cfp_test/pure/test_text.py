"""How numbers, tables, dumps and steps are written."""

import os
from pathlib import Path

import pytest

from cfp.dump import write_dump
from cfp.errors import UnreadableFileError
from cfp.ir import ArrayInfo, Source, StaticArgument, TracedStep
from cfp.ir.step_text import size_bytes, summary
from cfp.ir.table import table, unbroken
from cfp.ir.units import bytes_text, flops_text, percent_text, rate_text, seconds_text
from cfp.options import Options, options_from_environment


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (bytes_text(0), "0 B"),
        (bytes_text(1023), "1023 B"),
        (bytes_text(1024), "1.00 KiB"),
        (bytes_text(1.3 * 2**30), "1.30 GiB"),
        (bytes_text(2**70), "1048576 PiB"),
        (flops_text(999), "999 FLOP"),
        (flops_text(2.1e9), "2.10 GFLOP"),
        (flops_text(3.14e14), "314 TFLOP"),
        (seconds_text(0), "0.00 us"),
        (seconds_text(0.0412), "41.2 ms"),
        (seconds_text(75.25), "75.2 s"),
        (percent_text(0.034), "3.4 %"),
        (rate_text(1.56e12, "B"), "1.56 TB/s"),
        (rate_text(312e12, "FLOP"), "312 TFLOP/s"),
    ],
)
def test_units(text: str, expected: str) -> None:
    assert text == expected


def test_a_table_puts_numbers_right_and_wraps_the_last_column() -> None:
    words = ", ".join(unbroken(f"B{number} 1") for number in range(20))
    assert table(("n", "name", "members"), [(1, "long name", words), (12, "b", "none")]) == [
        "   n  name       members",
        "   1  long name  " + ", ".join(f"B{number} 1" for number in range(13)) + ",",
        "                 " + ", ".join(f"B{number} 1" for number in range(13, 20)),
        "  12  b          none",
    ]


def test_a_source_under_the_current_folder_is_short() -> None:
    assert str(Source(str(Path.cwd() / "models" / "gpt.py"), 7)) == "models/gpt.py:7"
    assert str(Source("/elsewhere/gpt.py", 7)) == "/elsewhere/gpt.py:7"
    assert str(Source(argument="state.params['w']")) == "state.params['w']"
    assert str(Source()) == "unknown"


@pytest.mark.parametrize(
    ("dtype", "expected"),
    [("float32", 96), ("bfloat16", 48), ("bool", 24), ("int4", 12), ("key<fry>", 192)],
)
def test_size_of_an_array(dtype: str, expected: int) -> None:
    assert size_bytes(ArrayInfo("x", (4, 6), dtype)) == expected


def test_a_step_is_told_by_parameter() -> None:
    weights = [ArrayInfo(f"state.params['{name}']", (8, 4), "float32", True) for name in "ab"]
    step = TracedStep(
        name="train",
        hlo=b"hlo",
        arguments=(*weights, ArrayInfo("batch", (8,), "int32")),
        results=(ArrayInfo("result[0]['a']", (), "float32"), ArrayInfo("result[1]", (2,), "bool")),
        equations=(),
        static_arguments=(StaticArgument("mode", "'fast'"),),
    )
    assert (
        summary(step)
        == """\
step train: 0 equations, 3 B of HLO
  static  mode = 'fast'
         name        size  arrays
  takes  state      256 B  2 arrays, donated
  takes  batch       32 B  int32[8]
  gives  result[0]    4 B  float32[]
  gives  result[1]    2 B  bool[2]"""
    )


def test_a_dump_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    write_dump(str(tmp_path / "new" / "folder"), "a.txt", "text")
    assert (tmp_path / "new" / "folder" / "a.txt").read_text() == "text\n"
    with pytest.raises(UnreadableFileError, match="File exists"):
        write_dump(str(tmp_path / "new" / "folder" / "a.txt"), "b.txt", "text")


@pytest.mark.parametrize(("value", "dump_dir"), [("", None), ("dumps", "dumps")])
def test_dumps_from_the_environment(
    value: str, dump_dir: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CFP_DUMP_DIR", value)
    assert options_from_environment().dump_dir == dump_dir


@pytest.mark.parametrize(
    ("named", "caches", "cache_dir"),
    [
        ("here", "/caches", "here"),
        ("", "/caches", "/caches/cfp"),
        ("", "caches", "/home/user/.cache/cfp"),
        ("", "", "/home/user/.cache/cfp"),
    ],
)
def test_where_costs_are_recorded(
    named: str, caches: str, cache_dir: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CFP_CACHE_DIR", named)
    monkeypatch.setenv("XDG_CACHE_HOME", caches)
    monkeypatch.setenv("HOME", "/home/user")
    assert options_from_environment().cache_dir == cache_dir
    assert Options().cache_dir is None


def test_a_user_without_a_home_records_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CFP_CACHE_DIR", "XDG_CACHE_HOME", "HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 2**31 - 7)  # a user that no system knows
    assert options_from_environment().cache_dir is None

"""The file that a bench writes: its shape is what later runs are compared by."""

import json

import pytest

from cfp_test.bench.measurement import Figure, Measurement, machine

FOUND = Measurement(
    bench="analysis",
    quick=True,
    rows=({"model": "gpt", "layers": 4, "analyze_cpu_s": 0.01234567},),
    figures={
        "analyze_cpu_s_168": Figure(None, "s", "lower", "--quick leaves it out"),
        "read_instr_per_s": Figure(2.9e6, "1/s", "higher"),
    },
)


def test_the_file_says_what_was_measured_where_and_when() -> None:
    written = json.loads(FOUND.to_json())
    assert list(written) == [
        *("bench", "quick", "date", "commit", "machine", "versions", "rows", "figures")
    ]
    assert (written["bench"], written["quick"], written["rows"]) == (
        "analysis",
        True,
        [*FOUND.rows],
    )
    assert set(written["versions"]) == {"jax", "jaxlib", "cfp"}
    assert written["machine"] == machine()


def test_a_figure_that_was_not_measured_is_null_with_a_reason() -> None:
    assert json.loads(FOUND.to_json())["figures"] == {
        "analyze_cpu_s_168": {
            "value": None,
            "unit": "s",
            "better": "lower",
            "reason": "--quick leaves it out",
        },
        "read_instr_per_s": {"value": 2.9e6, "unit": "1/s", "better": "higher"},
    }


def test_prints_itself() -> None:
    assert str(FOUND) == (
        "bench analysis (quick: less is measured)\n"
        "  model  layers  analyze_cpu_s\n"
        "  gpt         4  0.01235\n"
        "  analyze_cpu_s_168: not measured: --quick leaves it out\n"
        "  read_instr_per_s: 2.9e+06 1/s, higher is better"
    )


@pytest.mark.parametrize("key", ["cpu", "cores", "memory_bytes", "device"])
def test_the_machine_is_known(key: str) -> None:
    assert machine()[key]

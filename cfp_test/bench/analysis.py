"""The bench of the analysis: how its time and memory grow with the train step.

The models are `tiny`: what the analysis costs depends on how many ops there are and how they hang
together, not on the sizes of their arrays. `core_cpu_s` is the C++ core, from bytes to records;
`analyze_cpu_s` the whole pass, which makes Python's nouns of them. Each module is traced once, then
analysed in a process of its own that has not loaded JAX.
"""

import json
import math
import re
import subprocess
import sys
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time

from jaxlib.xla_client import XlaComputation

from cfp.passes.trace_step import trace_step
from cfp_test.bench.measurement import ROOT, Figure, Measurement

REPEATS = 7
_INSTRUCTION = re.compile(r"^\s+(?:ROOT )?%?[\w.-]+ = ", re.MULTILINE)
_NOT_QUICK = "--quick leaves it out"


@dataclass(frozen=True)
class Case:
    """A model of cfp_test and the flags that give it its structure."""

    model: str
    layers: int
    flags: dict[str, object] = field(default_factory=dict)

    @property
    def form(self) -> str:
        """`unrolled`, or the flags that make it something else."""
        return " ".join(self.flags) or "unrolled"


UNROLLED = tuple(Case("gpt", layers) for layers in (4, 24, 96, 168))
MOE_4 = Case("moe", 4)
QUICK_CASES = (*UNROLLED[:2], MOE_4)
CASES = (
    *UNROLLED,
    Case("gpt", 96, {"remat": True}),
    Case("gpt", 168, {"scan": True}),
    MOE_4,
    Case("moe", 16),
    Case("moe", 16, {"scan": True}),
)


def measure() -> Measurement:
    """All cases."""
    rows = [_row(case) for case in CASES]
    return Measurement("analysis", quick=False, rows=tuple(rows), figures=_figures(rows))


def measure_quickly() -> Measurement:
    """The small cases; the figures of the large ones are null."""
    rows = [_row(case) for case in QUICK_CASES]
    return Measurement("analysis", quick=True, rows=tuple(rows), figures=_figures(rows))


def _row(case: Case) -> dict[str, object]:
    print(f"  {case.model} {case.layers} {case.form}", file=sys.stderr, flush=True)
    package = import_module(f"cfp_test.{case.model}")
    start = process_time()
    step = trace_step(*package.train_step(num_layer=case.layers, **case.flags))
    trace_cpu_s = process_time() - start
    return {
        "model": case.model,
        "layers": case.layers,
        "form": case.form,
        "instructions": _count_instructions(step.hlo),
        "hlo_mib": len(step.hlo) / 2**20,
        "trace_cpu_s": trace_cpu_s,
        **_analyze_apart(step.hlo),
    }


def _count_instructions(hlo: bytes) -> int:
    return len(_INSTRUCTION.findall(XlaComputation(hlo).as_hlo_text()))


def _analyze_apart(hlo: bytes) -> dict[str, object]:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "step.hlo.pb"
        file.write_bytes(hlo)
        words = [sys.executable, "-m", "cfp_test.bench.analyze_once", str(file), str(REPEATS)]
        run = subprocess.run(words, cwd=ROOT, stdout=subprocess.PIPE, check=True)
    return json.loads(run.stdout)


def _figures(rows: list[dict[str, object]]) -> dict[str, Figure]:
    largest = _find(rows, "gpt", 168)
    moe = _find(rows, "moe", 4)
    speed = largest and largest["instructions"] / largest["read_s"]
    return {
        "read_instr_per_s": _figure(speed, "1/s", "higher"),
        "analyze_cpu_s_168": _figure(largest and largest["core_cpu_s"], "s"),
        "analyze_peak_mib_168": _figure(largest and largest["peak_mib"], "MiB"),
        "growth_exponent": _figure(largest and _growth(rows), "of the instructions"),
        "pass_cpu_s_moe4": _figure(moe and moe["trace_cpu_s"] + moe["analyze_cpu_s"], "s"),
    }


def _find(rows: list[dict[str, object]], model: str, layers: int) -> dict | None:
    chosen = (model, layers, "unrolled")
    found = [row for row in rows if (row["model"], row["layers"], row["form"]) == chosen]
    return found[0] if found else None


def _figure(value: float | None, unit: str, better: str = "lower") -> Figure:
    return Figure(value, unit, better, _NOT_QUICK if value is None else "")


def _growth(rows: list[dict[str, object]]) -> float:
    """The power of the instructions with which CPU time grows, fitted over the unrolled GPTs."""
    points = [
        (math.log(row["instructions"]), math.log(row["core_cpu_s"]))
        for row in rows
        if (row["model"], row["form"]) == ("gpt", "unrolled")
    ]
    mean_x, mean_y = (sum(axis) / len(points) for axis in zip(*points, strict=True))
    covariance = sum((x - mean_x) * (y - mean_y) for x, y in points)
    return covariance / sum((x - mean_x) ** 2 for x, _ in points)

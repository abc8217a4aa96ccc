"""What a bench found, and the file it is kept in: rows as measured, figures to compare over time.

{"bench": "analysis", "quick": false, "date": …, "commit": …, "machine": …, "versions": …,
 "rows": [{"model": "gpt", "layers": 4, "analyze_cpu_s": 0.017, …}, …],
 "figures": {"analyze_cpu_s_168": {"value": 0.41, "unit": "s", "better": "lower"}, …}}
"""

import datetime as dt
import json
import os
import platform
import subprocess
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

from cfp._native import CORE_VERSION
from cfp.ir.table import table

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Figure:
    """One number worth following; `reason` says why there is none where value is None."""

    value: float | None
    unit: str
    better: str
    reason: str = ""

    def __str__(self) -> str:
        if self.value is None:
            return f"not measured: {self.reason}"
        return f"{self.value:.4g} {self.unit}, {self.better} is better"


@dataclass(frozen=True)
class Measurement:
    """All that one run of a bench found; every row has the same keys."""

    bench: str
    quick: bool
    rows: tuple[dict[str, object], ...]
    figures: dict[str, Figure]

    def to_json(self) -> str:
        """Rows and figures with what they hold for: date, commit, machine, versions."""
        around = {
            "bench": self.bench,
            "quick": self.quick,
            "date": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
            "commit": commit(),
            "machine": machine(),
            "versions": {"jax": version("jax"), "jaxlib": version("jaxlib"), "cfp": CORE_VERSION},
        }
        figures = {
            name: {key: entry for key, entry in asdict(one).items() if entry != ""}
            for name, one in self.figures.items()
        }
        return json.dumps({**around, "rows": self.rows, "figures": figures}, indent=1) + "\n"

    def __str__(self) -> str:
        header = list(self.rows[0])
        cells = [[_shown(row[key]) for key in header] for row in self.rows]
        figures = [f"  {name}: {figure}" for name, figure in self.figures.items()]
        quick = " (quick: less is measured)" if self.quick else ""
        return "\n".join([f"bench {self.bench}{quick}", *table(header, cells), *figures])


def commit() -> str:
    """The commit of the sources, `-dirty` where they differ from it."""
    described = subprocess.run(
        ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return described.stdout.strip() or "unknown"


def machine() -> dict[str, object]:
    """What the bench ran on; the analysis needs no device but the CPU."""
    return {
        "cpu": _cpu_name(),
        "cores": os.cpu_count(),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "device": "cpu",
    }


def _cpu_name() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def _shown(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)

"""Analyses one module without JAX: `python -m cfp_test.bench.analyze_once FILE REPEATS`.

Prints JSON: CPU seconds of the fastest of REPEATS runs, how far the median was from it, and by how
much the first run raised the peak of the process's memory, the nouns it returned included.
"""

import json
import re
import statistics
import sys
from pathlib import Path
from time import process_time

from cfp._native import load_core
from cfp.passes.analyze_hlo import analyze_module


def peak_bytes() -> int:
    """The most memory this process has held; `ru_maxrss` would count its parent's before exec."""
    status = Path("/proc/self/status").read_text()
    return 1024 * int(re.search(r"VmHWM:\s+(\d+) kB", status)[1])


def measure(file: Path, repeats: int) -> dict[str, object]:
    """What one module costs."""
    hlo = file.read_bytes()
    load_core()
    before = peak_bytes()
    analysis = analyze_module(hlo)
    raised = peak_bytes() - before
    runs = sorted(_timed(hlo) for _ in range(repeats))
    return {
        "ops": len(analysis.ops),
        "blocks": len(analysis.blocks),
        "distinct": len(analysis.distinct_blocks),
        "read_s": min(read for _, read, _ in runs),
        "core_cpu_s": min(core for _, _, core in runs),
        "analyze_cpu_s": runs[0][0],
        "spread_pct": 100 * (statistics.median(one[0] for one in runs) / runs[0][0] - 1),
        "peak_mib": raised / 2**20,
    }


def _timed(hlo: bytes) -> tuple[float, float, float]:
    """CPU seconds of the pass in all, of reading the bytes, and of the core with its records."""
    start = process_time()
    records = load_core().read(hlo).records()
    core = process_time() - start
    start = process_time()
    analyze_module(hlo)
    return process_time() - start, records.timing.read_s, core


if __name__ == "__main__":
    print(json.dumps(measure(Path(sys.argv[1]), int(sys.argv[2]))))

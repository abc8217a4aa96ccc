"""`python -m cfp_test.bench NAME [--quick] --out FILE.json`: measures, prints, writes JSON."""

import argparse
import os
from pathlib import Path

# Before JAX is imported: eight host devices are enough for every bench, and XLA need not tell that
# there is a CPU.
os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "1")

os.environ["XLA_FLAGS"] = (
    f"{os.environ.get('XLA_FLAGS', '')} --xla_force_host_platform_device_count=8".strip()
)

from cfp_test.bench import analysis, verify

BENCHES = {"analysis": analysis, "verify": verify}


def main() -> None:
    """Runs one bench."""
    parser = argparse.ArgumentParser(prog="python -m cfp_test.bench", description=__doc__)
    parser.add_argument("name", choices=sorted(BENCHES))
    parser.add_argument("--quick", action="store_true", help="measure less, and say so in the file")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE.json")
    chosen = parser.parse_args()
    bench = BENCHES[chosen.name]
    found = bench.measure_quickly() if chosen.quick else bench.measure()
    print(found)
    chosen.out.write_text(found.to_json(), encoding="utf-8")


if __name__ == "__main__":
    main()

"""Feeds changed modules to the core, sanitizers on: `python cfp_test/native/fuzz.py --seed 1`.

Whatever the bytes, the answer must be an analysis or an HloError (see xla_passes/hlo_fuzz.cc). The
seed is printed first, so that any run can be repeated; without --seed it is a new one each time.
"""

import argparse
import random
import subprocess
import sys

import build_cc_tests
import cc_build

ORIGINALS = build_cc_tests.ROOT / "cfp_test" / "native" / "data"
FUZZER = cc_build.FOLDER / "hlo_fuzz.cc"


def main() -> int:
    """Builds the fuzzer and runs it over every module in data/; its exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mutations", type=int, default=100_000, help="how many (100000)")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    wanted = parser.parse_args()
    objects = build_cc_tests.objects_of([FUZZER, *cc_build.core_sources()])
    program = build_cc_tests.FOLDER / "hlo_fuzz"
    cc_build.link_program(objects, build_cc_tests.FLAGS, program)
    modules = sorted(ORIGINALS.glob("*.hlo.pb"))
    words = [program, str(wanted.mutations), str(wanted.seed), *modules]
    return subprocess.run(words, cwd=build_cc_tests.FOLDER, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())

"""Builds and runs the C++ tests with the address and undefined-behaviour sanitizers on.

    python cfp_test/native/build_cc_tests.py            all of them
    python cfp_test/native/build_cc_tests.py graph      graph_test.cc alone

Every `xla_passes/*_test.cc` becomes a program linked with the core and testing_main.cc. Without
arguments `cfp_opt` is built too, for golden tests to call as build/cc_tests/cfp_opt. Exit status: 0
when all pass, 1 otherwise, also when there is nothing to run.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "xla_passes"))
import cc_build  # noqa: E402

FOLDER = ROOT / "build" / "cc_tests"
SANITIZERS = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all")
FLAGS = (*cc_build.LANGUAGE, *cc_build.WARNINGS, "-O1", "-g", *SANITIZERS)


def objects_of(sources: list[Path]) -> list[Path]:
    """Returns the objects of `sources`, sanitizers on."""
    return cc_build.compile_units([cc_build.Unit(source, FLAGS) for source in sources], FOLDER)


def passes(program: Path) -> bool:
    """Runs one test program and says how it went in one line; its complaints go to stderr."""
    environment = {**os.environ, "UBSAN_OPTIONS": "print_stacktrace=1"}
    run = subprocess.run([program], stdout=subprocess.PIPE, text=True, env=environment, check=False)
    verdict = "ok    " if run.returncode == 0 else "FAILED"
    told = run.stdout.strip() or f"exit status {run.returncode}"
    print(f"{verdict} {program.name}: {told}", flush=True)
    return run.returncode == 0


def main(wanted: list[str]) -> int:
    """Builds and runs the tests whose names are `wanted`, or all of them."""
    tests = [
        source
        for source in cc_build.test_sources()
        if not wanted or source.name.removesuffix("_test.cc") in wanted
    ]
    if not tests:
        print(f"no C++ test named {' or '.join(wanted) or '*'} in xla_passes", file=sys.stderr)
        return 1
    core = objects_of(cc_build.core_sources())
    test_main, *bodies = objects_of([cc_build.TEST_MAIN, *tests])
    if not wanted:
        cc_build.link_program([*objects_of([cc_build.CFP_OPT]), *core], FLAGS, FOLDER / "cfp_opt")
    passed = 0
    for source, body in zip(tests, bodies, strict=True):
        program = FOLDER / source.stem
        cc_build.link_program([body, test_main, *core], FLAGS, program)
        passed += passes(program)
    print(f"C++ tests: {passed} of {len(tests)} programs passed, sanitizers on")
    return 0 if passed == len(tests) else 1


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except cc_build.CompilerError as failure:
        sys.exit(f"C++ tests: {failure}")

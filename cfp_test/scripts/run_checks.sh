#!/bin/sh
# Runs what is checked once, whatever the JAX: the checkers, the C++ tests and the fuzzing.
#
#   sh cfp_test/scripts/run_checks.sh                       with the tools in .venv
#   VENV=.venv-newest sh cfp_test/scripts/run_checks.sh     with those of another environment
#
# A failed check does not stop the others; it is named at the end and in the exit status.
set -eu
cd "$(dirname "$0")/../.."
PATH="$PWD/${VENV:-.venv}/bin:$PATH"
failed=

# check NAME COMMAND...: runs the command under a headline and remembers its name when it fails.
check() {
  name=$1
  shift
  echo "== $name"
  "$@" || failed="$failed $name;"
}

check "ruff check" ruff check --quiet
check "ruff format" ruff format --check --quiet
check "pyright" pyright --pythonpath "$(command -v python)"
# shellcheck disable=SC2046  # names without blanks
check "clang-format" clang-format --dry-run -Werror $(find xla_passes -name '*.h' -o -name '*.cc')
check "C++ tests" python cfp_test/native/build_cc_tests.py
check "fuzzing" python cfp_test/native/fuzz.py --seed 1

[ -z "$failed" ] || { echo "== FAILED:$failed" && exit 1; }

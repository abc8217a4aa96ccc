#!/bin/sh
# Sets up, then runs every check and every test; pytest comes last, so its summary line is the end.
#
#   sh cfp_test/scripts/run_tests.sh             everything
#   sh cfp_test/scripts/run_tests.sh -k blocks   the checks, then pytest with these arguments
#
# A failed check does not stop the others; it is named before pytest runs and in the exit status.
set -eu
cd "$(dirname "$0")/../.."
sh cfp_test/scripts/setup_env.sh
failed=

# check NAME COMMAND...: runs the command under a headline and remembers its name when it fails.
check() {
  name=$1
  shift
  echo "== $name"
  "$@" || failed="$failed $name;"
}

PATH="$PWD/.venv/bin:$PATH"
check "ruff check" ruff check --quiet
check "ruff format" ruff format --check --quiet
check "pyright" pyright
# shellcheck disable=SC2046  # names without blanks
check "clang-format" clang-format --dry-run -Werror $(find xla_passes -name '*.h' -o -name '*.cc')
check "C++ tests" python cfp_test/native/build_cc_tests.py
check "fuzzing" python cfp_test/native/fuzz.py --seed 1

[ -z "$failed" ] || echo "== FAILED before pytest:$failed"
echo "== pytest $*"
python -m pytest "$@" || exit
[ -z "$failed" ]

#!/bin/sh
# Sets up, then runs every check and every test; pytest comes last, so its summary line is the end.
#
#   sh cfp_test/scripts/run_tests.sh             everything
#   sh cfp_test/scripts/run_tests.sh -k blocks   the checks, then pytest with these arguments
#   VENV=.venv-newest PYTHON=python3.13 sh …     with the newest JAX; see setup_env.sh
#
# A failed check does not keep the tests from running; it is in the exit status.
set -eu
cd "$(dirname "$0")/../.."
sh cfp_test/scripts/setup_env.sh
checked=0
sh cfp_test/scripts/run_checks.sh || checked=$?
echo "== pytest $*"
"${VENV:-.venv}/bin/python" -m pytest "$@" || exit
exit "$checked"

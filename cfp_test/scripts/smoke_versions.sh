#!/bin/sh
# Runs the tests marked `smoke` with one JAX release after the other, and says with which they pass.
#
#   sh cfp_test/scripts/smoke_versions.sh                   all that pip lists, the oldest to newest
#   sh cfp_test/scripts/smoke_versions.sh 0.11.2 0.12.0     these alone
#   PYTHON=python3.13 sh cfp_test/scripts/smoke_versions.sh
#
# They take turns in an environment of their own. Python 3.12 is the oldest that has them all. A
# release newer than the range in pyproject.toml is tried too: it tells whether the range may grow.
set -eu
cd "$(dirname "$0")/../.."
export PYTHON="${PYTHON:-python3.12}"
export VENV=".venv-smoke-${PYTHON#python}"
sh cfp_test/scripts/setup_env.sh
python=$VENV/bin/python

# released: the JAX releases that pip lists, newest first, down to the oldest that cfp works with.
released() {
  oldest=$(sed -n 's/.*"jax>=\([0-9.]*\).*/\1/p' pyproject.toml)
  "$python" -m pip index versions jax 2>/dev/null |
    sed -n 's/^Available versions: //p' | tr -s ', ' '\n' | sed "/^$oldest\$/q"
}

# shellcheck disable=SC2046  # versions have no blanks
[ $# -gt 0 ] || set -- $(released)
[ $# -gt 0 ] || { echo "smoke: pip lists no JAX release" >&2 && exit 1; }
passed='' failed='' missing=''
for version; do
  echo "== JAX $version"
  # the newest flax that goes with this JAX: a flax knows the oldest JAX it works with, not the newest
  if ! "$python" -m pip install --quiet --upgrade "jax==$version" "jaxlib==$version" flax; then
    missing="$missing $version"
  elif JAX_PLATFORMS=cpu "$python" -m pytest --quiet -m smoke; then
    passed="$passed $version"
  else
    failed="$failed $version"
  fi
done
echo "smoke: $PYTHON, passed with JAX:${passed:- none}"
[ -z "$missing" ] || echo "smoke: pip could not install JAX:$missing"
[ -z "$failed" ] || { echo "smoke: FAILED with JAX:$failed" && exit 1; }

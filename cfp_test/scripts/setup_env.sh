#!/bin/sh
# Makes .venv with everything that the project needs and builds the C++ core into it.
#
#   sh cfp_test/scripts/setup_env.sh                      .venv is made with python3
#   PYTHON=python3.12 sh cfp_test/scripts/setup_env.sh    .venv is made with another Python
#
# Each step leaves a stamp in .venv, the checksum of what the step depends on; while that stays the
# same, the step is not repeated.
set -eu
cd "$(dirname "$0")/../.."
python=.venv/bin/python

stop() {
  echo "setup: $1" >&2
  exit 1
}

need_python() {
  command -v "$1" >/dev/null || stop "there is no $1 here; on Debian: apt-get install python3"
  version=$("$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
  "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    stop "$1 is Python $version, cfp needs 3.11 or later; name one: PYTHON=python3.11 sh $0"
  "$1" -c 'import ensurepip, venv' 2>/dev/null ||
    stop "Python $version has no venv module; on Debian: apt-get install python$version-venv"
  headers=$("$1" -c 'import sysconfig; print(sysconfig.get_path("include"))')
  [ -f "$headers/Python.h" ] ||
    stop "Python $version has no headers in $headers; on Debian: apt-get install python$version-dev"
}

need_compiler() {
  compiler=${CXX:-g++}
  command -v "${compiler%% *}" >/dev/null ||
    stop "there is no C++ compiler $compiler; on Debian: apt-get install g++"
}

pip_install() {
  $python -m pip install --quiet --disable-pip-version-check "$@"
}

# changed STAMP FILE...: puts the checksum of the files in $sum; true when STAMP holds another one.
changed() {
  stamp=$1
  shift
  sum=$(cat "$@" | cksum)
  [ ! -f "$stamp" ] || [ "$(cat "$stamp")" != "$sum" ]
}

if [ ! -x .venv/bin/pip ]; then
  need_python "${PYTHON:-python3}"
  need_compiler
  echo "setup: making .venv with Python $version"
  "${PYTHON:-python3}" -m venv .venv
fi

if changed .venv/packages.stamp cfp_test/scripts/requirements.txt; then
  echo "setup: installing the pinned packages"
  pip_install -r cfp_test/scripts/requirements.txt
  echo "$sum" >.venv/packages.stamp
fi

core=$(find xla_passes -maxdepth 1 -type f ! -name '*_test.cc' | sort)
ls cfp/_cfp_core.*.so >/dev/null 2>&1 || rm -f .venv/core.stamp
# shellcheck disable=SC2086  # file names without blanks
if changed .venv/core.stamp setup.py pyproject.toml cfp_test/scripts/requirements.txt $core; then
  need_python $python
  need_compiler
  echo "setup: building the C++ core"
  pip_install --no-deps --no-build-isolation --editable .
  echo "$sum" >.venv/core.stamp
fi

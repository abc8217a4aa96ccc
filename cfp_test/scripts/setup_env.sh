#!/bin/sh
# Makes .venv with everything that the project needs and builds the C++ core into it.
#
#   sh cfp_test/scripts/setup_env.sh                      .venv is made with python3
#   PYTHON=python3.12 sh cfp_test/scripts/setup_env.sh    .venv is made with another Python
#   VENV=.venv-newest PYTHON=python3.13 sh …              a second environment beside .venv
#
# The Python decides which JAX an environment gets; see requirements.txt. Each step leaves a stamp
# in the environment, the checksum of what the step depends on; while that stays the same, the step
# is not repeated.
set -eu
cd "$(dirname "$0")/../.."
venv=${VENV:-.venv}
python=$venv/bin/python
requirements=cfp_test/scripts/requirements.txt

stop() {
  echo "setup: $1" >&2
  exit 1
}

# need_python NAME: puts the path of this Python in $interpreter and its version in $version.
need_python() {
  interpreter=$(sh cfp_test/scripts/find_python.sh "$1") ||
    stop "there is no $1 here; on Debian: apt-get install python3"
  version=$(version_of "$interpreter")
  "$interpreter" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    stop "$1 is Python $version, cfp needs 3.11 or later; name one: PYTHON=python3.11 sh $0"
  "$interpreter" -c 'import ensurepip, venv' 2>/dev/null ||
    stop "Python $version has no venv module; on Debian: apt-get install python$version-venv"
  headers=$("$interpreter" -c 'import sysconfig; print(sysconfig.get_path("include"))')
  [ -f "$headers/Python.h" ] ||
    stop "Python $version has no headers in $headers; on Debian: apt-get install python$version-dev"
}

version_of() {
  "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])'
}

need_compiler() {
  compiler=${CXX:-g++}
  command -v "${compiler%% *}" >/dev/null ||
    stop "there is no C++ compiler $compiler; on Debian: apt-get install g++"
}

pip_install() {
  "$python" -m pip install --quiet --disable-pip-version-check "$@"
}

# changed STAMP FILE...: puts the checksum of the files in $sum; true when STAMP holds another one.
changed() {
  stamp=$1
  shift
  sum=$(cat "$@" | cksum)
  [ ! -f "$stamp" ] || [ "$(cat "$stamp")" != "$sum" ]
}

if [ ! -x "$venv/bin/pip" ]; then
  need_python "${PYTHON:-python3}"
  need_compiler
  echo "setup: making $venv with Python $version"
  "$interpreter" -m venv "$venv"
elif [ -n "${PYTHON:-}" ]; then
  need_python "$PYTHON"
  [ "$version" = "$(version_of "$python")" ] ||
    stop "$venv has Python $(version_of "$python"), not $version; name another: VENV=.venv-$version"
fi

if changed "$venv/packages.stamp" $requirements; then
  echo "setup: installing the pinned packages into $venv"
  pip_install -r $requirements
  echo "$sum" >"$venv/packages.stamp"
fi

core=$(find xla_passes -maxdepth 1 -type f ! -name '*_test.cc' | sort)
suffix=$("$python" -c 'import sysconfig; print(sysconfig.get_config_var("EXT_SUFFIX"))')
[ -f "cfp/_cfp_core$suffix" ] || rm -f "$venv/core.stamp"
# shellcheck disable=SC2086  # file names without blanks
if changed "$venv/core.stamp" setup.py pyproject.toml $requirements $core; then
  need_python "$python"
  need_compiler
  echo "setup: building the C++ core for Python $version"
  pip_install --no-deps --no-build-isolation --editable .
  echo "$sum" >"$venv/core.stamp"
fi

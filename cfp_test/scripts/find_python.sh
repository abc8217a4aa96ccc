#!/bin/sh
# Prints the path of a Python by its name; fails where there is none that runs.
#
#   sh cfp_test/scripts/find_python.sh python3.13    /usr/bin/python3.13
#
# Where pyenv is at home, every name is on the PATH and only the chosen version runs; the others
# are looked up in its folder.
for candidate in "$1" "${PYENV_ROOT:-$HOME/.pyenv}/versions/${1#python}"*"/bin/$1"; do
  "$candidate" -c 'import sys; print(sys.executable)' 2>/dev/null && exit
done
exit 1

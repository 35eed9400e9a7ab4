#!/bin/sh
# Makes dist/: the program's wheel, and wheels/ with everything it uses, for this
# machine's Python and at the locked versions: a station installs from it without a
# compiler and without a line to anywhere.
set -eu
here=$(dirname -- "$0")
# shellcheck source=scripts/setup/interpreter.sh
. "$here/interpreter.sh"
# shellcheck source=scripts/setup/building.sh
. "$here/building.sh"

rm -rf dist/wheels dist/*.whl
echo "Making wheels in dist; some are compiled here, which takes a moment."
tool hatchling build -t wheel >/dev/null 2>&1
wheels dist/wheels requirements.lock
[ "${1-}" != kerberos ] || kerberos_wheels dist/wheels
echo "Made: $(echo dist/*.whl), and $(find dist/wheels -name '*.whl' | wc -l) in dist/wheels."

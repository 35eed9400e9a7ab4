# shellcheck shell=sh
# The Python that everything here is made with: what PYTHON names, or the system's own
# (a service's user can read it, it is upgraded with the system, and Debian builds it for
# speed), or where that is too old, the first one of the PATH. Sourced.

# is_new_enough PYTHON : it can run the program.
is_new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

python=${PYTHON:-/usr/bin/python3}
[ -n "${PYTHON-}" ] || is_new_enough "$python" || python=python3

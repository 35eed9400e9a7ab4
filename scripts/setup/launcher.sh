#!/bin/sh
# `kiosk`: the program in its environment, or one sentence why it cannot run. Not in
# Python alone: an upgrade of the system can take the interpreter itself away.
here=$(dirname -- "$(readlink -f -- "$0")")
if [ -x "$here/python" ]; then
    exec "$here/python" -I "$here/kiosk.py" "$@"
fi
remedy=$(sed -n 's/^REMEDY = "\(..*\)"$/\1/p' "$here/kiosk.py")
echo "Pin Kiosk cannot run: the Python of its environment is gone; $remedy" >&2
exit 70

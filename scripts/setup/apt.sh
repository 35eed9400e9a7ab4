#!/bin/sh
# Installs Debian packages without starting any of their services. Run as root.
#
# Several of them bring a daemon (pcscd, samba) that Debian would start at once; the
# tests run their own, shut in. policy-rc.d is Debian's own switch for that.
set -eu
policy=/usr/sbin/policy-rc.d

if [ ! -e "$policy" ]; then
    trap 'rm -f "$policy"' EXIT
    trap 'exit 1' HUP INT TERM
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
fi
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
if ! {
    apt-get -q -o DPkg::Lock::Timeout=120 update &&
        apt-get -q -y -o DPkg::Lock::Timeout=120 install --no-install-recommends "$@"
} >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    echo "The system packages could not be installed: $*" >&2
    exit 1
fi
rm -f "$log"

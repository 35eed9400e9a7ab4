#!/bin/sh
# Finds the system packages that are missing for its purposes, and installs them.
#
#   system.sh run             what the kiosk itself needs to be built
#   system.sh run kerberos    and what its extra of that name needs
#   system.sh run test        and what tests and checks use besides
#
# Looks for the programs and files themselves, so it is quick and right on other
# systems too. Installs on Debian and its like, as root or through sudo; elsewhere
# it says what is missing and ends with 1.
set -eu
here=$(dirname -- "$0")
# shellcheck source=scripts/setup/interpreter.sh
. "$here/interpreter.sh"
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

missing=

# need PACKAGE COMMAND… : PACKAGE is missing unless COMMAND succeeds.
need() {
    package=$1
    shift
    "$@" >/dev/null 2>&1 || missing="$missing $package"
}

has() {
    command -v "$1"
}

# has_file PATTERN… : one of the patterns names a file.
has_file() {
    for candidate in "$@"; do
        [ ! -e "$candidate" ] || return 0
    done
    return 1
}

has_headers() {
    "$python" -c 'import os, sysconfig
os.stat(os.path.join(sysconfig.get_path("include"), "Python.h"))'
}

can_compile() {
    echo '#include <stdio.h>' | gcc -E -
}

needs_to_run() {
    need python3-venv "$python" -c 'import ensurepip, venv'
    need python3-dev has_headers
    need "gcc libc6-dev" can_compile
    need libpcsclite-dev has_file /usr/include/PCSC/winscard.h \
        /usr/local/include/PCSC/winscard.h
}

needs_to_kerberos() {
    need libkrb5-dev has_file /usr/include/gssapi/gssapi_ext.h \
        /usr/local/include/gssapi/gssapi_ext.h
}

needs_to_test() {
    needs_to_kerberos
    need pcscd has pcscd
    need vsmartcard-vpcd has_file \
        /usr/lib/*/pcsc/drivers/serial/libifdvpcd.so* \
        /usr/lib/pcsc/drivers/serial/libifdvpcd.so*
    need samba has smbd
    need "$(samba_ad_dc)" has samba
    need samba-common-bin has samba-tool
    need samba-ad-provision has_file /usr/share/samba/setup/provision.ldif
    need samba-dsdb-modules has_file /usr/lib/*/samba/ldb/samba_dsdb.so \
        /usr/lib/samba/ldb/samba_dsdb.so
    need samba-vfs-modules has_file /usr/lib/*/samba/vfs/acl_xattr.so \
        /usr/lib/samba/vfs/acl_xattr.so
    need groff-base has groff
    need opensc has pkcs15-tool
    need openssh-client has ssh
    need openssh-server has sshd
    need gpg has gpg
    need gpgconf has gpg-connect-agent
    need gpg-agent has gpg-agent
    need scdaemon has_file /usr/lib/gnupg/scdaemon /usr/libexec/scdaemon
    need p11-kit has p11-kit
    need openssl has openssl
    need "$(openssl_pkcs11)" has_file /usr/lib/*/ossl-modules/pkcs11.so \
        /usr/lib/*/engines-3/pkcs11.so
    need yubico-piv-tool has yubico-piv-tool
    need ykcs11 has_file /usr/lib/*/libykcs11.so* /usr/lib/libykcs11.so*
    need yubikey-manager has ykman
    need softhsm2 has softhsm2-util
    need postgresql has_file /usr/lib/postgresql/*/bin/initdb
    need patroni has patroni
    need etcd-server has etcd
    need python3-etcd has_file /usr/lib/python3/dist-packages/etcd
    need swtpm has swtpm
    need tpm2-tools has tpm2_sign
    need systemd has systemd-analyze
    need iproute2 has ip
    need util-linux has unshare
    need shellcheck has shellcheck
    need graphviz has dot
}

# find_missing PURPOSE… : set `missing`, each package once.
find_missing() {
    missing=
    for purpose in "$@"; do
        "needs_to_$purpose"
    done
    missing=$(echo "$missing" | tr -s ' ' '\n' | sort -u | tr '\n' ' ')
    missing=${missing# }
}

# Debian 12 has the engine alone; the provider came after it.
openssl_pkcs11() {
    if grep -qs '^VERSION_ID="12"' /etc/os-release; then
        echo libengine-pkcs11-openssl
    else
        echo pkcs11-provider
    fi
}

# From Debian 13 on, the domain controller is a package of its own.
samba_ad_dc() {
    if grep -qs '^VERSION_ID="12"' /etc/os-release; then
        echo samba
    else
        echo samba-ad-dc
    fi
}

if ! is_new_enough "$python"; then
    echo "Pin Kiosk needs Python 3.11 or newer; '$python' is" \
        "$("$python" -V 2>&1 || true)." >&2
    echo "Install a newer one, or name it: make PYTHON=/path/to/python3 …" >&2
    exit 1
fi

find_missing "$@"
[ -n "$missing" ] || exit 0
command="apt-get install --no-install-recommends $missing"
if ! has apt-get >/dev/null; then
    echo "These are missing (by their Debian names): $missing" >&2
    echo "Install them, then type the same command again." >&2
    exit 1
fi
if [ "$(id -u)" = 0 ]; then
    become=
elif has sudo >/dev/null && { [ -t 0 ] || sudo -n true 2>/dev/null; }; then
    become=sudo
else
    echo "System packages are missing. As root, type:" >&2
    echo "    $command" >&2
    echo "then type the same command again." >&2
    exit 1
fi
echo "Installing system packages: $missing"
# shellcheck disable=SC2086  # one word per package is meant
$become sh "$here/apt.sh" $missing
find_missing "$@"
if [ -n "$missing" ]; then
    echo "Still missing after the installation: $missing" >&2
    exit 1
fi

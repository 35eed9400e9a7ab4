#!/bin/sh
# Runs `make test` in fresh roots of the Debians that the product is for.
#
#   debians.sh bookworm trixie
#   debians.sh --bare trixie      say where a bare root of it is, made once
#   debians.sh --hold ROOT        be inside that root until standard input closes
#
# Each root is a bare Debian with a copy of this checkout: what the tests need comes
# from `make`, as it would on anybody's machine. Run as root. Its surroundings:
#
#   WHO="root sudo container"  who types it: root, a person with sudo, or root of a
#                              container that may make no namespaces
#   PYTEST_ARGS, JOBS          as for `make test`
#   ROOTS                      where bare roots are kept, outside the checkout
#   KEEP=1                     use again what the last run left, rather than a fresh copy
#
# The mirror is the one that this machine's own apt uses.
set -eu
here=$(cd -- "$(dirname -- "$0")" && pwd)
checkout=$(cd -- "$here/../.." && pwd)
roots=${ROOTS:-${XDG_CACHE_HOME:-$HOME/.cache}/pin-kiosk-roots}
who=${WHO:-root sudo container}
seat=/home/tester/pin-kiosk
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
bundle=/etc/ssl/certs/ca-certificates.crt

fail() {
    echo "$*" >&2
    exit 1
}

mirror() {
    # shellcheck disable=SC2016  # the words are apt's own
    apt-get indextargets --format '$(ORIGIN)|$(LABEL)|$(COMPONENT)|$(SITE)' \
        "Created-By: Packages" | sed -n 's/^Debian|Debian|main|//p' | head -n 1
}

# bare SUITE : a bare root of that suite, made once.
bare() {
    [ ! -d "$roots/$1" ] || return 0
    command -v debootstrap >/dev/null ||
        fail "debootstrap is needed to make a root of $1: apt-get install debootstrap"
    from=$(mirror)
    [ -n "$from" ] || fail "This machine's apt knows no mirror of Debian."
    echo "Fetching a bare $1 (once) into $roots"
    mkdir -p "$roots"
    rm -rf "$roots/$1.unfinished"
    debootstrap --variant=minbase --include=ca-certificates,make,python3,sudo \
        "$1" "$roots/$1.unfinished" "$from" >"$roots/$1.log" 2>&1 ||
        fail "debootstrap could not make a root of $1; see $roots/$1.log"
    mv "$roots/$1.unfinished" "$roots/$1"
}

# furnish SUITE ROOT : a copy of the bare root, with this checkout in it.
furnish() {
    if [ -z "${KEEP-}" ] || [ ! -d "$2" ]; then
        rm -rf "$2"
        cp -a "$roots/$1" "$2"
        chroot "$2" useradd --create-home --shell /bin/sh tester
        echo "tester ALL=(ALL) NOPASSWD: ALL" >"$2/etc/sudoers.d/tester"
    fi
    cp -L /etc/resolv.conf "$2/etc/resolv.conf"
    cp -L /etc/hosts "$2/etc/hosts"
    # What this machine trusts on the way out, its root trusts too.
    [ ! -f $bundle ] || cp -L $bundle "$2$bundle"
    mkdir -p "$2$seat"
    chmod 755 "$2/home/tester"  # root's tests become other users there
    find "$2$seat" -mindepth 1 -maxdepth 1 ! -name .venv ! -name .cache \
        -exec rm -rf {} +
    git -C "$checkout" ls-files -z --cached --others --exclude-standard |
        tar -C "$checkout" --null --files-from=- --ignore-failed-read -cf - |
        tar -C "$2$seat" --no-same-owner -xf -
}

# enter ROOT : make it this process's root, with the devices that a machine has.
enter() {
    mount --make-rprivate /
    mount --bind "$1" "$1"
    mount -t proc proc "$1/proc"
    mount -t sysfs -o ro sysfs "$1/sys"
    mount -t tmpfs -o mode=755 dev "$1/dev"
    mount -t tmpfs -o mode=755 run "$1/run"
    for node in null zero full random urandom tty; do
        : >"$1/dev/$node"
        mount --bind "/dev/$node" "$1/dev/$node"
    done
    mkdir "$1/run/systemd"  # as on a machine that runs
    mkdir "$1/dev/pts" "$1/dev/shm"
    mount -t devpts -o newinstance,ptmxmode=0666,mode=0620,gid=5 devpts "$1/dev/pts"
    mount -t tmpfs -o mode=1777 shm "$1/dev/shm"
    ln -s pts/ptmx "$1/dev/ptmx"
    ln -s /proc/self/fd "$1/dev/fd"
    for number in 0:stdin 1:stdout 2:stderr; do
        ln -s "/proc/self/fd/${number%%:*}" "$1/dev/${number##*:}"
    done
    # A chroot would do, but the kernel lets nobody in a chroot make namespaces.
    mkdir -p "$1/.outside"
    cd "$1"
    pivot_root . .outside
    umount --lazy /.outside
    cd /
}

# log_in USER : be in that person's session; the kernel may forbid it, and then it is
# the session of whoever runs this.
log_in() {
    uid=$(id -u "$1")
    { echo "$uid" >/proc/self/loginuid; } 2>/dev/null || :
}

# as_tester COMMAND… , as_root COMMAND… : run it in the checkout, as that person would.
as_root() {
    cd "$seat" && HOME=/root "$@"
}

as_tester() {
    cd "$seat" && setpriv --reuid=tester --regid=tester --init-groups \
        env HOME=/home/tester USER=tester "$@"
}

# as_container COMMAND… : root with what a container engine leaves root by default.
as_container() {
    cd "$seat"
    # shellcheck disable=SC2016  # the inner shell expands it
    HOME=/root unshare --user --net --map-users=0,0,65536 --map-groups=0,0,65536 \
        --setuid=0 --setgid=0 sh -c '
            ip link set lo up
            echo 0 >/proc/sys/user/max_user_namespaces
            exec setpriv --bounding-set=-all,+chown,+dac_override,+fowner,+fsetid,+kill,+setgid,+setuid,+setpcap,+net_bind_service,+net_raw,+sys_chroot,+mknod,+audit_write,+setfcap \
                "$@"' container "$@"
}

# inside ROOT WHO : the other half, in namespaces of its own.
inside() {
    enter "$1"
    set -- "$2"
    owner=root
    [ "$1" != sudo ] || owner=tester
    log_in "$owner"
    chown -R "$owner:" /home/tester
    case $1 in
    root) as_root make test ;;
    sudo) as_tester make test ;;
    container) as_root make env-test && as_container make test ;;
    *) fail "Nobody is called '$1': root, sudo or container" ;;
    esac
}

case ${1-} in
--inside)
    inside "$2" "$3"
    exit
    ;;
--hold)
    enter "$2"
    echo held
    cat >/dev/null
    exit
    ;;
--bare)
    bare "$2" >&2
    echo "$roots/$2"
    exit
    ;;
esac
[ "$(id -u)" = 0 ] || fail "Fresh roots are made by root: sudo make test-debians"
command -v debootstrap >/dev/null || sh "$here/apt.sh" debootstrap
result=0
for suite in "$@"; do
    bare "$suite"
    for person in $who; do
        root=$roots/$suite.$person
        furnish "$suite" "$root"
        echo "=== $suite, as $person"
        # Of this person's own surroundings the root is told only the way out.
        env -i PATH="$PATH" HOME=/root TERM=xterm-256color LC_ALL=C.UTF-8 PIP_CERT="$bundle" \
            PIP_ROOT_USER_ACTION=ignore JOBS="${JOBS:-6}" \
            PYTEST_ARGS="${PYTEST_ARGS-}" \
            ${PIP_INDEX_URL+"PIP_INDEX_URL=$PIP_INDEX_URL"} \
            ${https_proxy+"https_proxy=$https_proxy"} \
            ${http_proxy+"http_proxy=$http_proxy"} ${no_proxy+"no_proxy=$no_proxy"} \
            unshare --mount --pid --fork --kill-child --ipc --uts \
            sh "$0" --inside "$root" "$person" </dev/null || {
            echo "=== failed: $suite, as $person"
            result=1
        }
        [ -n "${KEEP-}" ] || rm -rf "$root"
    done
done
exit "$result"

#!/bin/sh
# Makes .venv exactly what the lock files say; does nothing when it already is.
#
#   env.sh             what a station needs
#   env.sh kerberos    and the extra of that name, which is compiled here
#   env.sh test        and what tests and checks use
#   env.sh judges      and programs that nobody here wrote, with the tests they ship
#   env.sh mutants     and what changes our code, one thing at a time
#
# A stamp inside .venv holds the checksum of what it was made from, the interpreter
# among it. Whatever is unfinished has no stamp and is made again from nothing.
# shellcheck disable=SC2030,SC2031 # `work` is another one where it is to be, in ( )
set -eu
here=$(dirname -- "$0")
# shellcheck source=scripts/setup/interpreter.sh
. "$here/interpreter.sh"
venv=.venv
# shellcheck source=scripts/setup/building.sh
. "$here/building.sh"

# An environment works only in the folder it was made in, and with its interpreter.
checksum() {
    {
        pwd
        "$python" -c 'import os, sys
print(os.path.realpath(sys.executable), *sys.version_info[:3])'
        cat "$@"
    } | cksum
}

# is_made STAMP FILE… : the stamp was left by just these files.
is_made() {
    stamp=$venv/.$1
    shift
    [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$(checksum "$@")" ]
}

# made STAMP FILE… : leave the stamp.
made() {
    stamp=$venv/.$1
    shift
    checksum "$@" >"$stamp"
}

make_libraries() {
    echo "Making the environment in $venv (once; a minute or two)."
    "$python" -m venv --clear --without-pip "$venv"
    echo "  the libraries; one of them, pyscard, is compiled here, which takes a moment"
    wheels "$work/libraries" requirements.lock
    install "$venv/bin/python" "$work/libraries"
}

make_program() {
    tool python -c 'import sys
from hatchling.build import build_editable
build_editable(sys.argv[1])' "$work/program"
    install "$venv/bin/python" "$work/program"
    launcher "$venv" "type: make -C $PWD env"
}

# It takes a minute of one processor: begun first, it is compiled beside the rest, by
# tools of its own.
begin_kerberos() {
    echo "Compiling the extra 'kerberos' (once; about a minute), and meanwhile:"
    (
        trap - EXIT
        work=$work/beside
        mkdir -p "$work"
        kerberos_wheels "$work/kerberos"
    ) &
    compiling=$!
    trap 'kill "$compiling" 2>/dev/null || :; rm -rf "$work"' EXIT
}

make_kerberos() {
    wait "$compiling"
    trap 'rm -rf "$work"' EXIT
    install "$venv/bin/python" "$work/beside/kerberos"
}

make_test() {
    echo "Adding what tests and checks use (once; half a minute)."
    wheels "$work/test" "$here/dev.lock"
    install "$venv/bin/python" "$work/test"
}

# Their own tests are in the source distribution alone: it is unpacked, never installed.
make_judges() {
    echo "Fetching what judges our simulated cards (once; half a minute)."
    judges=$venv/judges
    rm -rf "$judges"
    "$python" -m venv --without-pip "$judges"
    wheels "$work/judges" "$here/judges.lock"
    install "$judges/bin/python" "$work/judges"
    pip install --require-hashes -r "$here/judges-build.lock"
    pip download --no-deps --no-build-isolation --require-hashes \
        --no-binary yubikey-manager -d "$work/source" -r "$here/judges.lock"
    mkdir "$judges/yubikey-manager"
    tar -xzf "$work"/source/yubikey_manager-*.tar.gz --strip-components 1 \
        -C "$judges/yubikey-manager"
}

make_mutants() {
    echo "Fetching what changes our code, one thing at a time (once; half a minute)."
    rm -rf "$venv/mutants"
    "$python" -m venv --without-pip "$venv/mutants"
    wheels "$work/mutants" "$here/mutants.lock"
    install "$venv/mutants/bin/python" "$work/mutants"
}

# part NAME FILE… : make a part unless it was made from just these files.
part() {
    name=$1
    shift
    if ! is_made "$name" "$@"; then
        "make_$name"  # not in a list: there a failure would not end it
        made "$name" "$@"
    fi
}

# on COMMAND PART : run it on a part and the files that it is made from.
on() {
    case $2 in
        libraries)
            "$1" libraries requirements.lock "$here/build.lock" "$here/building.sh" "$0" ;;
        program) "$1" program pyproject.toml "$here/launcher.sh" "$here/launcher.py" ;;
        kerberos) "$1" kerberos "$here/kerberos.lock" "$here/kerberos-build.lock" ;;
        judges) "$1" judges "$here/judges.lock" "$here/judges-build.lock" ;;
        test) "$1" test "$here/dev.lock" ;;
        mutants) "$1" mutants "$here/mutants.lock" ;;
        *)
            echo "env.sh: there is no part '$2'." >&2
            exit 2
            ;;
    esac
}

for wanted in "$@"; do
    # Where the libraries are made anew, so is everything else.
    if [ "$wanted" = kerberos ]; then
        { on is_made libraries && on is_made kerberos; } || begin_kerberos
    fi
done
for wanted in libraries program "$@"; do
    on part "$wanted"
done

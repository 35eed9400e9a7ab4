#!/bin/sh
# Makes .venv exactly what the lock files say; does nothing when it already is.
#
#   env.sh              what the kiosk needs
#   env.sh kerberos     and the extra of that name, which is compiled here
#
# A stamp inside .venv holds the checksum of what it was made from. Whatever is
# unfinished has no stamp and is made again from nothing.
set -eu
here=$(dirname -- "$0")
python=${PYTHON:-python3}
venv=.venv

# What a person's own shell sets for other projects must not reach into this one.
unset PYTHONPATH PYTHONHOME PIP_USER PIP_TARGET PIP_PREFIX PIP_REQUIRE_VIRTUALENV

pip() {
    PATH=$PWD/$venv/bin:$PATH "$venv/bin/python" -m pip \
        --disable-pip-version-check --no-input --quiet "$@"
}

# An environment works only in the folder it was made in.
checksum() {
    { pwd && cat "$@"; } | cksum
}

# is_made STAMP FILE… : the stamp was left by just these files.
is_made() {
    stamp=$1
    shift
    [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$(checksum "$@")" ]
}

# made STAMP FILE… : leave the stamp.
made() {
    stamp=$1
    shift
    checksum "$@" >"$stamp"
}

make_libraries() {
    echo "Making the environment in $venv (once; a minute or two)."
    "$python" -m venv --clear "$venv"
    echo "  the tools that build"
    pip install --require-hashes -r "$here/build.lock"
    echo "  the libraries; one of them, pyscard, is compiled here, which takes a moment"
    pip install --require-hashes --no-build-isolation -r requirements.lock
}

make_kerberos() {
    echo "Compiling the extra 'kerberos' (once; about a minute)."
    pip install --require-hashes -r "$here/kerberos-build.lock"
    pip install --require-hashes --no-build-isolation -r "$here/kerberos.lock"
}

libraries="requirements.lock $here/build.lock $0"
# shellcheck disable=SC2086  # one word per file is meant
if ! is_made "$venv/.libraries" $libraries || ! "$venv/bin/python" -c '' 2>/dev/null
then
    make_libraries
    made "$venv/.libraries" $libraries
fi
if ! is_made "$venv/.project" pyproject.toml; then
    pip install --no-build-isolation --no-deps -e .
    made "$venv/.project" pyproject.toml
fi
if [ "${1-}" = kerberos ]; then
    kerberos="$here/kerberos.lock $here/kerberos-build.lock"
    # shellcheck disable=SC2086  # one word per file is meant
    if ! is_made "$venv/.kerberos" $kerberos; then
        make_kerberos
        # shellcheck disable=SC2086  # one word per file is meant
        made "$venv/.kerberos" $kerberos
    fi
fi

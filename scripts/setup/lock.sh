#!/bin/sh
# Writes requirements.lock (what runs) and scripts/setup/*.lock (what builds, what
# tests, the extras): every version with the checksums of its files, for every
# platform, without any address.
set -eu
here=$(dirname -- "$0")
# shellcheck source=scripts/setup/interpreter.sh
. "$here/interpreter.sh"
uv_version=0.13.8

venv=$(mktemp -d)
trap 'rm -rf "$venv"' EXIT
trap 'exit 1' HUP INT TERM
"$python" -m venv "$venv"
"$venv/bin/python" -m pip install --disable-pip-version-check --quiet "uv==$uv_version"

# compile LOCK OPTION… : LOCK is written from what the options name.
compile() {
    lock=$1
    shift
    "$venv/bin/uv" --quiet pip compile --output-file "$lock" \
        --universal --python-version 3.11 --upgrade --generate-hashes \
        --no-emit-index-url --no-annotate --no-header "$@"
}

compile "$here/build.lock" "$here/build.in"
compile requirements.lock pyproject.toml --extra pkcs11 --extra service
compile "$here/dev.lock" --group pyproject.toml:dev -c requirements.lock
compile "$here/kerberos-build.lock" "$here/kerberos-build.in" -c "$here/build.lock"
compile "$here/kerberos.lock" "$here/kerberos.in" -c requirements.lock
compile "$here/judges-build.lock" "$here/judges-build.in"
compile "$here/judges.lock" "$here/judges.in" -c requirements.lock -c "$here/dev.lock"
compile "$here/mutants.lock" "$here/mutants.in"
echo "Locked: requirements.lock and $here/*.lock. Type: make env"

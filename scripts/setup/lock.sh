#!/bin/sh
# Writes requirements.lock and scripts/setup/*.lock: every version with the
# checksums of its files, for every platform, without any address.
set -eu
here=$(dirname -- "$0")
python=${PYTHON:-python3}
uv_version=0.13.8

venv=$(mktemp -d)
trap 'rm -rf "$venv"' EXIT
trap 'exit 1' HUP INT TERM
"$python" -m venv "$venv"
"$venv/bin/python" -m pip install --disable-pip-version-check --quiet "uv==$uv_version"

# compile SOURCE LOCK OPTION… : SOURCE is read, LOCK is written.
compile() {
    source=$1 lock=$2
    shift 2
    "$venv/bin/uv" --quiet pip compile "$source" --output-file "$lock" \
        --universal --python-version 3.11 --upgrade --generate-hashes \
        --no-emit-index-url --no-annotate --no-header "$@"
}

compile "$here/build.in" "$here/build.lock"
compile pyproject.toml requirements.lock --group dev --extra pkcs11
compile "$here/kerberos-build.in" "$here/kerberos-build.lock" -c "$here/build.lock"
compile "$here/kerberos.in" "$here/kerberos.lock" -c requirements.lock
echo "Locked: requirements.lock and $here/*.lock. Type: make env"

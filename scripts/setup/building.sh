# shellcheck shell=sh
# Wheels, built in an environment of its own that is gone when the script ends: what
# builds is never part of what runs. Sourced.
: "${here:?}" "${python:?}"

# What a person's own shell sets for other projects must not reach into this one.
unset PYTHONPATH PYTHONHOME PIP_USER PIP_TARGET PIP_PREFIX PIP_REQUIRE_VIRTUALENV
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

# tool PROGRAM ARGUMENT… : run a program of the environment that builds.
tool() {
    program=$1
    shift
    if [ ! -e "$work/tools/ready" ]; then
        "$python" -m venv "$work/tools"
        "$work/tools/bin/python" -m pip --disable-pip-version-check --no-input \
            --quiet install --require-hashes -r "$here/build.lock"
        touch "$work/tools/ready"
    fi
    PATH=$work/tools/bin:$PATH "$work/tools/bin/$program" "$@"
}

pip() {
    tool python -m pip --disable-pip-version-check --no-input --quiet "$@"
}

# wheels FOLDER LOCK : every wheel that the lock names; what comes as source is built.
wheels() {
    pip wheel --no-deps --no-build-isolation --require-hashes -w "$1" -r "$2"
}

# kerberos_wheels FOLDER : the same for the extra, which takes a minute to compile.
kerberos_wheels() {
    pip install --require-hashes -r "$here/kerberos-build.lock"
    wheels "$1" "$here/kerberos.lock"
}

# install PYTHON FOLDER : put the folder's wheels into that environment.
install() {
    pip --python "$1" install --no-deps --no-index "$2"/*.whl
}

# launcher ENVIRONMENT REMEDY : its `kiosk`, which says REMEDY where it cannot run.
launcher() {
    mkdir -p "$1/bin"
    cp "$here/launcher.sh" "$1/bin/kiosk.new"
    chmod 755 "$1/bin/kiosk.new"
    mv -f "$1/bin/kiosk.new" "$1/bin/kiosk"
    { cat "$here/launcher.py" && printf '%s\n' "REMEDY = \"$2\"" 'run()'; } \
        >"$1/bin/kiosk.py"
}

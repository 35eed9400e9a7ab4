"""`python -m planted`: plant each bug in a copy of the tree and run its tests there.

Prints who saw it. Ends with 1 if one was not seen, if its tests could not even begin,
or if they fail without it. Words in the command line choose bugs by name or room.
"""

from __future__ import annotations

import argparse
import compileall
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

import pytest

from planted.bugs import ROOT, Bug, all_bugs

SECONDS = 150
"""After which a bug's tests are ended: a bug that hangs them was not seen."""
WHOLE_SECONDS = 1500
"""The same for all tests together, without any bug."""
_COPIED = ("kiosk", "statemachine", "storage", "tests", "docs", "scripts")
_FILES = (
    "pyproject.toml",
    "README.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "Makefile",
    "requirements.lock",
)
_HUNG = 70
_OPTIONS = (
    "-q",
    "--tb=no",
    "-pno:randomly",
    "-pno:cacheprovider",
    "-Wignore::pytest.PytestAssertRewriteWarning",  # imported once for all children
)


class _First:
    """Remembers the first test that fails, and where."""

    def __init__(self) -> None:
        self.failed = ""
        self.broken = ""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed and not self.failed:
            self.failed = report.nodeid

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.broken = report.nodeid


def _copy(to: Path) -> None:
    """Copy what git knows of the tree, compiled, so that each bug begins at once."""
    told = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z", *_COPIED, *_FILES],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    for name in filter(None, told.stdout.decode().split("\0")):
        source = ROOT / name
        if source.is_file():
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, to / name)
    for each in ("kiosk", "statemachine", "storage"):
        compileall.compile_dir(to / each, quiet=2)


def _warm() -> None:
    """Import what is nobody's here, once for all children."""
    import cryptography.hazmat.primitives.hpke
    import hypothesis
    import ldap3
    import msgspec
    import textual.app
    import transitions

    del cryptography, hypothesis, ldap3, msgspec, textual, transitions


def _run(copy: Path, tests: Sequence[str], *, whole: bool = False) -> dict[str, Any]:
    """Run tests in a child of this process; return who failed first."""
    reads, writes = os.pipe()
    child = os.fork()
    if not child:
        os.close(reads)
        _be_child(copy, tests, writes, whole=whole)
    os.close(writes)
    with os.fdopen(reads, "rb") as stream:
        said = stream.read()
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return {"failed": "", "broken": f"ended after {SECONDS} s", "code": _HUNG}
    return json.loads(said or b'{"failed": "", "broken": "no word", "code": 71}')  # type: ignore[no-any-return]  # written below


def _be_child(
    copy: Path, tests: Sequence[str], writes: int, *, whole: bool
) -> NoReturn:
    signal.alarm(WHOLE_SECONDS if whole else SECONDS)
    os.chdir(copy)
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.dup2(null, 2)
    sys.dont_write_bytecode = True
    for name in [name for name in sys.modules if _is_ours(name)]:
        del sys.modules[name]
    sys.path[:] = [str(copy), *(each for each in sys.path if _is_elsewhere(each))]
    first = _First()
    options = [*_OPTIONS, *([] if whole else ["-x"]), *tests]
    try:
        code = int(pytest.main(options, plugins=[first]))
    except BaseException as error:  # noqa: BLE001 - a child says why and is gone
        first.broken, code = repr(error), _HUNG
    told = {"failed": first.failed, "broken": first.broken, "code": code}
    os.write(writes, json.dumps(told).encode())
    os._exit(0)


def _is_ours(name: str) -> bool:
    return name.split(".")[0] in ("kiosk", "statemachine", "storage", "lab", "planted")


def _is_elsewhere(path: str) -> bool:
    return bool(path) and Path(path).resolve() not in (ROOT, ROOT / "tests")


def _with(copy: Path, bug: Bug) -> dict[str, Any]:
    """Plant it, run its tests, and take it out again, as if it had never been there."""
    path = copy / bug.place
    sound, status = path.read_text("utf-8"), path.stat()
    path.write_text(bug.planted_in(sound), "utf-8")
    try:
        return _run(copy, bug.seen_by)
    finally:
        path.write_text(sound, "utf-8")
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def _verdict(told: dict[str, Any]) -> tuple[bool, str]:
    if told["broken"]:
        return False, f"its tests cannot begin: {told['broken']}"
    if told["code"] == pytest.ExitCode.TESTS_FAILED and told["failed"]:
        return True, told["failed"]
    return False, "NOBODY SAW IT"


def main(words: Sequence[str]) -> int:
    """Plant all, or those whose name or module has one of the words."""
    parser = argparse.ArgumentParser(prog="planted", description=__doc__)
    parser.add_argument("words", nargs="*")
    chosen = [
        bug
        for bug in all_bugs()
        if not (wanted := parser.parse_args(words).words)
        or any(word in f"{bug.name} {bug.module}" for word in wanted)
    ]
    os.environ.update(KIOSK_PLANTED="1", PYTHONDONTWRITEBYTECODE="1")
    _warm()
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="planted-") as folder:
        copy = Path(folder)
        _copy(copy)
        everything = sorted({test for bug in chosen for test in bug.seen_by})
        sound = _run(copy, everything, whole=True)
        if sound["code"] != pytest.ExitCode.OK:
            print(f"without any bug: {sound}")
            return 1
        missed = 0
        for bug in chosen:
            seen, who = _verdict(_with(copy, bug))
            missed += not seen
            print(f"{bug.breaks:3} {'seen' if seen else 'MISSED':6} {bug.name}")
            print(f"           {who}", flush=True)
    seconds = time.monotonic() - begun
    print(f"{len(chosen) - missed} of {len(chosen)} seen, {seconds:.0f} s")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""A copy of the tree in which something is wrong, and tests that run there.

The tests run in a child of this process, which has what is nobody's here imported
already, and none of our modules.
"""

from __future__ import annotations

import compileall
import gc
import json
import os
import resource
import select
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import entry_points
from pathlib import Path
from typing import NoReturn

import msgspec
import pytest

from planted.bugs import ROOT

TEST_SECONDS = 120
"""After which a test fails that something wrong makes hang."""
SECONDS = 150
"""After which the tests are ended where they hang so that even that does not help."""
WHOLE_SECONDS = 1500
"""The same for all tests together, without anything wrong."""
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
_OURS = ("kiosk", "statemachine", "storage", "lab", "planted", "mutants")
_NOT_BEGUN = 70
_LONGEST_REASON = 2_000
"""Characters. Told in one piece, the word must be shorter than a pipe is (4 KiB)."""
_LONGEST_WORD = 64 * 1024
_OPTIONS = (
    "-q",
    "--tb=no",
    "-pno:randomly",
    "-pno:cacheprovider",
    "-pno:schemathesis",  # looks for what it needs in half a second, each time
    "-Wignore::pytest.PytestAssertRewriteWarning",  # imported once for all children
)


class Told(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What became of some tests."""

    failed: str = ""
    """The first that failed."""
    broken: str = ""
    """Why they could not begin, or did not end."""
    code: int = _NOT_BEGUN
    """As pytest ends."""
    hung: bool = False

    @property
    def is_sound(self) -> bool:
        """All passed."""
        return self.code == pytest.ExitCode.OK


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


def copy_tree(to: Path) -> None:
    """Copy what git knows of the tree, compiled, so that each run begins at once."""
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
    for each in ("kiosk", "statemachine", "storage", "tests/lab"):
        compileall.compile_dir(to / each, quiet=2)


def be_ready() -> None:
    """Import what is nobody's here, once for all children."""
    import cryptography.hazmat.primitives.hpke
    import hypothesis
    import ldap3
    import msgspec
    import textual.app
    import transitions

    del cryptography, hypothesis, ldap3, msgspec, textual, transitions
    for plugin in entry_points(group="pytest11"):
        plugin.load()
    gc.freeze()  # what is here for all is never garbage of a child
    os.environ.update(KIOSK_PLANTED="1", PYTHONDONTWRITEBYTECODE="1")


@contextmanager
def wrong(path: Path, text: str) -> Iterator[None]:
    """Let a file be that, and afterwards as if it had never been."""
    sound, status = path.read_text("utf-8"), path.stat()
    path.write_text(text, "utf-8")
    try:
        yield
    finally:
        path.write_text(sound, "utf-8")
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def run(
    copy: Path,
    tests: Sequence[str],
    *,
    seconds: int,
    test_seconds: int = 0,
    whole: bool = False,
    most_bytes: int = resource.RLIM_INFINITY,
) -> Told:
    """Run tests there, until the first that fails, or all (`whole`), once compiled.

    `seconds` end all of them, `test_seconds` (0: none) fail one. `most_bytes`: of
    memory, where what is wrong may ask for more and more.
    """
    reads, writes = os.pipe()
    child = os.fork()
    if not child:
        os.close(reads)
        resource.setrlimit(resource.RLIMIT_AS, (most_bytes, most_bytes))
        sys.dont_write_bytecode = not whole
        options = [f"--timeout={test_seconds}", *([] if whole else ["-x"])]
        _be_child(copy, [*options, *tests], writes)
    os.close(writes)
    try:
        said = _word(reads, seconds)
    finally:
        os.close(reads)
        os.kill(child, signal.SIGKILL)  # has said its word, or never will
        os.waitpid(child, 0)
    if said is None:
        return Told(broken=f"ended after {seconds} s", hung=True)
    return msgspec.json.decode(said or b'{"broken": "no word"}', type=Told)


def _word(reads: int, seconds: int) -> bytes | None:
    """Return the child's one word; empty: it ended without. None: not in that time.

    Its end is not waited for: what a test has forked may keep the pipe open for ever.
    """
    there, _, _ = select.select([reads], [], [], seconds)
    return os.read(reads, _LONGEST_WORD) if there else None


def _be_child(copy: Path, arguments: Sequence[str], writes: int) -> NoReturn:
    os.chdir(copy)
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.dup2(null, 2)
    for name in [name for name in sys.modules if name.split(".")[0] in _OURS]:
        del sys.modules[name]
    sys.path[:] = [str(copy), *(each for each in sys.path if _is_elsewhere(each))]
    first, code = _First(), _NOT_BEGUN
    try:
        code = int(pytest.main([*_OPTIONS, *arguments], plugins=[first]))
    except BaseException as error:  # noqa: BLE001 - a child says why and is gone
        # Behind a test that failed, what ends the run is that test's own mess.
        code = pytest.ExitCode.TESTS_FAILED if first.failed else _NOT_BEGUN
        first.broken = "" if first.failed else ascii(error)[:_LONGEST_REASON]
    told = {"failed": first.failed, "broken": first.broken, "code": int(code)}
    os.write(writes, json.dumps(told).encode())
    os._exit(0)


def _is_elsewhere(path: str) -> bool:
    return bool(path) and Path(path).resolve() not in (ROOT, ROOT / "tests")

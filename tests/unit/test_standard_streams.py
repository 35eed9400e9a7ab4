"""A program that somebody started without all of its three streams."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from kiosk.core.exit_codes import ExitCode

pytestmark = pytest.mark.slow

ENDS = [
    (">&-", "lifecycle", ExitCode.FAILED, "The system refused it: Bad file descriptor"),
    (">&-", "--version", ExitCode.FAILED, "The system refused it: Bad file descriptor"),
    ("2>&-", "--version", ExitCode.OK, "kiosk "),
    ("2>&-", "nothing", ExitCode.USAGE, ""),
    (">&- 2>&-", "lifecycle", ExitCode.FAILED, ""),
    ("<&-", "demo", ExitCode.FAILED, "The demo needs a terminal"),
]


@pytest.mark.parametrize(("closed", "word", "code", "said"), ENDS)
def test_a_closed_stream_ends_in_a_sentence(
    closed: str, word: str, code: ExitCode, said: str
) -> None:
    done = subprocess.run(
        ["sh", "-c", f'exec "$@" {closed}', "sh", sys.executable, "-m", "kiosk", word],
        capture_output=True,
        text=True,
        check=False,
    )
    told = done.stdout + done.stderr
    assert (done.returncode, "Traceback" in told) == (code, False), told
    assert said in told


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_what_is_said_to_nobody_is_not_written_into_a_file_of_ours(
    closed: str, tmp_path: Path
) -> None:
    """A library speaks to the number, whatever has it."""
    file = tmp_path / "registry"
    script = f"""
import contextlib, os
from kiosk.cli import main
with contextlib.suppress(AttributeError):
    main(["--help"])
with open({str(file)!r}, "wb"):
    for number in (1, 2):
        with contextlib.suppress(OSError):
            os.write(number, b"as a library in C does")
"""
    subprocess.run(
        ["sh", "-c", f'exec "$@" {closed}', "sh", sys.executable, "-c", script],
        capture_output=True,
        check=False,
    )
    assert file.read_bytes() == b""


LATIN = {**os.environ, "PYTHONIOENCODING": "iso-8859-1"}
ROLES = [sys.executable, "-m", "kiosk", "registry", "roles", "\u0142ucja"]


def test_a_file_is_utf_8_whatever_the_locale() -> None:
    """`kiosk doctor` and a template that is exported ended as a defect there."""
    done = subprocess.run(ROLES, capture_output=True, check=False, env=LATIN)
    assert (done.returncode, done.stderr) == (ExitCode.OK, b"")
    assert 'TO "\u0142ucja"' in done.stdout.decode("utf-8")


def test_a_terminal_is_shown_what_it_can_show() -> None:
    ours, theirs = pty.openpty()
    done = subprocess.run(ROLES, stdout=theirs, check=False, env=LATIN)
    os.write(theirs, b"\n")  # so that there is something to read in any case
    shown = os.read(ours, 65536)
    os.close(theirs)
    os.close(ours)
    assert done.returncode == ExitCode.OK
    assert b'TO "?ucja"' in shown

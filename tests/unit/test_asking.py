"""Whoever is asked at a terminal can stop at every moment."""

from __future__ import annotations

import os
import pty
import signal
import sys
import warnings

import pytest

pytestmark = pytest.mark.slow

QUESTION = b"go? "
ASKED = {
    "a line": "from kiosk.cli.asking import _line as ask",
    "a secret": "from kiosk.cli.typed import ask_secret as ask",
}
_PROGRAM = """
{importing}
try:
    ask("go? ")
except KeyboardInterrupt:
    raise SystemExit(7)
"""


@pytest.mark.parametrize("asked", ASKED)
def test_ctrl_c_is_heard_as_soon_as_the_question_is_seen(asked: str) -> None:
    program = _PROGRAM.format(importing=ASKED[asked])
    assert [answered(program, b"\x03") for _ in range(6)] == [7] * 6


@pytest.mark.parametrize("asked", ASKED)
def test_an_answer_ends_the_question(asked: str) -> None:
    program = _PROGRAM.format(importing=ASKED[asked])
    assert answered(program, b"yes\n") == 0


@pytest.mark.parametrize(("typed", "ended"), [(1024, 0), (1025, 1)])
def test_a_secret_is_taken_whole_or_not_at_all(typed: int, ended: int) -> None:
    program = _PROGRAM.format(importing=ASKED["a secret"])
    assert answered(program, b"x" * typed + b"\n") == ended


def answered(program: str, keys: bytes) -> int:
    """Answer a program's question in the moment in which it is there; how it ends."""
    with warnings.catch_warnings(action="ignore"):  # the child only becomes another
        pid, terminal = pty.fork()
    if pid == 0:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # also where tests run unwatched
        os.execv(sys.executable, [sys.executable, "-c", program])
    try:
        said = b""
        while QUESTION not in said:
            said += os.read(terminal, 100)
        os.write(terminal, keys)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    finally:
        os.close(terminal)

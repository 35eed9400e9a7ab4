"""A burst of secrets is nowhere in memory once its keys are in their fields.

What is looked for crosses the Enter between two secrets: a field may hold its own, and
whatever holds both has kept what was read.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from lab.memory import occurrences
from lab.not_run import needs
from lab.terminal import kiosk_on_terminal, plain_on_terminal
from lab.terminal.terminal import terminal

OLD, NEW = "271828", "846257"
BURST = f"{OLD}\r{NEW}\r"
KEPT = f"{OLD}\r{NEW}".encode()

pytestmark = needs(os.geteuid() == 0, "reads another's memory: run the tests as root")


def in_kitty(text: str) -> str:
    """The same keys, as a terminal with the kitty protocol sends them."""
    return "".join(f"\x1b[{ord(character)}u" for character in text)


@pytest.mark.parametrize("burst", [BURST, in_kitty(BURST)], ids=["plain", "kitty"])
def test_on_screens_nothing_of_a_burst_is_kept(tmp_path: Path, burst: str) -> None:
    program = str(Path(kiosk_on_terminal.__file__))
    command = [sys.executable, program, str(tmp_path / "log"), "inserted"]
    with terminal(command) as shown:
        shown.shows("Alice Arnold")
        shown.type("\r")
        shown.shows("Your PIN until now")
        shown.type(burst)
        shown.until(lambda text: text.count("●" * 6) == 2, "both entries")
        pid = shown.process.pid
        assert occurrences(pid, b"Your PIN until now")  # it can be read
        assert not occurrences(pid, KEPT)
        assert not occurrences(pid, burst.encode())
        assert not occurrences(pid, KEPT.replace(b"\r", b""))


def test_in_plain_nothing_of_a_burst_is_kept(tmp_path: Path) -> None:
    program = str(Path(plain_on_terminal.__file__))
    command = [sys.executable, program, str(tmp_path / "log"), "inserted"]
    with terminal(command, size=(100, 120)) as shown:
        shown.shows("Your number:")
        shown.type("1\r")
        shown.shows("Your PIN until now")
        shown.type(BURST)
        shown.shows("once more")
        pid = shown.process.pid
        assert occurrences(pid, b"once more")
        assert not occurrences(pid, KEPT)
        assert not occurrences(pid, KEPT.replace(b"\r", b""))

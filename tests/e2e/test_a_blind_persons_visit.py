"""Somebody who hears the kiosk line by line: a screen reader or a braille display reads
what is written, in its order, and nothing else. On a real pseudo-terminal.
"""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from lab.terminal.terminal import Terminal, terminal

from kiosk.faces.turn import BREATH

KIOSK = str(Path(sys.executable).with_name("kiosk"))
SIZE = (80, 120)
"""A braille display has short lines; all that was said stays to be compared."""
PIN, NEW = "271828", "314159"
CLEARED = "\x1b[H\x1b[2J\x1b[3J"
"""Between two people: nothing of the one before stays."""
HIDDEN = "It is not shown while you type."


class Listener:
    """Hears lines, each after the one before, and answers the last one."""

    def __init__(self, shown: Terminal) -> None:
        self._shown = shown
        self._heard = 0

    def hears(self, *words: str) -> str:
        """Wait until all of it was said since the last answer; return what was."""

        def is_said(_: str) -> bool:
            new = self.new()
            return all(each in new for each in words)

        self._shown.until(is_said, str(words))
        return self.new()

    def new(self) -> str:
        """What was said since the last answer, wherever its lines break."""
        return " ".join(self.said().split())[self._heard :]

    def said(self) -> str:
        return self._shown.raw.decode("utf-8", "replace").replace("\r", "")

    def answers(self, text: str) -> None:
        self._heard = len(" ".join(self.said().split()))
        self._shown.type(f"{text}\r")


@pytest.fixture
def listener() -> Iterator[Listener]:
    with terminal([KIOSK, "demo", "--plain"], size=SIZE) as shown:
        yield Listener(shown)
        shown.type("quit\r")
        shown.wait()


def comes(listener: Listener, number: int) -> None:
    """Somebody puts their card in, and goes on in English."""
    listener.hears("or quit")
    listener.answers(f"insert {number}")
    listener.hears("For English, type 1", "Your number:")
    listener.answers("1")


def test_alice_changes_her_pin_by_ear(listener: Listener) -> None:
    comes(listener, 1)
    said = listener.hears("Alice Arnold", "1: Change my PIN", "Your number:")
    assert said.endswith("Your number:"), "the choices, then the question"
    listener.answers("1")
    listener.hears("Your new PIN also becomes your Windows password", HIDDEN)
    listener.answers("000000")
    listener.hears(HIDDEN)
    listener.answers(NEW)
    listener.hears(HIDDEN)
    listener.answers(NEW)
    listener.hears("That PIN is wrong. Tries left: 2.", "1: try again")
    listener.answers("1")
    listener.hears(HIDDEN)
    listener.answers(PIN)
    listener.hears(HIDDEN)
    listener.answers("123456")
    listener.hears("counts upwards", HIDDEN)
    time.sleep(1.2 * BREATH)  # a line that follows a refusal in the same breath is not
    listener.answers(NEW)
    listener.hears(HIDDEN)
    listener.answers(NEW)
    listener.hears("Your PIN and your Windows password are changed.", "Case number:")


def test_carol_is_told_by_ear_whom_to_call(listener: Listener) -> None:
    comes(listener, 3)
    said = listener.hears("Your PIN is blocked.", "Helpdesk", "Not possible now:")
    said = said[said.index("What would you like to do?") :]
    assert said.index("1: ") < said.index("Not possible now:"), "what helps first"
    listener.answers("code")
    code = re.search(r"your code is ([0-9 ]+),", listener.hears("your code is"))
    assert code is not None
    listener.answers("1")
    listener.hears("Helpdesk", "Enter alone goes back:")
    listener.answers(code.group(1).replace(" ", ""))
    listener.hears(HIDDEN)
    listener.answers(NEW)
    listener.hears(HIDDEN)
    listener.answers(NEW)
    listener.hears("Your card is unblocked.")


def test_nothing_moves_is_overwritten_or_is_only_drawn(listener: Listener) -> None:
    comes(listener, 1)
    listener.hears("Your number:")
    listener.answers("1")
    listener.hears(HIDDEN)
    said = listener.said().replace(CLEARED, "")
    assert "\x1b" not in said, "a screen reader reads no commands"
    assert "\b" not in said
    assert not set("●▸✓✗○┃━█") & set(said), "what is drawn is not heard"
    assert all(len(line) <= SIZE[0] for line in said.splitlines())

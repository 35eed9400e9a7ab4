"""`kiosk demo --fleet`: two kiosks and a desk of one authority, on one terminal.

What one kiosk does, the other one knows, since neither remembers anything itself.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator

import pytest
from lab.terminal.terminal import Terminal

OTHER_SIDE = "\x14"
INSERT, OTHER_CARD, QUIT = "\x1b[15~", "\x1b[19~", "\x1b[21~"
RELEASE, SUBMIT = "u", "\x1bOQ"
NEW = "314159"


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    command = [sys.executable, "-m", "kiosk", "demo", "--fleet"]
    terminal = Terminal(command, dict(os.environ), (100, 40))
    yield terminal
    terminal.end()
    terminal.close_line()


def released(terminal: Terminal) -> str:
    """Sign in at the desk, and release an unblock for Carol; return her code."""
    terminal.shows("Operators: please sign in")
    terminal.type(INSERT)
    terminal.shows("Type the PIN of your card")
    terminal.type("271828\r")
    terminal.shows("Hanna Hart   ")
    terminal.type("carol")
    terminal.shows("Carol Clark")
    terminal.type("\r")
    terminal.shows("Give an unblock code")
    terminal.type(RELEASE)
    terminal.shows("employee number")
    terminal.type(SUBMIT)
    digits = re.compile(r"\b(\d{3}) (\d{3}) (\d{3})\b")
    shown = terminal.until(lambda text: bool(digits.search(text)), "a code")
    found = digits.search(shown)
    assert found is not None
    return "".join(found.groups())


def test_a_card_blocked_at_one_kiosk_is_released_at_the_desk_and_opened_at_the_other(
    terminal: Terminal,
) -> None:
    terminal.shows("Card PIN kiosk · kiosk-1")
    terminal.type(OTHER_CARD + OTHER_CARD + INSERT)
    terminal.shows("Your PIN is blocked.")
    terminal.type(OTHER_SIDE)
    code = released(terminal)
    terminal.type(OTHER_SIDE)
    terminal.shows("Card PIN kiosk · kiosk-2")
    terminal.type(OTHER_CARD + OTHER_CARD + INSERT)
    terminal.shows("Your PIN is blocked.")
    terminal.type("\r")
    terminal.shows("No code yet?")
    for entry in (code, NEW, NEW):
        terminal.type(entry + "\r")
    terminal.shows("Your card is unblocked.")
    terminal.shows(f"the PIN is {NEW}")
    terminal.type(QUIT)
    assert terminal.process.wait(20) == 0


def test_without_a_terminal_the_tour_is_played_over_https() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "kiosk", "demo", "--fleet"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "scenarios hold" in done.stdout
    asked = re.search(r"https://127\.0\.0\.1:\d+: (\d+) signed", done.stdout)
    assert asked is not None
    assert int(asked[1]) > 100

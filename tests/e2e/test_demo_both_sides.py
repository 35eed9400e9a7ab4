"""`kiosk demo`: kiosk and desk of one world, on one terminal, by one key.

Somebody who plays it reads what a person reads: a code that is released at the desk is
typed at the kiosk, and the card is open again. Each side is found where it was left.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator

import pytest
from lab.terminal.terminal import Terminal

OTHER_SIDE = "\x14"
INSERT, PULL, OTHER_CARD = "\x1b[15~", "\x1b[17~", "\x1b[19~"
QUIT, CLEAR = "\x1b[21~", "\x15"
RELEASE, SUBMIT = "u", "\x1bOQ"
NEW = "314159"


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    command = [sys.executable, "-m", "kiosk", "demo"]
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


def redeem(terminal: Terminal, code: str) -> None:
    """Type the code, again if it came before it could be taken, and a new PIN."""
    spaced = f"{code[:3]} {code[3:6]} {code[6:]}"
    for is_last in (False, False, True):
        terminal.type(code)
        try:
            terminal.shows(spaced, 20.0)
            break
        except AssertionError:
            if is_last:
                raise
        terminal.type(CLEAR)
    for entry in ("", NEW, NEW):
        terminal.type(entry + "\r")


def test_a_release_given_at_the_desk_is_redeemed_at_the_kiosk(
    terminal: Terminal,
) -> None:
    terminal.shows("Insert your card")
    terminal.type(OTHER_CARD + OTHER_CARD)
    terminal.shows("Try: Ctrl+T, give a code at the desk")
    terminal.type(OTHER_SIDE)
    code = released(terminal)
    terminal.type(OTHER_SIDE)
    terminal.shows("Insert your card")
    terminal.type(INSERT)
    terminal.shows("Your PIN is blocked.")
    terminal.type("\r")
    terminal.shows("No code yet?")
    redeem(terminal, code)
    terminal.shows("Your card is unblocked.")
    terminal.shows(f"the PIN is {NEW}")
    terminal.type(QUIT)
    assert terminal.process.wait(20) == 0


def test_each_side_is_found_where_it_was_left(terminal: Terminal) -> None:
    terminal.shows("Insert your card")
    terminal.type(OTHER_CARD + OTHER_CARD + INSERT)
    terminal.shows("Your PIN is blocked.")
    terminal.type("\r")
    terminal.shows("No code yet?")
    terminal.type("12")
    terminal.shows("12_ ___ ___")
    terminal.type(OTHER_SIDE)
    code = released(terminal)
    terminal.shows("It has not been typed at a kiosk yet.")
    terminal.type(OTHER_SIDE)
    terminal.shows("12_ ___ ___")
    terminal.type(CLEAR)
    redeem(terminal, code)
    terminal.shows("Your card is unblocked.")
    terminal.type(OTHER_SIDE)
    shown = terminal.shows("The new PIN is set on the card.")
    assert "It was typed at kiosk-1." in shown
    assert "Hanna Hart   " in shown, "and the operator is still signed in"
    terminal.type(OTHER_SIDE)
    terminal.shows("Your card is unblocked.")
    terminal.type(QUIT)
    assert terminal.process.wait(20) == 0


def test_the_card_that_signs_an_operator_in_signs_them_out(terminal: Terminal) -> None:
    terminal.shows("Insert your card")
    terminal.type(OTHER_SIDE)
    released(terminal)
    terminal.type(PULL)
    shown = terminal.shows("Operators: please sign in")
    assert "Carol Clark" not in shown
    terminal.type(OTHER_SIDE)
    terminal.shows("Insert your card")
    terminal.type(OTHER_SIDE)
    terminal.shows("Operators: please sign in")


def test_the_desk_speaks_as_whoever_came_over_from_the_kiosk(
    terminal: Terminal,
) -> None:
    terminal.shows("Insert your card")
    terminal.type("3")
    terminal.shows("Insérez votre carte")
    terminal.type(OTHER_SIDE)
    terminal.shows("Opérateurs")
    terminal.type(OTHER_SIDE)
    terminal.shows("Insérez votre carte")


def test_the_window_is_seen_as_it_is_on_either_side(terminal: Terminal) -> None:
    terminal.shows("Insert your card")
    terminal.type(OTHER_SIDE)
    terminal.shows("Operators: please sign in")
    terminal.resize(120, 30)
    terminal.until(lambda text: "Ctrl+T" in text.splitlines()[26], "the tray, lower")
    terminal.type(OTHER_SIDE)
    terminal.shows("Insert your card")
    terminal.until(lambda text: "Ctrl+T" in text.splitlines()[26], "the tray, lower")

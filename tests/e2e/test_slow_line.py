"""A line of 300 baud, both ways: keys come byte by byte, screens long after.

A whole screen takes minutes there. What is typed is what counts all the same, nothing
waits for the line, and what it shows in the end is what is.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from lab.matrix.visitor import Visitor
from lab.terminal.slow_line import BYTES_A_SECOND, SlowTerminal

from kiosk.core.exit_codes import ExitCode

pytestmark = pytest.mark.long

OLD, NEW = b"271828", b"314159"
ENTER, KEYPAD_ENTER = b"\r", b"\x1bOM"
SEVEN = b"\x1b[55;1:1u"
"""A key as kitty's protocol has it: ten bytes, a third of a second."""
_ANEW = 3
"""How often a person comes to a line that stood still."""


class Person:
    """Somebody at the end of the line."""

    def __init__(self, face: str) -> None:
        self.visitor = Visitor(face, kind=SlowTerminal)
        assert isinstance(self.visitor.terminal, SlowTerminal)
        self.terminal = self.visitor.terminal
        self.terminal.until(lambda _: bool(self.terminal.raw), "something drawn")

    def type(self, *keys: bytes) -> str:
        """Type keys; return what is shown, or would be, when all have been handled."""
        for key in keys:
            self.visitor.ask("rest")
            self.terminal.send(key)
            self.look()
        return self.visitor.shown

    def look(self) -> str:
        return self.visitor.settle(is_read=False)

    def card(self) -> list[object]:
        return list(self.visitor.facts()["cards"]["everyday"])


def comes(face: str, visit: Callable[[Person], None]) -> None:
    """Let somebody come; anew where the line stood still and broke a key in two."""
    for left in reversed(range(_ANEW)):
        person = Person(face)
        try:
            visit(person)
            break
        except AssertionError:
            if not left or not person.terminal.stood_still:
                raise
        finally:
            person.visitor.end()


def test_a_visit_whose_screens_come_too_late() -> None:
    comes("kiosk", _changes_unseen)


def _changes_unseen(person: Person) -> None:
    began, tries = time.monotonic(), 3
    person.visitor.ask("insert", situation="everyday")
    assert person.look() == "HomeScreen"
    assert person.type(KEYPAD_ENTER) == "FormScreen"
    person.type(b"2", SEVEN, OLD[2:], ENTER, NEW, ENTER, NEW)
    assert person.type(ENTER) == "ResultScreen"
    assert person.card()[:2] == [NEW.decode(), tries]
    assert person.visitor.ask("knows", name="everyday", password=NEW.decode())["knows"]
    seconds = time.monotonic() - began
    assert len(person.terminal.raw) < 2 * BYTES_A_SECOND * (1 + seconds), "it was slow"
    person.terminal.speed_up()
    person.terminal.shows("Your PIN and your Windows password are changed.")
    person.visitor.ask("pull")
    person.type(ENTER)
    text = person.terminal.shows("Insert your card")
    assert "changed" not in text
    assert OLD not in person.visitor.written()
    assert NEW not in person.visitor.written()
    assert person.visitor.complaints() == []
    assert person.terminal.end() == ExitCode.OK


def test_it_ends_though_minutes_of_screens_are_on_the_line() -> None:
    comes("kiosk", _leaves_the_line_full)


def _leaves_the_line_full(person: Person) -> None:
    person.visitor.ask("insert", situation="everyday")
    person.type(ENTER, OLD)
    person.visitor.ask("pull")
    assert person.look() == "MessageScreen unsent"
    assert person.card()[:2] == [OLD.decode(), 3]
    person.terminal.process.terminate()
    assert person.terminal.process.wait(10) == ExitCode.OK


def test_a_visit_line_by_line_is_read_as_it_goes() -> None:
    comes("plain", _changes_line_by_line)


def _changes_line_by_line(person: Person) -> None:
    shows = person.terminal.shows
    person.visitor.ask("insert", situation="everyday")
    shows("Your number:", 60)
    person.type(b"1", ENTER)
    shows("What would you like to do?", 60)
    person.type(b"\x1b[49u", KEYPAD_ENTER)
    shows("Your PIN until now", 60)
    person.type(b"2", SEVEN, OLD[2:], ENTER)
    shows("Your new PIN.", 60)
    person.type(NEW, ENTER, NEW, ENTER)
    shows("Your PIN and your Windows password are changed.", 60)
    assert person.card()[:2] == [NEW.decode(), 3]
    assert OLD not in person.terminal.raw
    assert NEW not in person.terminal.raw
    assert person.terminal.end() == ExitCode.OK

"""At the plain kiosk, what is typed while it asks who is there is used whole or not."""

from __future__ import annotations

import dataclasses
from typing import cast

import pytest

from kiosk.core.errors import Message
from kiosk.core.secret import Secret
from kiosk.faces.idleness import Idleness
from kiosk.faces.keyboard.names import Key
from kiosk.faces.reader_state import ReaderState
from kiosk.faces.turn import BREATH, Turn
from kiosk.pin.alphabet import Alphabet
from kiosk.plain import talk
from kiosk.plain.inbox import Inbox
from kiosk.plain.talk import Talk
from kiosk.plain.terminal import Terminal
from kiosk.simulation.face_settings import SETTINGS

RESTS = None
"""Nothing is typed until the kiosk asks who is there."""
WARNED_AFTER = 45.0


class Line:
    """A terminal at which somebody types; their time passes as they do."""

    has_more = False

    def __init__(self) -> None:
        self.at = 0.0
        self.typed: list[tuple[float, str | None]] = []
        """After how many seconds comes which key."""
        self.said: list[str] = []

    def now(self) -> float:
        return self.at

    def wait(self, news: int, seconds: float) -> tuple[Key | None, bool]:
        after, key = self.typed.pop(0)
        self.at += after
        if key is None:
            return None, False
        return (Key(key) if key == "enter" else Key(key, key)), False

    def say(self, sentence: str) -> None:
        self.said.append(sentence)

    ask = write = say

    def bell(self) -> None:
        """Nobody hears it."""

    def ends_with(self, *keys: str | None, after: float = 2 * BREATH) -> None:
        self.typed += [(WARNED_AFTER if it is RESTS else after, it) for it in keys]


@pytest.fixture
def line(monkeypatch: pytest.MonkeyPatch) -> Line:
    monkeypatch.setattr(talk, "_DRAIN_SECONDS", 0.0)
    return Line()


def asked(line: Line, pause: float = 120.0) -> Secret | Message | None:
    """Ask for a PIN; return what comes of what is typed."""
    settings = dataclasses.replace(SETTINGS, pause=pause)
    spoken = Talk(
        cast(Terminal, line),
        Inbox(),
        ReaderState(),
        Idleness(settings, line.now),
        settings,
    )
    spoken._turn = Turn(line.now)
    return spoken.ask("PIN", Alphabet.PRINTABLE, 16, is_shown=False)


@pytest.mark.parametrize("key", ["p", "P", "1"])
@pytest.mark.parametrize("pause", [0.0, 120.0])
def test_a_line_that_lacks_the_key_which_answered_is_refused(
    line: Line, pause: float, key: str
) -> None:
    line.ends_with(*"27", RESTS, key, *"1828", "enter")
    answer = asked(line, pause)
    assert isinstance(answer, Message)
    assert answer.key == "tui.form.too_early"


def test_p_is_any_key_where_nobody_gets_more_time(line: Line) -> None:
    line.ends_with(RESTS, "p", *"uk1", "enter")
    answer = asked(line, pause=0.0)
    assert isinstance(answer, Message)
    assert answer.key == "tui.form.too_early"


def test_more_time_costs_nothing(line: Line) -> None:
    line.ends_with(RESTS, "p", *"271828", "enter")
    answer = asked(line)
    assert isinstance(answer, Secret)
    with answer:
        assert answer.reveal() == b"271828"


def test_what_follows_a_p_in_one_breath_is_not_the_rest_of_a_word(line: Line) -> None:
    line.ends_with(RESTS, "p")
    line.ends_with(*"uk1", after=BREATH / 2)
    line.ends_with("enter")
    answer = asked(line)
    assert answer == Message("tui.form.too_early", {"count": 3})

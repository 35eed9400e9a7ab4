"""Silence in which nobody could have heard a key is no silence."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from kiosk.faces.attention import LOOK, Attention
from kiosk.faces.leaving import Leaving
from kiosk.faces.turn import HELD, Turn

REPEATS = 1 / 25


@dataclass
class Machine:
    """Keys, a program that looks now and then, and time that passes as they say."""

    at: float = 100.0
    turn: Turn = field(init=False)
    attention: Attention = field(init=False)

    def __post_init__(self) -> None:
        self.attention = Attention(lambda: self.at)
        self.turn = Turn(lambda: self.at, self.attention)

    def press(self, key: str) -> bool:
        return self.turn.has(key, is_typed=False, is_open=True)

    def listen(self, seconds: float) -> None:
        for _ in range(round(seconds / LOOK)):
            self.at += LOOK
            self.attention.look()

    def stall(self, seconds: float) -> None:
        """Stopped, or starved: keys wait in the terminal."""
        self.at += seconds


@pytest.mark.parametrize("stalled", [0.3, 1.1 * HELD, 60.0])
@pytest.mark.parametrize("listened", [0.0, 0.4])
def test_a_key_that_was_held_through_a_stall_is_held_still(
    stalled: float, listened: float
) -> None:
    it = Machine()
    assert it.press("1")
    it.turn.page_shown()
    it.listen(listened)
    it.stall(stalled)
    assert not any(it.press("1") for _ in range(30))
    it.stall(stalled)
    assert not it.press("1")
    it.listen(1.1 * HELD)
    assert it.press("1")


def test_two_stalls_do_not_make_a_silence_together() -> None:
    it = Machine()
    it.press("1")
    it.turn.page_shown()
    it.stall(0.7 * HELD)
    it.listen(0.3)
    it.stall(0.7 * HELD)
    assert not it.press("1")


def test_whoever_lets_go_and_waits_is_heard_though_nobody_looks_any_more() -> None:
    it = Machine()
    it.press("1")
    it.turn.page_shown()
    it.listen(2 * HELD)
    it.attention.rest()
    it.stall(600)
    assert it.press("1")


def test_a_question_that_is_drawn_late_is_not_answered_in_the_same_breath() -> None:
    it, leaving = Machine(), Leaving()
    it.press("escape")
    assert not leaving.is_meant(it.turn.pause)
    it.stall(3 * HELD)
    it.press("escape")
    assert not leaving.is_meant(it.turn.pause)
    it.listen(1.1 * HELD)
    it.press("escape")
    assert leaving.is_meant(it.turn.pause)


def test_a_look_that_is_a_little_late_is_no_stall() -> None:
    it = Machine()
    it.press("1")
    it.turn.page_shown()
    for _ in range(8):
        it.at += 1.5 * LOOK
        it.attention.look()
    assert it.press("1")

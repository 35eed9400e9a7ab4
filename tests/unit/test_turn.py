"""A key is taken only by the page that could be seen when it was pressed."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from kiosk.faces import turn
from kiosk.faces.turn import BREATH, HELD, Turn

REPEATS = 1 / 25


@dataclass
class Hand:
    """Somebody at the keys, whose time passes as they say."""

    at: float = 0.0
    turn: Turn = field(init=False)

    def __post_init__(self) -> None:
        self.turn = Turn(lambda: self.at)

    def press(self, key: str, after: float = 0.01, *, is_open: bool = True) -> bool:
        self.at += after
        return self.turn.has(key, is_typed=len(key) == 1, is_open=is_open)


@pytest.mark.parametrize("first_repeat", [0.25, 0.5, 0.66, 0.9])
@pytest.mark.parametrize("key", ["enter", "f2", "1"])
def test_a_key_that_is_held_while_pages_change_is_taken_once(
    key: str, first_repeat: float
) -> None:
    hand = Hand()
    assert hand.press(key)
    hand.turn.page_shown()
    assert not hand.press(key, first_repeat)
    assert not any(hand.press(key, REPEATS) for _ in range(40))
    hand.turn.page_shown()
    assert not any(hand.press(key, REPEATS) for _ in range(40))
    assert hand.press(key, 1.01 * HELD)


@pytest.mark.parametrize("each", [1.01 * turn.REPEATS, 0.5, 0.99 * HELD])
def test_a_key_that_is_pressed_again_and_again_is_taken_the_second_time(
    each: float,
) -> None:
    """Who sees nothing happen presses on: that is no key that is held."""
    hand = Hand()
    assert hand.press("escape")
    for _ in range(3):
        hand.turn.page_shown()
        assert not hand.press("escape", each)
        assert hand.press("escape", each)


def test_a_key_that_is_pressed_twice_and_held_then_is_taken_once() -> None:
    hand = Hand()
    assert hand.press("enter")
    hand.turn.page_shown()
    assert not hand.press("enter", 0.2)
    assert not hand.press("enter", 0.66)
    assert not any(hand.press("enter", REPEATS) for _ in range(40))


def test_another_key_is_for_the_page_that_is_there() -> None:
    hand = Hand()
    hand.press("enter")
    hand.turn.page_shown()
    assert hand.press("2")
    assert hand.press("2")


def test_a_key_may_repeat_on_its_own_page() -> None:
    hand = Hand()
    hand.press("down")
    hand.turn.page_shown()
    assert hand.press("1", 2.0)
    assert all(hand.press("1") for _ in range(5))


def test_what_began_before_the_page_is_not_taken_from_its_middle() -> None:
    hand = Hand()
    hand.press("enter")
    assert not any(hand.press(key, is_open=False) for key in "27")
    hand.turn.page_shown()
    assert not any(hand.press(key) for key in "1828")
    assert not hand.press("enter")
    assert hand.turn.take_early() == 7
    assert hand.press("2", 1.01 * BREATH)


def test_impatience_spoils_nothing() -> None:
    hand = Hand()
    for _ in range(5):
        assert not hand.press("enter", is_open=False)
    hand.turn.page_shown()
    assert hand.turn.take_early() == 0
    assert hand.press("2")


def test_a_page_that_changes_under_the_hands_takes_the_entry_with_it() -> None:
    hand = Hand()
    assert all(hand.press(key) for key in "hun")
    hand.turn.page_shown(typed=3)
    assert hand.turn.take_early() == 3
    assert not any(hand.press(key) for key in "ter2")
    assert hand.turn.take_early() == 4


def test_what_follows_a_refused_entry_in_one_breath_is_not_the_next() -> None:
    hand = Hand()
    hand.press("a")
    hand.press("enter")
    hand.turn.cut()
    assert not any(hand.press(key) for key in "314159")
    assert hand.turn.take_early() == 6
    assert hand.press("3", 1.01 * BREATH)


def test_a_key_that_only_took_a_cover_away_is_missing_in_what_is_typed() -> None:
    hand = Hand()
    hand.press("2")
    hand.turn.swallow(is_typed=True)
    assert hand.turn.take_early() == 1
    hand.turn.swallow(is_typed=False)
    assert hand.turn.take_early() == 0


def test_what_follows_an_answer_in_one_breath_is_not_the_rest_of_an_entry() -> None:
    hand = Hand(at=100.0)
    hand.turn.answer("p")
    assert hand.turn.take_early() == 0, "by itself it spoils nothing"
    assert not any(hand.press(key, 0.2) for key in "uk1")
    assert hand.turn.take_early() == 3
    hand.turn.answer("p")
    assert hand.press("2", 1.01 * BREATH)

"""What happened can be read to its end, though the card is gone; and it is true."""

from __future__ import annotations

import pytest
from lab.terminal.screens import Kiosk, kiosk

from kiosk.tui.last_word import SECONDS

UNSENT = "has changed nothing"
DONE = "Your PIN and your Windows password are changed."


async def changed(shown: Kiosk) -> None:
    await opened(shown)
    await shown.type("271828", "314159", "314159")
    await shown.until("Result")


async def opened(shown: Kiosk) -> None:
    await shown.insert("everyday")
    await shown.until("Home")
    await shown.pilot.press("enter")
    await shown.until("Form")


async def pulled(shown: Kiosk) -> None:
    shown.demo.pull()
    await shown.until_true(lambda: "This closes in" in shown.text(), "the last word")


async def test_a_success_that_was_read_for_long_stays_when_the_card_leaves() -> None:
    async with kiosk() as shown:
        await changed(shown)
        shown.hands.rest(1.5 * SECONDS)
        await pulled(shown)
        assert DONE in shown.text()


async def test_who_has_taken_the_card_is_not_told_to_take_it() -> None:
    async with kiosk() as shown:
        await changed(shown)
        assert "→  Take your card." in shown.text()
        await pulled(shown)
        assert "Take your card" not in shown.text()
        assert "Your phone and other devices" in shown.text()


async def test_it_makes_room_when_it_had_its_time() -> None:
    async with kiosk() as shown:
        await changed(shown)
        await pulled(shown)
        shown.hands.rest(SECONDS)
        await shown.until("Idle")


@pytest.mark.parametrize("key", ["enter", "escape", "f2"])
async def test_any_key_makes_room(key: str) -> None:
    async with kiosk() as shown:
        await changed(shown)
        await pulled(shown)
        await shown.pilot.press(key)
        await shown.until("Idle")


async def test_another_card_makes_room() -> None:
    async with kiosk() as shown:
        await changed(shown)
        await pulled(shown)
        await shown.insert("blocked")
        await shown.until("Home")
        assert "Carol" in shown.text()


@pytest.mark.parametrize("keys", ["", "27", "271828"])
async def test_a_card_pulled_from_a_form_has_changed_nothing_and_says_so(
    keys: str,
) -> None:
    async with kiosk() as shown:
        await opened(shown)
        before = shown.demo.world.credential("everyday")
        await shown.pilot.press(*keys)
        await pulled(shown)
        assert UNSENT in shown.text()
        assert shown.demo.world.credential("everyday") == before


async def test_a_card_pulled_from_a_question_says_so_too() -> None:
    async with kiosk() as shown:
        await shown.insert("administrator")
        await shown.until("Home")
        await shown.pilot.press("enter")
        await shown.until("Confirm")
        await pulled(shown)
        assert UNSENT in shown.text()


async def test_after_a_change_nobody_says_that_nothing_was_changed() -> None:
    async with kiosk() as shown:
        await changed(shown)
        await shown.pilot.press("escape")
        await shown.until("Home")
        shown.demo.pull()
        await shown.until("Idle")
        assert UNSENT not in shown.text()


async def test_typing_on_after_the_card_has_left_ends_nothing() -> None:
    async with kiosk() as shown:
        await opened(shown)
        await shown.pilot.press(*"27")
        shown.demo.pull()
        await shown.pilot.pause(0.3)
        assert UNSENT in shown.text()
        shown.hands.rest()
        await shown.pilot.press(*"1828")
        assert UNSENT in shown.text()


async def test_a_second_card_in_the_middle_of_a_form_has_changed_nothing() -> None:
    async with kiosk() as shown:
        await opened(shown)
        readers = shown.demo.readers
        readers.plug("Second reader")
        stranger, _ = shown.demo.world.make_card("stranger", pin=b"111222")
        readers.insert(stranger.card, "Second reader")
        await shown.until("two_cards")
        assert UNSENT in shown.text()

"""The demo's tray says all it knows in its four lines, beside any card."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import pytest
from lab.terminal.screens import kiosk

from kiosk.faces import wording
from kiosk.simulation.face_settings import SETTINGS
from kiosk.texts import LANGUAGES


@pytest.fixture(autouse=True)
def english_again() -> Iterator[None]:
    yield
    wording.speak("en")


@pytest.mark.parametrize("language", LANGUAGES)
async def test_the_next_thing_to_try_is_seen_for_each_card(language: str) -> None:
    settings = dataclasses.replace(SETTINGS, languages=(language,))
    async with kiosk(settings=settings, with_tray=True) as shown:
        for _ in shown.demo.cards:
            await shown.pilot.press("f8")
            shown.hands.rest()
            await shown.pilot.pause()
            lines = shown.text().splitlines()[-4:]
            assert wording.say("tui.tray.quit") in lines[0]
            there = [each for each in shown.demo.cards if each.name in lines[1]]
            assert there, lines
            assert there[0].hint in lines[2]
            assert wording.say("tui.tray.next", advice=there[0].next) in lines[3]


async def test_the_next_thing_to_try_is_seen_after_a_visit() -> None:
    async with kiosk(with_tray=True) as shown:
        await shown.pilot.press("f8", "f8", "f5")
        await shown.until("Home")
        assert "Try: Ctrl+T, give a code at the desk, and type it here." in shown.text()

"""The demo's tray says all it knows in its four lines, beside any card."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import pytest
from lab.terminal.screens import kiosk

from kiosk.faces import wording
from kiosk.faces.demo_deck import DemoCard
from kiosk.simulation.demo import CAST, Demo
from kiosk.simulation.demo_desk import DemoDesk
from kiosk.simulation.face_settings import SETTINGS
from kiosk.texts import LANGUAGES

_ROOM = 76
"""Columns of the tray at 80×24."""


@pytest.fixture(autouse=True)
def english_again() -> Iterator[None]:
    yield
    wording.speak("en")


def _lines(card: DemoCard, count: int) -> tuple[str, ...]:
    place = wording.say("tui.tray.place", at=count, all=count)
    title = f"{wording.say('tui.tray.title')} {place}  {card.name}"
    return (
        f"{title}  {card.story}",
        wording.say("tui.tray.hint", hint=card.hint),
        wording.say("tui.tray.next", advice=card.next),
    )


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("deck", [Demo, DemoDesk])
def test_each_card_is_told_of_whole_in_each_language(
    deck: type[Demo | DemoDesk], language: str
) -> None:
    cards = deck().cards
    in_english = [each.story for each in cards]
    wording.speak(language)
    told = deck().cards
    for card in told:
        for line in _lines(card, len(told)):
            assert len(line) <= _ROOM, line
    if language != "en":
        for card, english in zip(told, in_english, strict=True):
            is_a_name = english == "helpdesk"  # German has it, too
            assert is_a_name or card.story != english


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_has_become_of_a_card_is_told_whole(language: str) -> None:
    wording.speak(language)
    demo = Demo()
    for role in CAST:
        if role.name != "last try":
            demo.world.holders[role.name].made.card.set_tries(pin=2)
    for card in demo.cards[: len(CAST)]:
        line = _lines(card, len(demo.cards))[0]
        assert len(line) <= _ROOM, line
        assert "2" in card.story or card.name == "Dan Dixon"


async def test_the_tray_speaks_as_the_screen_does() -> None:
    settings = dataclasses.replace(SETTINGS, languages=tuple(LANGUAGES))
    async with kiosk(settings=settings, with_tray=True) as shown:
        assert "an everyday card" in shown.text()
        await shown.pilot.press("2")
        await shown.pilot.pause()
        assert "eine Karte für jeden Tag" in shown.text()
        assert "Probieren Sie: F5, und die PIN ändern." in shown.text()
        await shown.pilot.press("f9")
        await shown.pilot.pause()
        assert "Helpdesk: Bitte erst die Karte einstecken" in shown.text()


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


async def test_what_has_been_tried_is_not_offered_again() -> None:
    async with kiosk(with_tray=True) as shown:
        assert "Try: F5, and change the PIN." in shown.text()
        await shown.pilot.press("f5")
        await shown.until("Home")
        assert "Try: change the PIN." in shown.text(), "the card is in"
        await shown.pilot.press("enter")
        await shown.until("Form")
        await shown.type("271828", "314159", "314159")
        await shown.until("Result")
        assert "Try: F6, F8 for somebody else's card, then F5." in shown.text()


@pytest.mark.parametrize("language", LANGUAGES)
async def test_the_desk_has_something_to_try_with_each_card(language: str) -> None:
    wording.speak(language)
    demo = DemoDesk()
    try:
        for each in demo.cards:
            told = wording.say("tui.tray.next", advice=each.next)
            assert each.next or each.story == wording.say("demo.not_issued")
            assert len(told) <= _ROOM, told
            change = wording.say("demo.next.change")
            assert change not in each.next, "nobody does that at a desk"
    finally:
        demo.stop()

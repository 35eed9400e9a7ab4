"""Everybody is spoken to in their language and colours, and nothing of it is cut."""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable, Iterator

import pytest
from lab.terminal.cutting import cut
from lab.terminal.screens import Kiosk, kiosk
from lab.terminal.watch import Watch
from textual.color import Color
from textual.theme import Theme
from textual.widgets import Digits

from kiosk.faces import wording
from kiosk.simulation.face_settings import SETTINGS
from kiosk.texts import LANGUAGES, PSEUDO
from kiosk.tui.theme import CONTRAST, KIOSK

IN_PSEUDO = dataclasses.replace(SETTINGS, languages=(PSEUDO,))
IN_BOTH = dataclasses.replace(SETTINGS, languages=("en", PSEUDO))


@pytest.fixture(autouse=True)
def english_again() -> Iterator[None]:
    yield
    wording.speak("en")


def reaches_the_end(shown: Kiosk) -> bool:
    """Nothing lies below the screen's lower edge."""
    return bool(shown.app.screen.query_one("#body").max_scroll_y == 0)


async def idle(shown: Kiosk) -> None:
    await shown.until("Idle")


async def home(shown: Kiosk) -> None:
    await shown.insert("everyday")
    await shown.until("Home")


async def form(shown: Kiosk) -> None:
    await home(shown)
    await shown.pilot.press("enter")
    await shown.until("Form")


async def result(shown: Kiosk) -> None:
    await form(shown)
    await shown.type("271828", "314159", "314159")
    await shown.until("Result")


async def wrong(shown: Kiosk) -> None:
    await form(shown)
    await shown.type("999111", "314159", "314159")
    await shown.until("Result")


async def blocked(shown: Kiosk) -> None:
    await shown.insert("blocked")
    await shown.until("Home")


async def unblocking(shown: Kiosk) -> None:
    await blocked(shown)
    await shown.pilot.press("enter")
    await shown.until("Form")


async def stranger(shown: Kiosk) -> None:
    await shown.insert("stranger")
    await shown.until("unknown_card")


SCREENS: list[Callable[[Kiosk], Awaitable[None]]] = [
    *(idle, home, form, result, wrong, blocked, unblocking, stranger)
]


@pytest.mark.parametrize("walk", SCREENS, ids=lambda walk: walk.__name__)
async def test_a_language_of_longer_words_is_not_cut(
    walk: Callable[[Kiosk], Awaitable[None]],
) -> None:
    async with kiosk(size=(80, 24), settings=IN_PSEUDO) as shown:
        await walk(shown)
        assert "~" in shown.text()
        assert cut(shown.app) == []
        assert reaches_the_end(shown)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("walk", SCREENS, ids=lambda walk: walk.__name__)
async def test_no_translation_is_cut(
    walk: Callable[[Kiosk], Awaitable[None]], language: str
) -> None:
    settings = dataclasses.replace(SETTINGS, languages=(language,))
    async with kiosk(size=(80, 24), settings=settings) as shown:
        await walk(shown)
        assert cut(shown.app) == []
        assert reaches_the_end(shown)


async def test_a_digit_on_the_first_screen_chooses_the_language_of_the_visit() -> None:
    async with kiosk(settings=IN_BOTH) as shown:
        assert "Insert your card" in shown.text()
        await shown.pilot.press("2")
        await shown.until_true(
            lambda: "Insert your card" not in shown.text() and "~" in shown.text(),
            "other words",
        )
        await home(shown)
        assert wording.spoken() == PSEUDO
        shown.demo.pull()
        await shown.until("Idle")
        assert wording.spoken() == "en"
        await shown.until_true(lambda: "Insert your card" in shown.text(), "English")


async def test_the_next_person_is_not_spoken_to_in_the_language_of_the_last() -> None:
    async with kiosk(settings=IN_BOTH) as shown:
        await shown.pilot.press("2")
        await home(shown)
        shown.demo.insert(3)
        await shown.until_true(
            lambda: wording.spoken() == "en", "the station's language"
        )


async def test_where_there_is_one_language_nothing_is_offered() -> None:
    async with kiosk(settings=SETTINGS) as shown:
        assert " 1 " not in shown.text()
        await shown.pilot.press("2")
        assert wording.spoken() == "en"


async def test_high_contrast_is_chosen_for_one_visit() -> None:
    async with kiosk(settings=SETTINGS) as shown:
        await shown.pilot.press("c")
        await home(shown)
        assert shown.app.theme == CONTRAST.name
        shown.demo.pull()
        await shown.until("Idle")
        assert shown.app.theme == KIOSK.name


async def test_a_station_can_speak_in_high_contrast_and_big_digits_by_itself() -> None:
    settings = dataclasses.replace(SETTINGS, high_contrast=True, big_digits=True)
    async with kiosk(settings=settings) as shown:
        await result(shown)
        assert shown.app.theme == CONTRAST.name
        (number,) = shown.app.screen.query(Digits)
        assert number.size.height == 3
        assert number.value
        assert cut(shown.app) == []


async def test_more_time_is_given_to_who_asks_for_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    watch = Watch.of_idleness(monkeypatch)
    settings = dataclasses.replace(
        SETTINGS, idle_warning_after=300.0, idle_wipe_after=3000.0, pause=600.0
    )
    async with kiosk(settings=settings) as shown:
        await form(shown)
        watch.ahead += 400
        await shown.until("IdleWarning")
        assert "Press P if you need more time: 10 minutes more." in shown.text()
        await shown.pilot.press("p")
        await shown.until("Form")
        watch.ahead += 800  # the pause, and not yet enough after it
        seen = watch.looks
        await shown.until_true(lambda: watch.looks > seen + 3, "a look at the watch")
        assert shown.screen() == "Form"
        watch.ahead += 400
        await shown.until("IdleWarning")


# --- colours -----------------------------------------------------------------


def ratio(one: str, other: str) -> float:
    """Contrast of two colours (WCAG 2.2, relative luminance)."""

    def luminance(text: str) -> float:
        parts = [part / 255 for part in Color.parse(text).rgb]
        linear = [
            part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
            for part in parts
        ]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize(("theme", "least"), [(KIOSK, 4.5), (CONTRAST, 7.0)])
def test_every_colour_of_words_stands_out_from_what_is_behind_it(
    theme: Theme, least: float
) -> None:
    behind = (theme.background, theme.panel)
    before = (theme.foreground, theme.accent, theme.warning, theme.error, theme.success)
    for back in behind:
        for front in before:
            assert back is not None
            assert front is not None
            assert ratio(back, front) >= least, (theme.name, back, front)

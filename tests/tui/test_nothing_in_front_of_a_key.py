"""Work that would keep somebody's key waiting is done before, or never again."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from typing import Any

import pytest
from lab.matrix.visitor import visitor
from lab.terminal.hands import Hands
from lab.terminal.screens import Kiosk, kiosk
from textual.css import parse, stylesheet
from textual.design import ColorSystem
from textual.screen import Screen
from textual.theme import Theme

from kiosk.cards.errors import ServiceGone
from kiosk.simulation.demo import Demo
from kiosk.simulation.face_settings import SETTINGS
from kiosk.tui import stylesheets
from kiosk.tui.app import KioskApp, KioskParts
from kiosk.tui.theme import CONTRAST, KIOSK

A_PROGRAM = 50_000
"""Objects that a face has loaded, at the least."""
LATER = (
    "kiosk.visit.views",
    "kiosk.cards.values",
    "kiosk.tui.kiosk_controller",
    "kiosk.tui.tray",
    "statemachine",
    "polib",
    "cryptography",
    "kiosk.authority.values",
    "kiosk.simulation.world",
)
"""What nobody needs who only sees the first frame."""


Sheet = tuple[str, str, int]


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[Sheet]:
    """Which style sheets were parsed: of what, and how it stands among the others."""
    sheets: list[Sheet] = []

    def noted(scope: str, css: str, *more: Any, **options: Any) -> Any:
        sheets.append((scope, css, options["tie_breaker"]))
        return parse.parse(scope, css, *more, **options)

    monkeypatch.setattr(stylesheet, "parse", noted)
    return sheets


async def colours(shown: Kiosk) -> tuple[str, str]:
    await shown.pilot.press("c")
    await shown.pilot.pause()
    shown.hands.rest()
    background = shown.app.screen.styles.background.hex
    return shown.app.theme, background.lower()


@pytest.mark.parametrize("themes", [(CONTRAST, KIOSK), (KIOSK, CONTRAST)])
async def test_the_contrast_key_parses_nothing(
    parsed: list[Sheet], themes: tuple[Theme, Theme]
) -> None:
    """Whichever of the two is the station's own."""
    settings = dataclasses.replace(SETTINGS, high_contrast=themes[1] is CONTRAST)
    async with kiosk(settings=settings) as shown:
        await shown.until_true(lambda: shown.app._controller is not None, "it to wake")
        parsed.clear()
        for theme in (*themes, *themes):
            assert await colours(shown) == (theme.name, theme.background)
    assert not parsed


async def test_colours_that_return_are_not_reckoned_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    done: list[str] = []

    def noted(place: Any, name: str) -> None:
        does = getattr(place, name)

        def note(*given: Any) -> Any:
            done.append(name)
            return does(*given)

        monkeypatch.setattr(place, name, note)

    noted(ColorSystem, "generate")
    noted(stylesheet, "parse_style")
    noted(stylesheets, "tokenize_values")
    async with kiosk() as shown:
        await shown.until_true(lambda: shown.app._controller is not None, "it to wake")
        for theme in (CONTRAST, KIOSK):
            assert await colours(shown) == (theme.name, theme.background)
        assert set(done) == {"generate", "parse_style", "tokenize_values"}
        done.clear()
        for theme in (CONTRAST, KIOSK):
            assert await colours(shown) == (theme.name, theme.background)
    assert not done


async def test_a_screen_is_parsed_once_for_all_people(parsed: list[Sheet]) -> None:
    async with kiosk() as shown:
        for is_first in (True, False):
            parsed.clear()
            await shown.insert("everyday")
            await shown.until("Home")
            await shown.pilot.press("enter")
            await shown.until("Form")
            assert bool(parsed) is is_first
            assert len(parsed) == len(set(parsed)), "each once"
            shown.demo.pull()
            await shown.until("unsent")
            await shown.pilot.press("enter")
            await shown.until("Idle")


@pytest.fixture
def laid_out(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Which screens were laid out anew."""
    screens: list[str] = []
    lay_out = Screen._refresh_layout

    def noted(self: Screen[Any], *sizes: Any, **options: Any) -> None:
        screens.append(type(self).__name__)
        lay_out(self, *sizes, **options)

    monkeypatch.setattr(Screen, "_refresh_layout", noted)
    return screens


async def test_a_key_that_needs_no_more_room_lays_nothing_out(
    laid_out: list[str],
) -> None:
    """A layout draws the whole screen anew: half of what a digit cost."""
    async with kiosk() as shown:
        await shown.insert("everyday")
        await shown.until("Home")
        await shown.pilot.pause(0.2)
        laid_out.clear()
        for key in ("down", "up", "down", "up"):
            await shown.pilot.press(key)
            await shown.pilot.pause(0.05)
            shown.hands.rest()
        assert not laid_out, "no arrow"
        await shown.pilot.press("enter")
        await shown.until("Form")
        await shown.type("271828")
        await shown.pilot.pause(0.2)
        laid_out.clear()
        for key in (*"314159", "backspace"):
            await shown.pilot.press(key)
            await shown.pilot.pause(0.05)
        assert not laid_out, "no digit"
        await shown.pilot.press("ctrl+u", *"123456")
        await shown.pilot.pause(0.1)
        assert "it counts upwards" in shown.text(), "a line more"
        assert laid_out


@pytest.mark.parametrize("is_high", [False, True])
async def test_other_colours_are_drawn_as_if_they_had_been_there_from_the_first(
    *, is_high: bool
) -> None:
    """And no widget is made anew for them."""
    theirs = dataclasses.replace(SETTINGS, high_contrast=not is_high)
    async with kiosk(settings=theirs) as shown:
        await shown.pilot.pause()
        wanted = shown.app.screen._compositor.render_strips()
    async with kiosk(
        settings=dataclasses.replace(SETTINGS, high_contrast=is_high)
    ) as shown:
        widgets = list(shown.app.screen.query("*"))
        await colours(shown)
        await shown.pilot.pause(0.2)
        assert list(shown.app.screen.query("*")) == widgets
        assert shown.app.screen._compositor.render_strips() == wanted


@pytest.mark.parametrize("face", ["kiosk", "desk"])
def test_the_collector_leaves_alone_what_a_face_has_loaded(face: str) -> None:
    with visitor(face) as it:
        it.settle()
        collector = it.ask("collector")
    assert collector["frozen"] > A_PROGRAM
    assert collector["is_on"]


@pytest.mark.parametrize("whose", ["kiosk.simulation.face_settings", "kiosk.bootstrap"])
def test_the_first_frame_needs_little(whose: str) -> None:
    """Whose settings it has: the demo's, or a station's."""
    asked = (
        f"import sys, kiosk.tui.app, {whose};"
        f" print(*sorted({set(LATER)!r} & {{*sys.modules}}))"
    )
    shown = subprocess.run(
        [sys.executable, "-c", asked], check=True, capture_output=True, text=True
    )
    assert shown.stdout.split() == []


async def test_what_is_shown_first_says_that_there_is_no_station_yet() -> None:
    """And keys go nowhere, until it asks for a card."""
    demo, shown_first = Demo(), []

    def build() -> KioskParts:
        shown_first.append(driven.text())
        return KioskParts(demo.world, demo)

    app = KioskApp(SETTINGS, build)
    try:
        async with app.run_test(size=(80, 24)) as pilot:
            driven = Kiosk(app, pilot, demo, Hands())
            await driven.until_true(lambda: "Insert your card" in driven.text(), "it")
            await pilot.pause()
            assert "DEMO" in driven.text(), "the tray came, too"
    finally:
        demo.world.stop()
    (first,) = shown_first
    assert "The kiosk is starting" in first
    assert "One moment" in first
    assert "Insert" not in first


async def test_what_keeps_a_station_from_being_built_ends_the_kiosk() -> None:
    failure = ServiceGone()

    def build() -> KioskParts:
        raise failure

    app = KioskApp(SETTINGS, build)
    async with app.run_test(size=(80, 24)) as pilot:
        for _ in range(100):
            await pilot.pause(0.01)
            if app.failure is not None:
                break
    assert app.failure is failure

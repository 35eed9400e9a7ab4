"""Work that would keep somebody's key waiting is done before, or never again."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from typing import Any

import pytest
from lab.matrix.visitor import visitor
from lab.terminal.screens import Kiosk, kiosk
from textual.css import parse, stylesheet
from textual.theme import Theme

from kiosk.simulation.world import SETTINGS
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


@pytest.mark.parametrize("face", ["kiosk", "desk"])
def test_the_collector_leaves_alone_what_a_face_has_loaded(face: str) -> None:
    with visitor(face) as it:
        it.settle()
        collector = it.ask("collector")
    assert collector["frozen"] > A_PROGRAM
    assert collector["is_on"]


def test_the_first_frame_needs_little() -> None:
    asked = (
        f"import sys, kiosk.tui.app; print(*sorted({set(LATER)!r} & {{*sys.modules}}))"
    )
    shown = subprocess.run(
        [sys.executable, "-c", asked], check=True, capture_output=True, text=True
    )
    assert shown.stdout.split() == []

"""Draw pictures of the screens from the running program: `python -m scripts.screens`.

Each screen is drawn at 80×24 and at 120×40 into `docs/screens/`;
tests/tui/test_pictures.py says when a picture is not of today any more.
"""

from __future__ import annotations

import asyncio
import itertools
import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from textual.app import App

ROOT = Path(__file__).parents[1]
FONTS = re.compile(r"@font-face \{.*?\}", re.DOTALL)
"""What would be fetched from elsewhere: a picture stands alone."""
FOLDER = ROOT / "docs" / "screens"
SIZES = {"": (80, 24), "-large": (120, 40)}
"""What a picture's name ends with, and columns and lines."""
Pictures = AsyncIterator[tuple[str, str]]
"""Name and SVG."""


async def pictures(walk: str, ending: str) -> Pictures:
    """Walk one of `WALKS` through a program, at the size of one of `SIZES`."""
    sys.path.insert(0, str(ROOT / "tests"))
    async for name, svg in WALKS[walk](SIZES[ending]):
        yield name + ending, svg


def _drawn(app: App[Any]) -> str:
    svg = app.export_screenshot(title="Pin Kiosk")
    return FONTS.sub("", svg).replace("Fira Code", "monospace")


async def _kiosk(size: tuple[int, int]) -> Pictures:
    from lab.terminal.screens import kiosk

    async with kiosk(size=size) as shown:
        yield "idle", _drawn(shown.app)
        await shown.insert("everyday")
        await shown.until("Home")
        yield "home", _drawn(shown.app)
        await shown.pilot.press("enter")
        await shown.until("Form")
        await shown.type("271828")
        await shown.pilot.press(*"314159")
        await shown.pilot.pause(0.2)
        yield "form", _drawn(shown.app)
        await shown.pilot.press("enter")
        await shown.type("314159")
        await shown.until("Result")
        yield "result", _drawn(shown.app)


async def _kiosk_that_is_blocked(size: tuple[int, int]) -> Pictures:
    from lab.terminal.screens import kiosk

    async with kiosk(size=size) as shown:
        await shown.pilot.press("2", "c")
        await shown.insert("blocked")
        await shown.until("Home")
        yield "contrast-german", _drawn(shown.app)
    async with kiosk(size=size) as shown:
        await shown.insert("blocked")
        await shown.until("Home")
        yield "blocked", _drawn(shown.app)
        await shown.insert("stranger")
        await shown.until("unknown_card")
        yield "unknown-card", _drawn(shown.app)


async def _helpdesk(size: tuple[int, int]) -> Pictures:
    from lab.desk.desk_screens import HANNA, desk

    async with desk(size) as shown:
        yield "desk-sign-in", _drawn(shown.app)
        await shown.sign_in(HANNA)
        yield "desk-menu", _drawn(shown.app)
        await shown.pilot.press(*"ar")
        await shown.until_said("Carol Clark")
        yield "desk-found", _drawn(shown.app)
        await shown.pilot.press("down", "enter")
        await shown.until_page("credential")
        yield "desk-credential", _drawn(shown.app)
        await shown.pilot.press("u")
        await shown.until_page("release_release")
        yield "desk-caller", _drawn(shown.app)


async def _officer(size: tuple[int, int]) -> Pictures:
    from lab.desk.desk_screens import OLGA, desk

    async with desk(size) as shown:
        await shown.sign_in(OLGA)
        await shown.pilot.press("tab", "i")
        await shown.until_page("person")
        await shown.pilot.press(*"alice", "enter")
        await shown.until_said("Alice Arnold")
        yield "desk-person", _drawn(shown.app)
        await shown.pilot.press("tab", "enter")
        await shown.until_page("template")
        await shown.pilot.press("2")
        await shown.until_page("card")
        shown.demo.insert(len(shown.demo.cards) - 1)
        await shown.until_said("A card is in the reader")
        yield "desk-card", _drawn(shown.app)
        await shown.pilot.press("f2")
        await shown.until_page("issued")
        yield "desk-issued", _drawn(shown.app)


async def _templates(size: tuple[int, int]) -> Pictures:
    from lab.desk.desk_screens import ADA, desk

    async with desk(size) as shown:
        await shown.sign_in(ADA)
        await shown.pilot.press("tab", "t")
        await shown.until_page("templates")
        await shown.pilot.press("2")
        await shown.until_page("template_edit")
        yield "desk-template", _drawn(shown.app)


WALKS = {
    "kiosk": _kiosk,
    "blocked": _kiosk_that_is_blocked,
    "helpdesk": _helpdesk,
    "officer": _officer,
    "templates": _templates,
}


async def draw() -> None:
    """Write every picture."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for walk, ending in itertools.product(WALKS, SIZES):
        async for name, svg in pictures(walk, ending):
            (FOLDER / f"{name}.svg").write_text(svg, "utf-8")


def main() -> None:
    """Draw them all."""
    asyncio.run(draw())


if __name__ == "__main__":
    main()

"""Every screen has its picture at both sizes, and each is of today."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from scripts import screens
from scripts.screens import FOLDER, SIZES, WALKS, pictures

_CHANGING = re.compile(
    r"…[0-9a-f]+|\d{4}-\d{4}|\d{4}-\d\d-\d\d|\b\d{6,8}\b|\d\d:\d\d|[0-9a-f]{8,}"
)
"""Numbers of cards and events, days, hours and secrets made anew each time."""


def words(svg: str) -> str:
    """Return what a picture says, without what differs each time."""
    said = " ".join(re.findall(r">([^<>]+)</text>", svg))
    return _CHANGING.sub("#", said.replace("&#160;", " "))


async def drawn(walk: str, ending: str) -> dict[str, str]:
    """Return the pictures of a walk, by name."""
    return {name: svg async for name, svg in pictures(walk, ending)}


@pytest.mark.parametrize("ending", SIZES, ids=("80x24", "120x40"))
@pytest.mark.parametrize("walk", WALKS)
async def test_every_picture_shows_the_screen_as_it_is(walk: str, ending: str) -> None:
    stale = [
        name
        for name, svg in (await drawn(walk, ending)).items()
        if words((FOLDER / f"{name}.svg").read_text("utf-8")) != words(svg)
    ]
    assert not stale, f"python -m scripts.screens: {stale}"


def test_there_is_no_picture_that_nobody_draws() -> None:
    yielded = re.findall(
        r'yield "([a-z-]+)", _drawn', Path(screens.__file__).read_text("utf-8")
    )
    kept = {path.stem for path in FOLDER.glob("*.svg")}
    assert kept == {name + ending for name in yielded for ending in SIZES}

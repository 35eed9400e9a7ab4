"""Every screen has its picture at both sizes, and each is of today."""

from __future__ import annotations

import re

from scripts.screens import FOLDER, pictures

_CHANGING = re.compile(
    r"…[0-9a-f]+|\d{4}-\d{4}|\d{4}-\d\d-\d\d|\b\d{6,8}\b|\d\d:\d\d|[0-9a-f]{8,}"
)
"""Numbers of cards and events, days, hours and secrets made anew each time."""


def words(svg: str) -> str:
    """Return what a picture says, without what differs each time."""
    said = " ".join(re.findall(r">([^<>]+)</text>", svg))
    return _CHANGING.sub("#", said.replace("&#160;", " "))


async def test_every_picture_shows_the_screen_as_it_is() -> None:
    drawn = {name: svg async for name, svg in pictures()}
    kept = {path.stem: path.read_text("utf-8") for path in FOLDER.glob("*.svg")}
    assert set(kept) == set(drawn), "python -m scripts.screens"
    stale = [name for name in drawn if words(kept[name]) != words(drawn[name])]
    assert not stale, f"python -m scripts.screens: {stale}"

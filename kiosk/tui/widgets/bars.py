"""The frame of every screen: where one is, and which keys work."""

from __future__ import annotations

from typing import NamedTuple

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Static

from kiosk.core.untrusted_text import visible
from kiosk.faces.glyphs import marks
from kiosk.faces.wording import say
from kiosk.tui.widgets.panels import line

_LONGEST_NAME = 40
"""Columns of a person's name in the top bar."""


class KeyHint(NamedTuple):
    """A key and what it does here. An empty cap: something to do with the hands."""

    cap: str
    text: str
    """Its key in the catalogue."""


class TopBar(Horizontal):
    """The site's title, the person who is there, and the station's name."""

    DEFAULT_CSS = """
    TopBar { height: 1; background: $panel; padding: 0 2; }
    TopBar .title { width: 1fr; text-style: bold; }
    TopBar .person { width: auto; text-style: bold; color: $accent; }
    TopBar .station { width: 1fr; text-align: right; color: $text-muted; }
    """

    def __init__(self, title: str, station: str, person: str = "") -> None:
        super().__init__()
        self._title, self._station = visible(title), visible(station)
        self._person = visible(person, _LONGEST_NAME)

    def compose(self) -> ComposeResult:
        yield line(self._title, classes="title")
        yield line(self._person, classes="person")
        yield line(self._station, classes="station")

    def forget(self) -> None:
        """Name nobody any more."""
        for shown in self.query(".person").results(Static):
            shown.update("")


class KeyBar(Static):
    """The keys that work on this screen."""

    DEFAULT_CSS = """
    KeyBar { height: auto; background: $panel; padding: 0 2; }
    """

    def __init__(self, *keys: KeyHint) -> None:
        super().__init__(_drawn(keys), markup=False)

    def show(self, *keys: KeyHint) -> None:
        """Show other keys."""
        self.update(_drawn(keys))


def _drawn(keys: tuple[KeyHint, ...]) -> Content:
    pieces: list[Content] = []
    for key in keys:
        cap = marks().arrows if key.cap == "arrows" else key.cap
        if cap:
            pieces += [Content.styled(f" {cap} ", "reverse"), Content(" ")]
        pieces += [Content(say(key.text)), Content("   ")]
    return Content("").join(pieces).rstrip()

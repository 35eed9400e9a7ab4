"""The frame of every screen: where one is, and which keys work."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Static

from kiosk.core.untrusted_text import visible
from kiosk.faces.glyphs import marks
from kiosk.faces.wording import say
from kiosk.tui.widgets.panels import line

_BETWEEN = "   "
_CAPS = {
    "Ctrl": "tui.cap.ctrl",
    "Enter": "tui.cap.enter",
    "Esc": "tui.cap.esc",
    "PgUp": "tui.cap.page_up",
    "PgDn": "tui.cap.page_down",
    "Home": "tui.cap.home",
    "End": "tui.cap.end",
}
_NAMED = re.compile(r"\b(Ctrl|Enter|Esc|PgUp|PgDn|Home|End)\b")
_MARGIN = 4
"""Columns of the key bar that stay empty, at both sides."""
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
    """The keys that work on this screen; no key is parted from what it does."""

    DEFAULT_CSS = """
    KeyBar { height: auto; background: $panel; padding: 0 2; }
    """

    def __init__(self, *keys: KeyHint) -> None:
        super().__init__("", markup=False)
        self._keys = keys

    def on_mount(self) -> None:
        self._draw()

    def on_resize(self) -> None:
        """Others may stand on one line now."""
        self._draw()

    def show(self, *keys: KeyHint) -> None:
        """Show other keys."""
        self._keys = keys
        self._draw()

    def _draw(self) -> None:
        room = self.app.size.width - _MARGIN
        self.update(folded(map(_drawn, self._keys), room, _BETWEEN))


def cap_in_words(cap: str) -> str:
    """Return what stands on a key, as on keyboards of the language."""
    return _NAMED.sub(lambda found: say(_CAPS[found[0]]), cap)


def folded(pieces: Iterable[Content], room: int, between: str) -> Content:
    """Return pieces in lines of so many columns, none of them parted."""
    lines: list[Content] = []
    for each in pieces:
        if lines and lines[-1].cell_length + len(between) + each.cell_length <= room:
            lines[-1] = Content(between).join((lines[-1], each))
        else:
            lines.append(each)
    return Content("\n").join(lines)


def _drawn(key: KeyHint) -> Content:
    cap = marks().arrows if key.cap == "arrows" else cap_in_words(key.cap)
    if not cap:
        return Content(say(key.text))
    styled = Content.styled(f" {cap} ", "reverse")
    return Content("").join((styled, Content(f" {say(key.text)}")))

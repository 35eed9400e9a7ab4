"""The idle screen: what to do with a card, drawn.

It is also the first frame, drawn before there is a station that could read a card: then
it says so.
"""

from __future__ import annotations

from collections.abc import Iterable

from textual.containers import Center
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from kiosk.faces.wording import say, spoken
from kiosk.texts import LANGUAGES
from kiosk.tui.screens.base import KioskScreen
from kiosk.tui.widgets.bars import KeyBar, KeyHint
from kiosk.tui.widgets.card_drawing import CardDrawing
from kiosk.tui.widgets.panels import HelpLine, line


class IdleScreen(KioskScreen):
    """Waits for a card, from `begin` on."""

    CSS_PATH = "idle.tcss"
    KEYS = (KeyHint("", "tui.key.one_moment"), KeyHint("C", "tui.key.contrast"))
    is_private = False
    _headline = "tui.idle.starting"

    def begin(self, floor: Widget | None) -> None:
        """Ask for a card. `floor` stands under it, if nothing does."""
        self._headline = "tui.idle.headline"
        self.KEYS = (KeyHint("", "tui.key.insert"), *self.KEYS[1:])
        for shown in self.query("#headline").results(Static):
            shown.update(say(self._headline))
        for bar in self.query(KeyBar):
            bar.show(*self.KEYS)
        if self.floor is None and floor is not None:
            self.floor = floor
            self.mount(floor)

    def body(self) -> Iterable[Widget]:
        return (
            line(say(self._headline), id="headline", classes="centred headline"),
            line(say("tui.idle.how"), classes="centred"),
            Center(CardDrawing()),
            line(say("tui.idle.what"), classes="centred"),
            *self._languages(),
            HelpLine(self.settings.helpdesk, classes="centred"),
        )

    def _languages(self) -> Iterable[Widget]:
        """Each in its own words, behind the digit that chooses it."""
        languages = self.settings.languages
        if len(languages) < 2:
            return
        pieces: list[Content] = []
        for number, code in enumerate(languages, 1):
            style = "bold underline" if code == spoken() else ""
            pieces += [
                Content.styled(f" {number} ", "reverse"),
                Content(" "),
                Content.styled(LANGUAGES.get(code, code), style),
                Content("   "),
            ]
        shown = Static(Content("").join(pieces).rstrip(), classes="centred gap")
        shown.can_focus = False
        yield shown

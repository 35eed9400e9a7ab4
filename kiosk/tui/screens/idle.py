"""The idle screen: what to do with a card, drawn."""

from __future__ import annotations

from collections.abc import Iterable

from textual.containers import Center
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from kiosk.faces.wording import say, spoken
from kiosk.texts import LANGUAGES
from kiosk.tui.screens.base import KioskScreen
from kiosk.tui.widgets.bars import KeyHint
from kiosk.tui.widgets.card_drawing import CardDrawing
from kiosk.tui.widgets.panels import HelpLine, line


class IdleScreen(KioskScreen):
    """Waits for a card."""

    CSS_PATH = "idle.tcss"
    KEYS = (KeyHint("", "tui.key.insert"), KeyHint("C", "tui.key.contrast"))
    is_private = False

    def body(self) -> Iterable[Widget]:
        return (
            line(say("tui.idle.headline"), classes="centred headline"),
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

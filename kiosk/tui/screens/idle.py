"""The idle screen: what to do with a card, drawn."""

from __future__ import annotations

from collections.abc import Iterable

from textual.containers import Center
from textual.widget import Widget

from kiosk.tui.screens.base import KioskScreen
from kiosk.tui.widgets.bars import Key
from kiosk.tui.widgets.card_drawing import CardDrawing
from kiosk.tui.widgets.panels import HelpLine, line
from kiosk.tui.words import say


class IdleScreen(KioskScreen):
    """Waits for a card."""

    CSS_PATH = "idle.tcss"
    KEYS = (Key("", "tui.key.insert"),)
    is_private = False

    def body(self) -> Iterable[Widget]:
        return (
            line(say("tui.idle.headline"), classes="centred headline"),
            line(say("tui.idle.how"), classes="centred"),
            Center(CardDrawing()),
            line(say("tui.idle.what"), classes="centred"),
            HelpLine(self.settings.helpdesk, classes="centred"),
        )

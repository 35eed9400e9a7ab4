"""The idle screen: what to do with a card, drawn."""

from __future__ import annotations

from collections.abc import Iterable

from textual.widget import Widget

from kiosk.tui.screens.base import KioskScreen
from kiosk.tui.widgets.panels import line
from kiosk.tui.words import say

_LINES = (
    "╭──────────────────╮",
    "│  ▗▄▄▖            │",
    "│  ▐██▌            │",
    "│  ▝▀▀▘            │",
    "╰──────────────────╯",
    "▼",
    "▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁",
)
CARD = "\n".join(part.center(28) for part in _LINES)


class IdleScreen(KioskScreen):
    """Waits for a card."""

    CSS_PATH = "idle.tcss"
    KEYS = (("▣", "tui.key.insert"),)

    def body(self) -> Iterable[Widget]:
        desk = self.settings.helpdesk
        return (
            line(say("tui.idle.headline"), classes="headline centred"),
            line(CARD, classes="drawing"),
            line(say("tui.idle.how"), classes="centred"),
            line(say("tui.idle.what"), classes="centred muted"),
            line(
                say("tui.idle.help", contact=desk.contact, hours=desk.hours),
                classes="centred muted help",
            ),
        )

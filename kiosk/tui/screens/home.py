"""Home: who the card belongs to, how it stands, and what may be done now."""

from __future__ import annotations

from collections.abc import Iterable

from textual.widget import Widget

from kiosk.station import FaceSettings
from kiosk.text import visible
from kiosk.tui.screens.base import KioskScreen
from kiosk.tui.widgets.choices import Choices
from kiosk.tui.widgets.panels import TriesLine, line
from kiosk.tui.words import said, say
from kiosk.visit.views import Home


class HomeScreen(KioskScreen):
    """Greets the person and offers the allowed actions."""

    KEYS = (("↑ ↓  Enter", "tui.key.choose"), ("▣", "tui.key.take"))

    def __init__(self, settings: FaceSettings, home: Home) -> None:
        super().__init__(settings)
        self.home = home

    def body(self) -> Iterable[Widget]:
        home = self.home
        yield line(visible(home.person), classes="headline")
        yield line(said(home.headline))
        yield TriesLine(home.tries)
        for notice in home.notices:
            yield line(said(notice), classes="notice")
        if any(offer.allowed for offer in home.actions):
            yield line(say("tui.home.question"), classes="muted")
        else:
            desk = self.settings.helpdesk
            yield line(say("tui.home.nothing"))
            text = say("tui.idle.help", contact=desk.contact, hours=desk.hours)
            yield line(text, classes="muted")
        yield Choices(home.actions)

    def on_mount(self) -> None:
        self.query_one(Choices).focus()

"""Confirm: what to know before anything is typed."""

from __future__ import annotations

from collections.abc import Iterable

from textual import events
from textual.message import Message
from textual.widget import Widget

from kiosk.station import FaceSettings
from kiosk.tui.screens.base import KioskScreen
from kiosk.tui.widgets.panels import line
from kiosk.tui.words import said, say
from kiosk.visit.views import Form


class ConfirmScreen(KioskScreen):
    """Enter goes on, Esc goes back."""

    KEYS = (("Enter", "tui.key.yes"), ("Esc", "tui.key.no"))

    class Answered(Message):
        """The person decided."""

        def __init__(self, *, is_yes: bool) -> None:
            super().__init__()
            self.is_yes = is_yes

    def __init__(self, settings: FaceSettings, form: Form) -> None:
        super().__init__(settings)
        self.form = form

    def body(self) -> Iterable[Widget]:
        yield line(say("tui.confirm.headline"), classes="headline")
        if self.form.confirm is not None:
            yield line(said(self.form.confirm), classes="notice")
        yield line(say("tui.confirm.question"))

    def on_key(self, event: events.Key) -> None:
        if event.key in ("enter", "escape"):
            event.stop()
            self.post_message(self.Answered(is_yes=event.key == "enter"))

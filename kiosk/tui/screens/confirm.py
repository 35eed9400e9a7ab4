"""Confirm: what to know before anything is typed."""

from __future__ import annotations

from collections.abc import Iterable

from textual import events
from textual.widget import Widget

from kiosk.faces.marks import marks
from kiosk.faces.words import said, say
from kiosk.station import FaceSettings
from kiosk.tui.messages import Told
from kiosk.tui.screens.base import KioskScreen
from kiosk.tui.widgets.bars import Key
from kiosk.tui.widgets.panels import Bullet, line
from kiosk.visit.views import Form

_YES = ("enter", "1")
_NO = ("escape", "2")


class ConfirmScreen(KioskScreen):
    """Enter goes on, Esc goes back; 1 and 2 do so on a number pad."""

    CSS_PATH = "confirm.tcss"
    KEYS = (Key("Enter", "tui.key.yes"), Key("Esc", "tui.key.no"))

    class Answered(Told):
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
            text = said(self.form.confirm)
            yield Bullet(marks().attention, text, classes="question")
        yield line(f"1  {say('tui.confirm.yes')}")
        yield line(f"2  {say('tui.confirm.no')}")

    def on_key(self, event: events.Key) -> None:
        if event.key in (*_YES, *_NO):
            event.stop()
            self.post_message(self.Answered(is_yes=event.key in _YES))

"""Confirm: what to know before anything is typed."""

from __future__ import annotations

from collections.abc import Iterable

from textual import events
from textual.widget import Widget

from kiosk.faces.glyphs import marks
from kiosk.faces.visit_wording import choices
from kiosk.faces.wording import said, say
from kiosk.tui.messages import Told
from kiosk.tui.screens.base import KioskScreen
from kiosk.tui.widgets.bars import KeyHint
from kiosk.tui.widgets.panels import Bullet, HelpLine, line
from kiosk.visit.station import FaceSettings
from kiosk.visit.views import Form

_YES, _NO = ("1",), ("2", "escape")


class ConfirmScreen(KioskScreen):
    """1 goes on, 2 or Esc goes back. Enter decides nothing: it may be leant on."""

    CSS_PATH = "confirm.tcss"

    class Decided(Told):
        """The person decided about `form`."""

        def __init__(self, form: Form, *, is_yes: bool) -> None:
            super().__init__()
            self.form, self.is_yes = form, is_yes

    def __init__(self, settings: FaceSettings, form: Form) -> None:
        super().__init__(settings)
        self.form = form
        yes, no = choices(form)
        self.KEYS = (KeyHint("1", f"tui.key.{yes}"), KeyHint("2", f"tui.key.{no}"))

    def body(self) -> Iterable[Widget]:
        yield line(say("tui.confirm.headline"), classes="headline")
        if self.form.confirm is not None:
            text = said(self.form.confirm)
            yield Bullet(marks().attention, text, classes="question")
        yes, no = choices(self.form)
        yield line(f"1  {say(f'tui.confirm.{yes}')}", classes="choice")
        yield line(f"2  {say(f'tui.confirm.{no}')}", classes="choice")
        yield HelpLine(self.settings.helpdesk)

    def pressed(self, key: events.Key) -> bool:
        if key.key in (*_YES, *_NO):
            self.tell(self.Decided(self.form, is_yes=key.key in _YES))
            return True
        return False

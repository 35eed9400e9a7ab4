"""Home: who the card belongs to, how it stands, and what may be done now."""

from __future__ import annotations

from collections.abc import Iterable

from textual.containers import Horizontal
from textual.widget import Widget

from kiosk.core.untrusted_text import visible
from kiosk.faces.glyphs import marks
from kiosk.faces.wording import said, say
from kiosk.tui.messages import Told
from kiosk.tui.screens.base import KioskScreen
from kiosk.tui.widgets.action_list import ActionList
from kiosk.tui.widgets.bars import KeyHint
from kiosk.tui.widgets.panels import Bullet, HelpLine, TriesLine, line
from kiosk.visit.station import FaceSettings
from kiosk.visit.views import Home
from statemachine.operation import Kind


class HomeScreen(KioskScreen):
    """Greets the person and offers the allowed actions."""

    CSS_PATH = "home.tcss"

    class Chosen(Told):
        """An action was chosen."""

        def __init__(self, kind: Kind) -> None:
            super().__init__()
            self.kind = kind

    def __init__(self, settings: FaceSettings, home: Home) -> None:
        super().__init__(settings)
        self.home = home
        self._is_open = any(offer.allowed for offer in home.actions)
        take = KeyHint("", "tui.key.take")
        if self._is_open:
            choose = (
                KeyHint("arrows", "tui.key.move"),
                KeyHint("Enter", "tui.key.choose"),
            )
            self.KEYS = (*choose, take)
        else:
            self.KEYS = (take,)

    def body(self) -> Iterable[Widget]:
        home = self.home
        yield Horizontal(
            line(visible(home.person), classes="headline"),
            line(visible(home.account), classes="account"),
            classes="person",
        )
        yield line(said(home.headline))
        yield TriesLine(home.tries)
        for notice in home.notices:
            yield Bullet(marks().attention, said(notice), classes="notice")
        question = "tui.home.question" if self._is_open else "tui.home.nothing"
        yield line(say(question), classes="question")
        yield ActionList(home.actions, self._choose)
        if not self._is_open:
            yield HelpLine(self.settings.helpdesk)

    def on_mount(self) -> None:
        self.query_one(ActionList).focus()

    def _choose(self, kind: Kind) -> None:
        self.tell(self.Chosen(kind))

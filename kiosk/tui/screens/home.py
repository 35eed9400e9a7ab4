"""Home: who the card belongs to, how it stands, and what may be done now."""

from __future__ import annotations

from collections.abc import Iterable

from textual import events
from textual.containers import Center, Horizontal, Vertical
from textual.widget import Widget

from kiosk.core.untrusted_text import visible
from kiosk.faces.glyphs import marks
from kiosk.faces.visit_wording import (
    at_dead_end,
    is_of_a_call,
    is_short,
    of_refusals,
    of_standing,
)
from kiosk.faces.wording import say
from kiosk.tui.messages import Told
from kiosk.tui.screens.base import KioskScreen
from kiosk.tui.widgets.action_list import ActionList
from kiosk.tui.widgets.bars import KeyHint
from kiosk.tui.widgets.card_drawing import CardDrawing, CardPose
from kiosk.tui.widgets.panels import Bullet, HelpLine, line
from kiosk.tui.widgets.tries_line import TriesLine
from kiosk.visit.station import FaceSettings
from kiosk.visit.views import Home
from statemachine.lifecycle import State
from statemachine.operation import Kind

_WHY = "?"
_FEW = (0, 1)
"""Tries of which none is spent any more."""


class HomeScreen(KioskScreen):
    """Greets the person and offers the allowed actions."""

    CSS_PATH = "home.tcss"

    class KindChosen(Told):
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
        self._refused = of_refusals(home)

    def body(self) -> Iterable[Widget]:
        home = self.home
        yield Horizontal(
            line(visible(home.person), classes="headline"),
            line(visible(home.account), classes="account"),
            classes="person while-in",
        )
        yield Vertical(*self._standing(), classes=f"standing {self._look()}")
        if not self._is_open:
            whom = at_dead_end(home, self.settings.helpdesk)
            yield line(whom, classes="dead-end")
            yield Center(CardDrawing(CardPose.COMES_OUT), classes="gap while-in")
        question = "tui.home.question" if self._is_open else "tui.home.nothing"
        yield line(say(question), classes="question while-in")
        yield ActionList(home.actions, self.settings.helpdesk, self._choose)
        if self._refused:
            yield line(f"  {_WHY}  {say('tui.home.why')}", id="why")
            yield Vertical(*self._refusals(), id="refusals")
        if self._is_open and not any(is_of_a_call(it) for it in self.home.actions):
            yield HelpLine(self.settings.helpdesk)

    def _look(self) -> str:
        is_well = self.home.state in (State.ACTIVE, State.ISSUED)
        is_well = is_well and self.home.tries.left not in _FEW and not self.home.notices
        return "well" if is_well and self._is_open else "attention"

    def _standing(self) -> Iterable[Widget]:
        """How the card stands, and what to know: each once."""
        home = self.home
        headline, *notices = of_standing(home)
        yield line(headline, classes="headline")
        for notice in notices:
            yield line(notice, classes="notice")
        if is_short(home):
            yield TriesLine(home.tries)

    def _refusals(self) -> Iterable[Widget]:
        """Why the rest is not possible now, once somebody asks."""
        for each in self._refused:
            yield Bullet(marks().dot, each)

    def on_mount(self) -> None:
        self.query_one(ActionList).focus()

    def pressed(self, key: events.Key) -> bool:
        if key.character == _WHY and self._refused:
            self.query_one("#refusals").toggle_class("shown")
            self.query_one("#body").scroll_end(animate=False)
            return True
        return False

    def _choose(self, kind: Kind) -> None:
        self.tell(self.KindChosen(kind))

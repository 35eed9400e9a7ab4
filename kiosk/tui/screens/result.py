"""Result: what changed where, what did not, and what to do next."""

from __future__ import annotations

from collections.abc import Iterable

from textual import events
from textual.containers import Vertical
from textual.widget import Widget

from kiosk.faces.glyphs import marks
from kiosk.faces.receipt import page
from kiosk.faces.visit_wording import again_key
from kiosk.faces.wording import said, say
from kiosk.tui.messages import Printed, Told
from kiosk.tui.screens.base import KioskScreen
from kiosk.tui.widgets.bars import KeyBar, KeyHint
from kiosk.tui.widgets.outcome_band import OutcomeBand
from kiosk.tui.widgets.panels import (
    Bullet,
    HelpLine,
    line,
    number_line,
)
from kiosk.visit.station import FaceSettings
from kiosk.visit.views import Outcome, Result
from statemachine.operation import Kind

_TAKE = KeyHint("", "tui.key.take")
_TAKE_IT = "result.advice.take_card"
"""Advice that has been followed when the card is gone."""


class ResultScreen(KioskScreen):
    """Stays until the person goes on, and for some seconds when the card has left."""

    CSS_PATH = "result.tcss"
    is_private = False

    class Again(Told):
        """The person wants to try again, or to go on where the result says."""

        def __init__(self, kind: Kind) -> None:
            super().__init__()
            self.kind = kind

    class PrintWanted(Told):
        """The person wants it on paper: `text`, which has no secret in it."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Left(Told):
        """The person has read it."""

    def __init__(self, settings: FaceSettings, result: Result) -> None:
        super().__init__(settings)
        self.result = result
        self.is_end = result.again is None
        self.KEYS = (KeyHint("Esc", "tui.key.home"), _TAKE)
        if result.again is not None:
            self.KEYS = (KeyHint("Enter", again_key(result)), *self.KEYS)
        self._can_print = bool(settings.print_with)
        if self._can_print:
            self.KEYS = (*self.KEYS, KeyHint("F4", "tui.key.print"))

    def body(self) -> Iterable[Widget]:
        result = self.result
        yield OutcomeBand(result.outcome, said(result.headline))
        stays = [advice for advice in result.advice if advice.key != _TAKE_IT]
        if result.advice:
            while_in = "" if stays else "while-in"
            yield line(say("tui.result.next"), classes=f"gap muted {while_in}")
        for advice in result.advice:
            while_in = "" if advice in stays else "while-in"
            yield Bullet(marks().advice, said(advice), classes=f"advice {while_in}")
        facts = (line(said(fact)) for fact in result.facts)
        yield Vertical(*facts, classes="facts")
        if result.event:
            yield from number_line(
                "tui.result.event", result.event, big=self.settings.big_digits
            )
        if result.outcome not in (Outcome.DONE, Outcome.CARD_ONLY):
            yield HelpLine(self.settings.helpdesk, classes="strong")

    def take_in(self, news: Told) -> None:
        """Say whether it was printed."""
        if isinstance(news, Printed):
            self.query_one(KeyBar).show(KeyHint("", news.outcome.key))

    def pressed(self, key: events.Key) -> bool:
        match key.key:
            case "f4" if self._can_print:
                self._can_print = False
                self.hear(self.PrintWanted(page(self.settings, self.result)))
            case "enter" if self.result.again is not None:
                self.tell(self.Again(self.result.again))
            case "enter" | "escape":
                self.tell(self.Left())
            case _:
                return False
        return True

"""Result: what changed where, what did not, and what to do next."""

from __future__ import annotations

from collections.abc import Iterable

from textual import events
from textual.message import Message
from textual.widget import Widget

from kiosk.station import FaceSettings
from kiosk.tui.screens.base import KioskScreen
from kiosk.tui.widgets.panels import TriesLine, line
from kiosk.tui.words import said, say
from kiosk.visit.views import Outcome, Result

_MARKS = {
    Outcome.DONE: ("✓", "good"),
    Outcome.CARD_ONLY: ("✓", "good"),
    Outcome.REFUSED: ("✗", "bad"),
    Outcome.ROLLED_BACK: ("✗", "bad"),
    Outcome.OUT_OF_STEP: ("!", "notice"),
}


class ResultScreen(KioskScreen):
    """Stays until the card leaves, or the person goes on."""

    class Again(Message):
        """The person wants to try again, or to go on where the result says."""

    class Left(Message):
        """The person wants back to the start."""

    def __init__(self, settings: FaceSettings, result: Result) -> None:
        super().__init__(settings)
        self.result = result
        self.KEYS = (("Esc", "tui.key.home"), ("▣", "tui.key.take"))
        if result.again is not None:
            self.KEYS = (("Enter", "tui.key.again"), *self.KEYS)

    def body(self) -> Iterable[Widget]:
        result = self.result
        mark, style = _MARKS[result.outcome]
        yield line(f"{mark}  {said(result.headline)}", classes=f"headline {style}")
        for fact in result.facts:
            yield line(f"   {said(fact)}")
        if result.outcome is Outcome.REFUSED and result.tries is not None:
            yield TriesLine(result.tries)
        yield line("")
        for advice in result.advice:
            yield line(f"→  {said(advice)}")
        if result.event:
            text = say("tui.result.event", event=result.event)
            yield line(f"\n{text}", classes="muted")
        if result.outcome not in (Outcome.DONE, Outcome.CARD_ONLY):
            desk = self.settings.helpdesk
            text = say("tui.idle.help", contact=desk.contact, hours=desk.hours)
            yield line(text, classes="muted")

    def on_key(self, event: events.Key) -> None:
        if event.key == "enter" and self.result.again is not None:
            event.stop()
            self.post_message(self.Again())
        elif event.key == "escape":
            event.stop()
            self.post_message(self.Left())

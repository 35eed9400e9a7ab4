"""Progress: the steps as they happen."""

from __future__ import annotations

from collections.abc import Iterable

from textual.widget import Widget

from kiosk.faces.wording import say
from kiosk.tui.messages import Stepped, Told
from kiosk.tui.screens.base import KioskScreen
from kiosk.tui.widgets.bars import KeyHint
from kiosk.tui.widgets.panels import line
from kiosk.tui.widgets.steps import StepList
from kiosk.visit.views import Progress


class ProgressScreen(KioskScreen):
    """Shows steps; no key does anything while the card works."""

    CSS_PATH = "progress.tcss"
    KEYS = (KeyHint("", "tui.key.leave_in"),)
    takes_keys = False

    def body(self) -> Iterable[Widget]:
        yield line(say("tui.progress.headline"), classes="headline")
        yield StepList()

    def take_in(self, news: Told) -> None:
        if isinstance(news, Stepped):
            self.show(news.progress)

    def show(self, progress: Progress) -> None:
        """Show a step that began or ended."""
        self.once_drawn(lambda: self.query_one(StepList).show(progress))

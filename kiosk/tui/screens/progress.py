"""Progress: the steps as they happen."""

from __future__ import annotations

from collections.abc import Iterable

from textual.containers import Center
from textual.widget import Widget
from textual.widgets import Static

from kiosk.faces.wording import say
from kiosk.tui.messages import Stepped, Told
from kiosk.tui.screens.base import KioskScreen
from kiosk.tui.widgets.bars import KeyBar, KeyHint
from kiosk.tui.widgets.card_drawing import CardDrawing, CardPose
from kiosk.tui.widgets.panels import line
from kiosk.tui.widgets.steps import StepList
from kiosk.visit.station import FaceSettings
from kiosk.visit.views import Progress, VisitStep


class ProgressScreen(KioskScreen):
    """Shows steps; no key does anything while the card works."""

    CSS_PATH = "progress.tcss"
    KEYS = (KeyHint("", "tui.key.leave_in"),)
    takes_keys = False

    def __init__(
        self, settings: FaceSettings, expected: tuple[VisitStep, ...] = ()
    ) -> None:
        """`expected`: the steps there are if all goes well."""
        super().__init__(settings)
        self._expected = expected

    def body(self) -> Iterable[Widget]:
        yield line(say("tui.progress.headline"), classes="headline")
        yield Center(CardDrawing(CardPose.IS_IN))
        yield StepList(self._expected)

    def take_in(self, news: Told) -> None:
        if isinstance(news, Stepped):
            self.show(news.progress)

    def show(self, progress: Progress) -> None:
        """Show a step that began or ended, or takes long."""
        self.once_drawn(lambda: self._show(progress))

    def _show(self, progress: Progress) -> None:
        self.query_one(StepList).show(progress)
        if progress.card_may_go:
            self.query_one(".headline", Static).update(say("tui.progress.may_take"))
            self.query_one(KeyBar).show(KeyHint("", "tui.progress.may_take"))

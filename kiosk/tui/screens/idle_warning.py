"""Are you still there? Covers the screen until a key is pressed or time is up."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import ModalScreen

from kiosk.faces.wording import say
from kiosk.tui.widgets.panels import Countdown, line

PAUSE_KEYS = frozenset({"p", "P"})


class IdleWarningScreen(ModalScreen[None], inherit_bindings=False):
    """The app takes it away at the next key, which nobody else gets."""

    CSS_PATH = "idle_warning.tcss"

    def __init__(self, seconds: int, *, more: int = 0) -> None:
        """`more`: minutes that can be asked for; 0: none."""
        super().__init__()
        self._seconds = seconds
        self._more = more

    def compose(self) -> ComposeResult:
        with Vertical(id="warning"):
            yield line(say("tui.idle_warning.headline"), classes="headline")
            yield line(say("tui.idle_warning.text"))
            if self._more:
                yield line(say("tui.idle_warning.pause", minutes=self._more))
            yield Countdown("tui.idle_warning.left", self._seconds)

    def show(self, seconds: int) -> None:
        """Show how long it will be waited."""
        for countdown in self.query(Countdown):
            countdown.show(seconds)

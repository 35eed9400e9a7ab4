"""What every screen of the kiosk has: the top bar, a body, and the keys that work."""

from __future__ import annotations

from collections.abc import Iterable

from textual import events
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Static

from kiosk.station import FaceSettings
from kiosk.tui.widgets.panels import KeyBar, TopBar
from kiosk.tui.words import say

MINIMUM = (80, 24)
"""Columns and lines below which nothing is shown and nothing can be typed."""


class KioskScreen(Screen[None]):
    """A screen pushed as a fresh instance: nothing of it outlives the person."""

    KEYS: tuple[tuple[str, str], ...] = ()
    """(key, catalogue key) pairs of the bottom line."""

    def __init__(self, settings: FaceSettings) -> None:
        super().__init__()
        self.settings = settings

    def compose(self) -> ComposeResult:
        yield TopBar(self.settings.title, self.settings.station)
        yield VerticalScroll(*self.body(), id="body", can_focus=False)
        yield Static(say("tui.too_small.text"), id="too-small", markup=False)
        yield Static("", id="warning", markup=False)
        yield KeyBar(*self.KEYS)

    def body(self) -> Iterable[Widget]:
        """Return what stands between the bars."""
        return ()

    def warn(self, text: str) -> None:
        """Show a warning above the keys; empty: none."""
        for warning in self.query("#warning").results(Static):
            warning.update(text)
            warning.display = bool(text)

    def on_resize(self, event: events.Resize) -> None:
        is_small = event.size.width < MINIMUM[0] or event.size.height < MINIMUM[1]
        self.set_class(is_small, "small")
        if is_small:
            self.set_focus(None)
        elif self.focused is None:
            self.focus_next()

"""A screen that only tells something: one moment, out of service, an unknown card."""

from __future__ import annotations

from collections.abc import Iterable

from textual.widget import Widget

from kiosk.station import FaceSettings
from kiosk.tui.screens.base import KioskScreen
from kiosk.tui.widgets.panels import line
from kiosk.tui.words import say


class MessageScreen(KioskScreen):
    """A headline and some lines; the helpdesk where it is a dead end."""

    def __init__(
        self,
        settings: FaceSettings,
        headline: str,
        lines: tuple[str, ...] = (),
        *,
        kind: str = "",
        is_dead_end: bool = False,
        keys: tuple[tuple[str, str], ...] = (),
    ) -> None:
        """`kind` names the message, for tests and style, e.g. `out_of_service`."""
        super().__init__(settings)
        self.kind = kind
        self.KEYS = keys
        self._headline = headline
        self._lines = lines
        self._is_dead_end = is_dead_end

    def body(self) -> Iterable[Widget]:
        yield line(self._headline, classes="headline")
        for text in self._lines:
            yield line(text, classes="notice" if self._is_dead_end else "")
        if self._is_dead_end:
            desk = self.settings.helpdesk
            text = say("tui.idle.help", contact=desk.contact, hours=desk.hours)
            yield line(text, classes="muted")

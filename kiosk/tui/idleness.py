"""How long nobody has pressed a key, and what follows from it."""

from __future__ import annotations

import time

from kiosk.station import FaceSettings
from kiosk.tui.words import say


class Idleness:
    """A stopwatch that every key resets. UI thread."""

    def __init__(self, settings: FaceSettings) -> None:
        self._settings = settings
        self._since = time.monotonic()
        self._called = self._since

    def reset(self) -> None:
        """Somebody is there."""
        self._since = self._called = time.monotonic()

    def _idle(self) -> float:
        return time.monotonic() - self._since

    def is_near(self) -> bool:
        """Say whether the warning is due."""
        return self._idle() >= self._settings.idle_warning_after

    def is_over(self) -> bool:
        """Say whether everything is to be wiped."""
        return self._idle() >= self._settings.idle_wipe_after

    def left(self) -> int:
        """Return the seconds until everything is wiped, rounded up."""
        return max(0, int(self._settings.idle_wipe_after - self._idle()) + 1)

    def warning(self) -> str:
        """Return what to show; empty while there is no need."""
        if not self.is_near():
            return ""
        return say("tui.idle_warning.text", seconds=self.left())

    def should_call(self) -> bool:
        """Say, every few seconds, whether the bell should call for the card."""
        now = time.monotonic()
        if now - self._called < self._settings.forgotten_card_bell:
            return False
        self._called = now
        return True

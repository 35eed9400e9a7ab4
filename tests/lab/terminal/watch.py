"""The stopwatch of idleness, which a test sets forward instead of waiting."""

from __future__ import annotations

import time

import pytest

from kiosk.faces.idleness import Idleness
from kiosk.tui import app


class Watch:
    """Goes as every clock does, and `ahead` of it."""

    def __init__(self) -> None:
        self.ahead = 0.0
        self.looks = 0
        """How often it was looked at."""

    @classmethod
    def of_idleness(cls, monkeypatch: pytest.MonkeyPatch) -> Watch:
        """Become the watch of whatever screens are opened from now on."""
        watch = cls()
        monkeypatch.setattr(
            app, "Idleness", lambda settings, _: Idleness(settings, watch.monotonic)
        )
        return watch

    def monotonic(self) -> float:
        self.looks += 1
        return time.monotonic() + self.ahead

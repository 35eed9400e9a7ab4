"""How long nobody has pressed a key, and what follows from it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from kiosk.visit.station import FaceSettings


class Idleness:
    """A stopwatch that every key resets. UI thread."""

    def __init__(
        self, settings: FaceSettings, now: Callable[[], float] = time.monotonic
    ) -> None:
        """`now`: a clock that only goes forward (seconds)."""
        self._settings = settings
        self._now = now
        self._since = self._called = now()
        self._paused_until = 0.0

    def reset(self) -> None:
        """Somebody is there."""
        self._since = self._called = self._now()

    def pause(self) -> None:
        """Somebody asked for more time: nothing is counted until that is over."""
        self._paused_until = self._now() + self._settings.pause

    def start_over(self) -> None:
        """Somebody else comes: nobody has asked for more time."""
        self._paused_until = 0.0
        self.reset()

    def _lasted(self) -> float:
        return self._now() - max(self._since, self._paused_until)

    @property
    def is_near(self) -> bool:
        """The warning is due."""
        return self._lasted() >= self._settings.idle_warning_after

    @property
    def is_over(self) -> bool:
        """Everything is to be wiped."""
        return self._lasted() >= self._settings.idle_wipe_after

    @property
    def left(self) -> int:
        """Seconds until everything is wiped, rounded up."""
        return max(0, math.ceil(self._settings.idle_wipe_after - self._lasted()))

    def should_call(self) -> bool:
        """Say, every few seconds, whether the bell should call for the card."""
        now = self._now()
        if now - self._called < self._settings.forgotten_card_bell:
            return False
        self._called = now
        return True

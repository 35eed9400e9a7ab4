"""Whether somebody who goes back means to: what is lost is asked once. UI thread."""

from __future__ import annotations

import time
from collections.abc import Callable

from kiosk.faces.turn import HELD


class Leaving:
    """One for each page. `now` is a clock that only goes forward (seconds)."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._at = float("-inf")
        self._is_asked = False

    def stays(self) -> None:
        """Somebody has done something else: it is asked again."""
        self._is_asked = False

    def is_meant(self) -> bool:
        """Say whether the key that goes back, pressed now, is the answer to what was
        asked; from now on it was asked. Leaning on the key is no answer.
        """
        now = self._now()
        pause, self._at = now - self._at, now
        was_asked, self._is_asked = self._is_asked, True
        return was_asked and pause > HELD

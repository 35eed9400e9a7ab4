"""What is still to be read when its card has left.

It stays until a key is pressed, another card comes, or it had its time. A character is
no such key: whoever has not looked up yet goes on typing. UI thread.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kiosk.tui.screen_stack import ScreenStack

SECONDS = 20.0
"""Enough to read the longest result twice."""
_OF_THE_SCREEN = frozenset({"f4", "pageup", "pagedown", "up", "down"})
"""What a result still does: print, and be read to its end."""


class LastWord:
    """The screen that is shown, while it outlasts its card."""

    def __init__(self, stage: ScreenStack, now: Callable[[], float]) -> None:
        """`now`: a clock that only goes forward (seconds)."""
        self._stage = stage
        self._now = now
        self._until: float | None = None

    @property
    def is_there(self) -> bool:
        """Something is still being read."""
        return self._until is not None

    def begin(self) -> None:
        """The card is gone: leave what is shown, if that is to be read."""
        screen = self._stage.screen
        if screen is not None:
            self._until = self._now() + SECONDS
            screen.closes_in(math.ceil(SECONDS))

    def end(self) -> None:
        """It makes room."""
        self._until = None

    def ends_by(self, key: str, *, is_typed: bool) -> bool:
        """Take a key; True: it was read, and makes room. `is_typed`: a character."""
        if not self.is_there or is_typed or key in _OF_THE_SCREEN:
            return False
        self.end()
        return True

    def ends_by_now(self) -> bool:
        """Look at the clock; True: it had its time, and makes room."""
        if self._until is None:
            return False
        left = self._until - self._now()
        if left <= 0:
            self.end()
            return True
        if self._stage.screen is not None:
            self._stage.screen.closes_in(math.ceil(left))
        return False

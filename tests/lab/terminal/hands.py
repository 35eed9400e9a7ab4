"""The clock of somebody at the keys: they look before they press again.

Screens ask it how long no key was pressed. Tests do not wait for that: whoever waits
for something on the screen has taken the time to see it.
"""

from __future__ import annotations

import time

_LOOK = 5.0


class Hands:
    """A clock that only goes forward, now and then by a jump (seconds)."""

    def __init__(self) -> None:
        self._ahead = 0.0

    def now(self) -> float:
        return time.monotonic() + self._ahead

    def rest(self, seconds: float = _LOOK) -> None:
        """Press nothing for a while."""
        self._ahead += seconds

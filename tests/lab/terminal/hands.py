"""The clock of somebody at the keys: they look before they press again.

Screens ask it how long no key was pressed. Tests do not wait for that: whoever waits
for something on the screen has taken the time to see it.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator

_LOOK = 5.0


class Hands:
    """A clock that only goes forward, now and then by a jump (seconds)."""

    def __init__(self) -> None:
        self._ahead = 0.0
        self._held: float | None = None
        """Until when hands have leant on a key, where they do."""

    def now(self) -> float:
        return self._going() if self._held is None else self._held

    def rest(self, seconds: float = _LOOK) -> None:
        """Press nothing for a while."""
        if self._held is not None:
            self._held += seconds
        self._ahead += seconds

    @contextlib.contextmanager
    def leaning(self) -> Iterator[None]:
        """Lean on a key: it repeats evenly, however busy the machine is."""
        self._held = self.now()
        try:
            yield
        finally:
            self._held = None

    def _going(self) -> float:
        return time.monotonic() + self._ahead

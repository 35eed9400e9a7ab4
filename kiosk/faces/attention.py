"""How long nobody could have heard a key: the program, or its machine, was busy.

A key that is held repeats meanwhile, and its repeats are heard all at once. Silence
counts as silence only where somebody listened. UI thread.
"""

from __future__ import annotations

import time
from collections.abc import Callable

LOOK = 0.1
"""Seconds after which whoever listens looks again."""
_LATE = 2 * LOOK
"""Seconds without a look from which on nobody has listened."""


class Attention:
    """One for each terminal. `now` is a clock that only goes forward (seconds)."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._looked: float | None = None
        """When somebody last looked; None: nobody is asked to."""
        self._lost = 0.0

    def look(self) -> None:
        """Nothing is there to be heard that was not: listen from now on."""
        self._lost = self.lost()
        self._looked = self._now()

    def rest(self) -> None:
        """It has been silent for so long that it does not matter any more."""
        self._lost = self.lost()
        self._looked = None

    def lost(self) -> float:
        """Return for how long in all nobody has listened (seconds)."""
        if self._looked is None:
            return self._lost
        unheard = self._now() - self._looked
        return self._lost + (unheard if unheard > _LATE else 0.0)

"""How many calls of one station are worked on at once.

What a station asks for beyond that is refused before any work: so one that floods, or
that somebody has got hold of, never has all the threads that the others wait for.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from kiosk.authority.errors import StationBusy

CALLS = 3
"""Of one station at once: it has one visit, whose calls may come again."""
AGAIN_SECONDS = 2
"""What a station is told to wait."""


class StationLimit:
    """Counts calls that are under way, by station. Any thread."""

    def __init__(self, most: int = CALLS) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._inside: Counter[str] = Counter()

    @contextmanager
    def one_call(self, station: str) -> Iterator[None]:
        """Let one more call of a station be worked on. StationBusy."""
        with self._lock:
            if self._inside[station] >= self._most:
                raise StationBusy(seconds=AGAIN_SECONDS)
            self._inside[station] += 1
        try:
            yield
        finally:
            with self._lock:
                self._inside[station] -= 1
                if not self._inside[station]:
                    del self._inside[station]

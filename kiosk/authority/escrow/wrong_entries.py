"""Wrong codes that were typed beside a card which has proven nothing: a pause.

A card's name is public and can be copied, so what is typed beside a card that has not
shown a key is no word against its credential. It counts against the station: from the
third on nobody types a code there for a while, twice as long each time. In memory:
whoever stands at a kiosk cannot restart it.
"""

from __future__ import annotations

import threading

_FREE = 2
_FIRST_SECONDS, _MOST_SECONDS = 5.0, 300.0
_FORGOTTEN_SECONDS = 900.0
"""Without a wrong code for so long, a station begins anew."""


class WrongEntries:
    """One per process, any thread. Seconds are those of `Clock.monotonic`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._wrong: dict[str, tuple[int, float]] = {}
        """Station → how many, and when the last one was."""

    def wrong(self, station: str, now: float) -> None:
        """A wrong code was typed there."""
        with self._lock:
            self._wrong[station] = (self._count(station, now) + 1, now)

    def forgive(self, station: str) -> None:
        """The card has proven itself after all, or a code was right."""
        with self._lock:
            self._wrong.pop(station, None)

    def pause(self, station: str, now: float) -> float:
        """Return for how many seconds nothing may be typed there; 0: it may."""
        with self._lock:
            count = self._count(station, now)
            if count <= _FREE:
                return 0.0
            length = min(_FIRST_SECONDS * 2.0 ** (count - _FREE - 1), _MOST_SECONDS)
            return max(self._wrong[station][1] + length - now, 0.0)

    def _count(self, station: str, now: float) -> int:
        count, last = self._wrong.get(station, (0, now))
        return 0 if now - last > _FORGOTTEN_SECONDS else count

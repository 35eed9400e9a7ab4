"""Deadlines of this process on a clock that nobody sets back.

Records carry times of the wall clock, which may be set in the middle of anything. What
must not happen late, or wait for ever, is measured here as well.
"""

from __future__ import annotations

import threading

_MOST = 1024
"""Operations that are remembered; the oldest are forgotten first."""


class Deadlines:
    """One per process, any thread. Seconds are those of `Clock.monotonic`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._until: dict[str, float] = {}
        self._seen: dict[str, float] = {}

    def allow(self, operation: str, until: float) -> None:
        """An operation may write until then."""
        with self._lock:
            _remember(self._until, operation, until)

    def allowed_until(self, operation: str) -> float | None:
        """Return until when it may; None: it was not allowed in this process."""
        with self._lock:
            return self._until.get(operation)

    def seen_for(self, operation: str, now: float) -> float:
        """Return for how long it has been seen under way here."""
        with self._lock:
            if operation not in self._seen:
                _remember(self._seen, operation, now)
            return now - self._seen[operation]


def _remember(memory: dict[str, float], operation: str, moment: float) -> None:
    memory[operation] = moment
    while len(memory) > _MOST:
        del memory[next(iter(memory))]

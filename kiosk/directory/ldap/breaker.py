"""Which domain controllers are left alone for a while: a circuit for each. Pure.

A DC that failed rests: whoever comes is sent past it and waits for nothing. When its
rest is over one probe is due, on nobody's time; only a probe, or somebody who had no
other DC left, ends the rest.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable

from kiosk.clock import Clock

REST_SECONDS = 30.0
"""From a failure, or an unsuccessful probe, to the next probe."""


class Breaker:
    """Any thread. Knows names only, and what is said of them."""

    def __init__(self, clock: Clock, rest: float = REST_SECONDS) -> None:
        """`rest` in seconds."""
        self._clock = clock
        self._rest = rest
        self._resting: dict[str, float] = {}
        """DC → when a probe is due, on the monotonic clock."""
        self._lock = threading.Lock()

    def in_order(self, dcs: Iterable[str]) -> tuple[str, ...]:
        """Return the DCs in their order, those that rest behind the others.

        Who rests is a last resort, not out of reach: with every DC failed once, the
        one that is back must still be found.
        """
        with self._lock:
            return tuple(sorted(dcs, key=self._resting.__contains__))

    def rests(self, dc: str) -> bool:
        """Say whether people are sent past this DC."""
        with self._lock:
            return dc in self._resting

    def failed(self, dc: str) -> None:
        """Let a DC rest (again)."""
        with self._lock:
            self._resting[dc] = self._clock.monotonic() + self._rest

    def works(self, dc: str) -> None:
        """End the rest of a DC that was just had."""
        with self._lock:
            self._resting.pop(dc, None)

    def take_due(self, dcs: Iterable[str]) -> tuple[str, ...]:
        """Return those whose probe is due; each is given to one caller only.

        Should that caller never say what came of it, another probe is due a rest later.
        """
        now = self._clock.monotonic()
        with self._lock:
            due = tuple(dc for dc in dcs if self._resting.get(dc, now + 1) <= now)
            for dc in due:
                self._resting[dc] = now + self._rest
        return due

"""Which domain controllers are left alone for a while: a circuit for each. Pure.

A DC that failed rests: whoever comes is sent past it and waits for nothing. When its
rest is over one probe is due, on nobody's time; only a probe, or somebody who had no
other DC left, ends the rest. One that passes its probe and fails the next person all
the same rests twice as long each time.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable

from kiosk.core.clock import Clock

REST_SECONDS = 30.0
"""From a failure, or an unsuccessful probe, to the next probe."""
LONGEST_REST = 3600.0


class Breaker:
    """Any thread. Knows names only, and what is said of them."""

    def __init__(self, clock: Clock, rest: float = REST_SECONDS) -> None:
        """`rest` in seconds."""
        self._clock = clock
        self._rest = rest
        self._resting: dict[str, float] = {}
        """DC → when a probe is due, on the monotonic clock."""
        self._failures: dict[str, int] = {}
        """DC → how often it failed somebody after it was taken again."""
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
            if dc not in self._resting:
                self._failures[dc] = self._failures.get(dc, -1) + 1
            rest = min(self._rest * 2 ** self._failures.get(dc, 0), LONGEST_REST)
            self._resting[dc] = self._clock.monotonic() + rest

    def works(self, dc: str) -> None:
        """End the rest of a DC that a probe has found well."""
        with self._lock:
            self._resting.pop(dc, None)

    def served(self, dc: str) -> None:
        """Forget the failures of a DC that somebody was served by."""
        with self._lock:
            self._resting.pop(dc, None)
            self._failures.pop(dc, None)

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

"""Time as a port: the wall clock that records carry, and a clock for deadlines."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """Where the time comes from. Any thread may call it; it never raises."""

    def now(self) -> float:
        """Return seconds since 1970-01-01 UTC."""

    def monotonic(self) -> float:
        """Return seconds on a clock that is never set back."""

    def sleep(self, seconds: float) -> None:
        """Block the calling thread for `seconds`."""


class SystemClock:
    """The machine's own clocks."""

    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


class ManualClock:
    """A clock that moves only when told to: rehearsals, simulation and tests."""

    def __init__(self, start: float = 1_767_261_600.0) -> None:
        """Start at `start` seconds UTC (2026-01-01 10:00 when silent)."""
        self._now = start
        self._elapsed = 0.0

    def now(self) -> float:
        return self._now

    def monotonic(self) -> float:
        return self._elapsed

    def sleep(self, seconds: float) -> None:
        self.advance(seconds)

    def set_wall(self, seconds: float) -> None:
        """Put the wall clock forward, or back; the other one goes on as it was."""
        self._now += seconds

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass on both clocks."""
        self._now += seconds
        self._elapsed += seconds

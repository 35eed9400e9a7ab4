"""The metal contact of a simulated YubiKey, and the one who touches it, or does not."""

from __future__ import annotations

from kiosk.core.clock import Clock

_CACHED_SECONDS = 15.0


class Contact:
    """Waits for a touch on a clock of its own; without one nobody waits."""

    def __init__(self, clock: Clock | None, *, seconds: float, timeout: float) -> None:
        self._clock = clock
        self._seconds = seconds
        self._timeout = timeout
        self._lasts_until: float | None = None
        self.missed = 0
        """How many times from now on nobody comes."""

    def forget(self) -> None:
        """Power is gone: no touch lasts."""
        self._lasts_until = None

    def is_touched(self, *, lasts: bool) -> bool:
        """Wait; say whether somebody came. One touch may do for 15 s (`lasts`)."""
        if lasts and self._is_remembered():
            return True
        if self.missed:
            self.missed -= 1
            self._wait(self._timeout)
            return False
        self._wait(min(self._seconds, self._timeout))
        if self._seconds > self._timeout:
            return False
        if self._clock is not None:
            self._lasts_until = self._clock.monotonic() + _CACHED_SECONDS
        return True

    def _is_remembered(self) -> bool:
        until, clock = self._lasts_until, self._clock
        return clock is not None and until is not None and clock.monotonic() < until

    def _wait(self, seconds: float) -> None:
        if self._clock is not None:
            self._clock.sleep(seconds)

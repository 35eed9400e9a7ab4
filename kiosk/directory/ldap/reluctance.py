"""When a password of the service account may be tried: so that we never lock it. Pure.

Two rules. A password that was refused is not tried again for a while, unless its file
is written anew. And whatever the passwords: after two refusals in a row nothing is
tried until a domain has forgotten them, unless somebody writes the file anew.
"""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.core.clock import Clock

RELUCTANCE_SECONDS = 2400.0
"""A domain forgets wrong tries when there was none for a while, usually half an hour:
by then ours are forgotten, so they never add up."""
SECOND_LOOK_SECONDS = 120.0
"""After the first refusal: a password is often changed here first, then there."""
MOST_IN_A_ROW = 2
"""Refusals without a success between them; the lowest lock-out in use is three."""
ANYWHERE = ""

Written = tuple[int, int]
"""What changes when a file is written anew."""


@dataclass(frozen=True, slots=True)
class _Refusal:
    """A value of which file was refused, by which DC, and when."""

    file: Written
    dc: str
    """ANYWHERE: it never worked, so no other DC is asked either."""
    at: float


class Reluctance:
    """Remembers refusals since the last success. Used under its owner's lock."""

    def __init__(self, clock: Clock, most: int = MOST_IN_A_ROW) -> None:
        """`most`: refusals in a row."""
        self._clock = clock
        self._most = most
        self._refusals: list[_Refusal] = []

    def is_clear(self) -> bool:
        """Say whether nothing was refused lately."""
        return not self._lately()

    def is_spent(self) -> bool:
        """Say whether so many were refused in a row that no other may follow."""
        return len(self._lately()) >= self._most

    def refused(self, file: Written, dc: str = ANYWHERE) -> None:
        """Note that the file's value was refused."""
        lately = self._lately()
        self._refusals = [*lately, _Refusal(file, dc, self._clock.monotonic())]

    def succeeded(self) -> None:
        """Note a success: the domain has forgotten what came before."""
        self._refusals.clear()

    def allows(self, file: Written, dc: str) -> bool:
        """Say whether the file's value may be tried on this DC now."""
        lately = self._lately()
        own = [each for each in lately if each.file == file]
        if not own:
            return True
        if self.is_spent():
            return False
        now = self._clock.monotonic()
        return all(
            each.dc not in (ANYWHERE, dc) or now - each.at >= SECOND_LOOK_SECONDS
            for each in own
        )

    def _lately(self) -> list[_Refusal]:
        now = self._clock.monotonic()
        return [each for each in self._refusals if now - each.at < RELUCTANCE_SECONDS]

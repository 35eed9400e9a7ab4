"""Lines that are signed in and that nobody uses at the moment, for whoever comes next.

A visit asks its DC three times, and to open a line and sign in costs an authority more
than all the questions. So a line that has served somebody well is kept for a while. It
is closed instead of used again

- when its sign-in is longer ago than `keep_seconds`: an account that was disabled, a
  certificate that ended, are noticed as late as that;
- when the file of the secret is another one than at its sign-in;
- when there is something to be heard on it: the DC is going, or has gone;
- when it was not used for `FRESH_SECONDS` and does not answer a small question at once:
  the other side may have gone without a word;
- when its DC has failed somebody.

Where none is left a new one is opened, and what goes wrong with that is told as ever.
"""

from __future__ import annotations

import threading
import weakref
from collections import deque
from dataclasses import dataclass

from kiosk.core.clock import Clock
from kiosk.directory.ldap.channel import Channel
from kiosk.directory.ldap.reluctance import Written

KEPT_SECONDS = 60.0
"""What an authority of many stations keeps them for."""
MOST = 32
"""Lines that are kept of all DCs together."""
FRESH_SECONDS = 2.0
ANSWER_SECONDS = 1.0
"""For the small question."""


@dataclass(slots=True)
class SignedInLine:
    """A line to a DC on which the service account has signed in."""

    channel: Channel
    at: float
    """On the monotonic clock."""
    by: Written
    """The file of the secret, as it was then."""
    used_at: float

    @property
    def place(self) -> tuple[str, str]:
        """Which DC it leads to, by name and by address."""
        return self.channel.dc, self.channel.address


class KeptLines:
    """Any thread; who takes a line has it alone."""

    def __init__(self, seconds: float, clock: Clock) -> None:
        """`seconds`: how long a line is used after its sign-in; 0: for one person."""
        self._seconds = seconds
        self._clock = clock
        self._lines: deque[SignedInLine] = deque()
        self._lock = threading.Lock()
        weakref.finalize(self, _close_all, self._lines)

    def take(self, dc: str, address: str, by: Written) -> SignedInLine | None:
        """Return a line to that DC that works; None: there is none.

        `address`: where the DC was last had; its name may stand for several.
        """
        while (line := self._next(dc, address, by)) is not None:
            if self._works(line):
                line.channel.has_answered = False
                return line
            line.channel.close()
        return None

    def keep(self, line: SignedInLine) -> None:
        """Take a line back from somebody who was served well by it."""
        now = self._clock.monotonic()
        line.used_at = now
        with self._lock:
            is_kept = now - line.at < self._seconds and len(self._lines) < MOST
            if is_kept:
                self._lines.append(line)
        if not is_kept:
            line.channel.close()

    def forget(self, dc: str) -> None:
        """Close what is kept of a DC that failed somebody."""
        with self._lock:
            gone = [each for each in self._lines if each.channel.dc == dc]
            for each in gone:
                self._lines.remove(each)
        for each in gone:
            each.channel.close()

    # --- inside -----------------------------------------------------------------

    def _next(self, dc: str, address: str, by: Written) -> SignedInLine | None:
        """Return the line that was used last; close those that are not to be used."""
        now = self._clock.monotonic()
        with self._lock:
            over = [
                each
                for each in self._lines
                if each.by != by or now - each.at >= self._seconds
            ]
            for each in over:
                self._lines.remove(each)
            place = (dc, address)
            there = (it for it in reversed(self._lines) if it.place == place)
            found = next(there, None)
            if found is not None:
                self._lines.remove(found)
        for each in over:
            each.channel.close()
        return found

    def _works(self, line: SignedInLine) -> bool:
        if line.channel.has_news():
            return False
        if self._clock.monotonic() - line.used_at < FRESH_SECONDS:
            return True
        return line.channel.answers_within(ANSWER_SECONDS)


def _close_all(lines: deque[SignedInLine]) -> None:
    """Close what is left of a directory that nobody has any more."""
    while lines:
        lines.pop().channel.close()

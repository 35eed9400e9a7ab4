"""How far it is what an operator waits for: said after two seconds, then each five."""

from __future__ import annotations

from kiosk.core.errors import KioskError, Message
from kiosk.desk.context import Site
from kiosk.desk.views import Emit

FIRST_SECONDS, NEXT_SECONDS = 2.0, 5.0
ASKED_SECONDS = 0.5
"""How often is asked whether its operator still waits."""


class NotWaitedFor(KioskError):
    """Its operator did not want to wait for it any more."""

    code = "desk.not_waited_for"


class HowFar:
    """Tells an operator how much is done, of how much, and about how long it takes."""

    def __init__(self, emit: Emit, site: Site) -> None:
        self._emit, self._clock, self._waits = emit, site.clock, site.waits
        emit(Message("desk.working"))
        self._begun = self._asked = self._clock.monotonic()
        self._due = self._begun + FIRST_SECONDS

    def __call__(self, done: int, total: int) -> None:
        """Hear it; `done` 0: still busy with what comes before. NotWaitedFor."""
        now = self._clock.monotonic()
        if now - self._asked >= ASKED_SECONDS:
            self._asked = now
            if not self._waits():
                raise NotWaitedFor
        if not done:
            self._begun = now
        if now < self._due:
            return
        self._due = now + NEXT_SECONDS
        told: dict[str, str | int] = {"done": done, "total": total}
        if not done:
            self._emit(Message("desk.how_far_yet", told))
            return
        left = (now - self._begun) / done * max(total - done, 0)
        self._emit(Message("desk.how_far", {**told, "left": round(left)}))

"""How far it is what an operator waits for: said after two seconds, then each five."""

from __future__ import annotations

from kiosk.core.clock import Clock
from kiosk.core.errors import Message
from kiosk.desk.views import Emit

FIRST_SECONDS, NEXT_SECONDS = 2.0, 5.0


class HowFar:
    """Tells an operator how much is done, of how much, and about how long it takes."""

    def __init__(self, emit: Emit, clock: Clock) -> None:
        self._emit, self._clock = emit, clock
        emit(Message("desk.working"))
        self._begun = clock.monotonic()
        self._due = self._begun + FIRST_SECONDS

    def __call__(self, done: int, total: int) -> None:
        """Hear it; `done` 0: still busy with what comes before."""
        now = self._clock.monotonic()
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

"""How often card, account and station may begin something in a quarter of an hour.

Counted in the registry, in the transaction that says that something was begun or was
not: so all processes of an authority together keep one bound, and one that starts knows
it. What was refused once for being too often is remembered here until it may come
again, and is refused before any work: neither registry nor directory hear of it.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil

from kiosk.authority.errors import Refused
from kiosk.core.errors import Message
from storage.records import AuditDraft, Credential
from storage.registry import Tx

WITHIN_SECONDS = 900.0
_REMEMBERED = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How much may be begun within `WITHIN_SECONDS`. 0: as much as somebody likes."""

    card: int = 0
    account: int = 0
    station: int = 0


class Rates:
    """One per process, any thread. Seconds are those of `Clock.now`."""

    def __init__(self, bounds: Bounds | None = None) -> None:
        self._bounds = bounds or Bounds()
        self._lock = threading.Lock()
        self._until: OrderedDict[str, float] = OrderedDict()
        """What is refused without a look, and until when."""

    def judge(self, credential: Credential, station: str, now: float) -> None:
        """Let pass what this process knows nothing against. Refused."""
        for subject, key, _ in self._counted(credential, station):
            with self._lock:
                left = self._until.get(f"{subject} {key}", 0.0) - now
            if 0 < left <= WITHIN_SECONDS:
                raise _refusal(subject, left)

    def add(
        self, tx: Tx, credential: Credential, station: str, now: float
    ) -> Refused | None:
        """Count one more that was begun, or was not; return why it is one too many."""
        refused: Refused | None = None
        for subject, key, most in self._counted(credential, station):
            frequency = tx.add_one(f"{subject} {key}", now=now, within=WITHIN_SECONDS)
            if frequency.count <= most:
                continue
            left = frequency.since + WITHIN_SECONDS - now
            refused = _refusal(subject, left)
            self._remember(f"{subject} {key}", now + left)
            if frequency.count == most + 1:  # who asks on and on fills no chain
                tx.audit(_draft(credential, station, now, subject, most))
        return refused

    # --- inside -----------------------------------------------------------------

    def _counted(
        self, credential: Credential, station: str
    ) -> Iterator[tuple[str, str, int]]:
        """Yield what has a bound: in one order, so that nobody waits in a circle."""
        bounds = self._bounds
        for subject, key, most in (
            ("card", credential.id, bounds.card),
            ("account", credential.account_guid, bounds.account),
            ("station", station, bounds.station),
        ):
            if most and key:
                yield subject, key, most

    def _remember(self, id: str, until: float) -> None:
        with self._lock:
            self._until[id] = until
            self._until.move_to_end(id)
            while len(self._until) > _REMEMBERED:
                self._until.popitem(last=False)


def _refusal(subject: str, seconds: float) -> Refused:
    minutes = max(ceil(seconds / 60), 1)
    return Refused(Message(f"stop.too_often_{subject}", {"minutes": minutes}))


def _draft(
    credential: Credential, station: str, now: float, subject: str, most: int
) -> AuditDraft:
    return AuditDraft(
        at=now,
        station=station,
        kind="operation.too_often",
        actor="holder",
        credential=credential.id,
        result=f"stop.too_often_{subject}",
        data={"most": str(most)},
    )

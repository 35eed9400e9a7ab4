"""The registry as the authority uses it: what is committed is witnessed.

At the first event, then every minute in which something happened, or after 1,000
events, a signed checkpoint over all chains is committed (`storage.checkpoints`), by
whichever of the processes that share the registry comes to it; the station's high-water
mark follows every commit (`storage.high_water`). Neither holds up
or ends what is being done: what could not be signed or marked is tried again, and
`doctor` says so.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from typing import TypeVar

from kiosk.authority.proof.heads import NotSent
from kiosk.core.clock import Clock
from storage import checkpoints
from storage.audit import Head
from storage.checkpoints import LANE, SignedCheckpoint
from storage.errors import EvidenceDamaged, EvidenceMissing, RegistryError
from storage.high_water import HighWaterMark, missing
from storage.records import AuditEvent
from storage.registry import Registry, Tx
from storage.signed_note import MalformedNote, WrongSignature
from storage.vault import Vault
from storage.view import View

EVERY_SECONDS = 60.0
EVERY_EVENTS = 1000
OLDER = "registry.older"
"""The event that says that an older registry was found, and codes were made void."""
UNWITNESSED = "registry.unwitnessed"
"""The same, where nobody can tell: the mark could not be read."""

T = TypeVar("T")
log = logging.getLogger(__name__)


class CheckpointedRegistry:
    """`registry.Registry` over another one. On the authority worker, as that one."""

    def __init__(
        self,
        inner: Registry,
        *,
        vault: Vault,
        clock: Clock,
        station: str,
        mark: HighWaterMark,
        tell: Callable[[AuditEvent], None] | None = None,
    ) -> None:
        """Recognise an older registry than was seen, and trust nothing it gave out.

        `tell` hears of every checkpoint that is signed here, and may raise NotSent.
        RegistryError.
        """
        self._inner = inner
        self._vault = vault
        self._clock = clock
        self._mark = mark
        self._station = station
        self._tell = tell
        seen = mark.read()
        self._heads = inner.read(lambda view: view.heads())
        self._covered = seen.covered
        self._signed: Head | None = None
        """The newest checkpoint's link, when what it covers is known."""
        self._uncovered_since: float | None = None
        self._has_failed = False
        if lost := missing(seen.lanes, self._heads):
            self._set_back(lost)
        elif mark.is_damaged:
            self._set_back(0, UNWITNESSED)
        else:
            self._move()
        self._count()

    def run(self, fn: Callable[[Tx], T]) -> T:
        """As `Registry.run`, of a registry that has not gone back meanwhile.

        A database whose standby took over without the last commits has: the transaction
        is undone, nonces and codes are made void, and then it is run.
        """
        try:
            result, appended = self._inner.run(lambda tx: self._going_on(fn, tx))
        except _WentBack as found:
            self._set_back(found.lost)
            return self.run(fn)
        if not appended:
            self._look(self._heads)
            return result
        if LANE in appended:  # signed within: an export does
            self._learn()
        self._look({**self._heads, **appended})
        return result

    def read(self, fn: Callable[[View], T]) -> T:
        result = self._inner.read(fn)
        if self._is_due() and not self._was_done_elsewhere():
            self._try_checkpoint()
        return result

    def audit_events(self, *, lane: str | None = None) -> Iterator[AuditEvent]:
        return self._inner.audit_events(lane=lane)

    def evidence_at_rest(self) -> AbstractContextManager[None]:
        return self._inner.evidence_at_rest()

    def lane_of(self, station: str) -> str:
        return self._inner.lane_of(station)

    def moved_away(self) -> Mapping[str, Head]:
        return self._inner.moved_away()

    def idle(self, now: float) -> bool:
        self._look(self._seen())
        return self._inner.idle(now)

    def distrust(
        self, *, station: str, now: float, kind: str = "registry.restored"
    ) -> None:
        self._inner.distrust(station=station, now=now, kind=kind)

    def recovered(self) -> str:
        return self._inner.recovered()

    def checkpoint(self) -> int:
        """Sign over what is not covered yet; return the newest checkpoint's number.

        RegistryError.
        """
        self._learn()
        if _links(self._heads) > self._covered or LANE not in self._heads:
            now = self._clock.now()
            signer = self._vault.signer()
            signed, self._heads = self._inner.run(
                lambda tx: (checkpoints.sign(tx, signer, now), tx.heads())
            )
            self._covered = _links(self._heads)
            self._signed = self._heads[LANE]
            self._move()
            self._told(signed)
        self._uncovered_since = None
        return self._heads[LANE].seq

    def close(self) -> None:
        if _links(self._heads) > self._covered:
            self._try_checkpoint()
        self._inner.close()

    # --- inside -----------------------------------------------------------------

    def _going_on(self, fn: Callable[[Tx], T], tx: Tx) -> tuple[T, dict[str, Head]]:
        """Run `fn`; _WentBack: a chain ends before the link that was seen last."""
        result = fn(tx)
        continued = tx.continued()
        known = {lane: self._heads[lane] for lane in continued if lane in self._heads}
        if lost := missing(known, continued):
            raise _WentBack(lost)
        return result, dict(tx.appended())

    def _seen(self) -> dict[str, Head]:
        """Return where every chain ends now; if one went back, trust what it gave out
        no more. RegistryError.
        """
        heads = self._inner.read(lambda view: view.heads())
        if not (lost := missing(self._heads, heads)):
            return heads
        self._set_back(lost)
        return self._heads

    def _learn(self) -> float | None:
        """See every chain's end, and what the newest checkpoint covers, whoever signed
        it. Return when that was, if it has not been known yet. RegistryError.
        """
        self._covered = max(self._covered, self._mark.read().covered)
        self._heads = self._seen()
        newest = self._heads.get(LANE)
        if newest in (None, self._signed):
            return None
        try:
            found = self._inner.read(lambda view: view.last_event(LANE))
            signed = SignedCheckpoint.of(found).checkpoint if found else None
        except (MalformedNote, WrongSignature, EvidenceMissing, EvidenceDamaged):
            signed = None  # verifying says so; here it covers nothing
        if signed is None:
            return None
        self._covered = max(self._covered, _links(signed.heads))
        self._signed = newest
        return signed.at

    def _told(self, checkpoint: AuditEvent) -> None:
        if self._tell is None:
            return
        try:
            self._tell(checkpoint)
        except NotSent as error:
            log.error("evidence.not_told %s", error)

    def _look(self, heads: dict[str, Head]) -> None:
        """Move the mark, and sign when it is time to. Never raises a RegistryError."""
        if heads != self._heads:
            self._heads = heads
            self._move()
        many = self._count() >= EVERY_EVENTS and not self._has_failed
        if many or (self._is_due() and not self._was_done_elsewhere()):
            self._try_checkpoint()

    def _was_done_elsewhere(self) -> bool:
        """Say whether another process has signed less than a minute ago."""
        if self._has_failed or LANE not in self._heads:
            return False
        try:
            at = self._learn()
        except RegistryError:
            return False  # signing will say why
        age = self._clock.now() - at if at is not None else -1.0
        if not 0 <= age < EVERY_SECONDS or self._count() >= EVERY_EVENTS:
            return False
        if self._uncovered_since is not None:
            self._uncovered_since = self._clock.monotonic() - age
        return True

    def _count(self) -> int:
        """Return how many links no checkpoint covers, and since when there are any."""
        fresh = _links(self._heads) - self._covered
        if fresh <= 0:
            self._uncovered_since = None
        elif self._uncovered_since is None:
            self._uncovered_since = self._clock.monotonic()
        return fresh

    def _is_due(self) -> bool:
        since = self._uncovered_since
        if since is None:
            return False
        is_first = LANE not in self._heads and not self._has_failed
        return is_first or self._clock.monotonic() - since >= EVERY_SECONDS

    def _try_checkpoint(self) -> None:
        try:
            self.checkpoint()
            self._has_failed = False
        except RegistryError as error:
            self._has_failed = True
            self._uncovered_since = self._clock.monotonic()
            log.error("evidence.no_checkpoint code=%s", error.code)

    def _set_back(self, lost: int, kind: str = OLDER) -> None:
        now = self._clock.now()
        log.error("%s lost=%d", kind, lost)
        self._inner.distrust(station=self._station, now=now, kind=kind)
        self._heads = self._inner.read(lambda view: view.heads())
        self._covered = 0
        try:
            self._mark.set_back(self._heads, now=now, lost=lost)
        except OSError as error:
            log.error("high_water.not_written errno=%s", error.errno)

    def _move(self) -> None:
        try:
            self._mark.move(self._heads, self._covered)
        except OSError as error:
            log.error("high_water.not_written errno=%s", error.errno)


class _WentBack(Exception):
    """The registry lacks links that were committed here."""

    def __init__(self, lost: int) -> None:
        super().__init__(lost)
        self.lost = lost


def _links(heads: Mapping[str, Head]) -> int:
    """Return how many links a checkpoint would cover: of all chains but its own."""
    own = heads.get(LANE)
    return sum([head.seq for head in heads.values()]) - (own.seq if own else 0)

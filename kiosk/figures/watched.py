"""Registry and directory as they are, with somebody who counts and times them.

What is counted of visits is what was committed: evidence that a transaction left, once
it is durable. A transaction that is run again or fails counts nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from time import monotonic
from typing import Any, TypeVar, cast

from kiosk.core.errors import KioskError
from kiosk.core.figures import WELL, Figures
from kiosk.directory.errors import (
    DirectoryError,
    ServiceBindRefused,
    TlsRefused,
    Unreachable,
)
from kiosk.directory.ports import Directory, DomainController
from kiosk.directory.values import Account, Spread
from statemachine.operation import Phase, is_final
from storage.audit import Head
from storage.errors import (
    DuplicateRecord,
    RecordMissing,
    RegistryError,
    VersionConflict,
)
from storage.records import AuditDraft, AuditEvent
from storage.registry import Registry, Tx
from storage.view import View

T = TypeVar("T")
_ANSWERS = (RecordMissing, VersionConflict, DuplicateRecord)
"""What a store that is well says, too."""
_NO_DIRECTORY = (Unreachable, TlsRefused, ServiceBindRefused)
ENDS = {f"operation.{phase}": str(phase) for phase in Phase if is_final(phase)}
CODES = {
    "approval.release_issued": ("release", "issued"),
    "approval.activation_issued": ("activation", "issued"),
    "approval.release_refused": ("release", "refused"),
    "approval.activation_refused": ("activation", "refused"),
    "approval.redeemed": ("any", "redeemed"),
    "approval.wrong_entry": ("any", "wrong"),
    "approval.unproven_entry": ("any", "unproven"),
    "approval.challenge_answered": ("telephone", "issued"),
    "approval.challenge_refused": ("telephone", "refused"),
}
"""Evidence of codes: for what, and what became of it."""
SIGN_INS = {
    "operator.signed_in": WELL,
    "operator.sign_in_refused": "refused",
}

log = logging.getLogger(__name__)


@contextmanager
def watched_opening(figures: Figures) -> Iterator[None]:
    """Tell of a registry that cannot be opened: there is none yet to be watched."""
    began = monotonic()
    try:
        yield
    except RegistryError as error:
        figures.store("open", error.code, monotonic() - began, is_up=False)
        raise


class WatchedRegistry:
    """`registry.Registry` over another one. One thread, as that one."""

    def __init__(self, inner: Registry, figures: Figures) -> None:
        self._inner = inner
        self._figures = figures

    def run(self, fn: Callable[[Tx], T]) -> T:
        drafts: list[AuditDraft] = []

        def heard(tx: Tx) -> T:
            drafts.clear()  # a transaction that is run again begins anew
            return fn(cast("Tx", _Heard(tx, drafts)))

        with self._timed("write"):
            result = self._inner.run(heard)
        for draft in drafts:
            _tell(self._figures, draft)
        return result

    def read(self, fn: Callable[[View], T]) -> T:
        with self._timed("read"):
            return self._inner.read(fn)

    def audit_events(self, *, lane: str | None = None) -> Iterator[AuditEvent]:
        return self._inner.audit_events(lane=lane)

    def evidence_at_rest(self) -> AbstractContextManager[None]:
        return self._inner.evidence_at_rest()

    def lane_of(self, station: str) -> str:
        return self._inner.lane_of(station)

    def moved_away(self) -> Mapping[str, Head]:
        return self._inner.moved_away()

    def idle(self, now: float) -> bool:
        return self._inner.idle(now)

    def distrust(
        self, *, station: str, now: float, kind: str = "registry.restored"
    ) -> None:
        self._inner.distrust(station=station, now=now, kind=kind)

    def recovered(self) -> str:
        return self._inner.recovered()

    def close(self) -> None:
        self._inner.close()

    @contextmanager
    def _timed(self, step: str) -> Iterator[None]:
        began, result, is_up = monotonic(), WELL, True
        try:
            yield
        except RegistryError as error:
            result, is_up = error.code, isinstance(error, _ANSWERS)
            raise
        finally:
            self._figures.store(step, result, monotonic() - began, is_up=is_up)


class _Heard:
    """A transaction whose evidence is heard."""

    def __init__(self, tx: Tx, drafts: list[AuditDraft]) -> None:
        self._tx = tx
        self._drafts = drafts

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tx, name)

    def audit(self, draft: AuditDraft) -> AuditEvent:
        event = self._tx.audit(draft)
        self._drafts.append(draft)
        return event


def _tell(figures: Figures, draft: AuditDraft) -> None:
    if (ended := ENDS.get(draft.kind)) is not None:
        kind = draft.data.get("kind", "")
        figures.operation_ended(kind, ended)
        log.info(
            "operation.ended operation=%s event=%s station=%s kind=%s result=%s why=%s",
            draft.operation,
            draft.data.get("event", ""),
            draft.station,
            kind,
            ended,
            draft.result,
        )
    elif draft.kind in CODES:
        figures.code(*CODES[draft.kind])
    elif draft.kind in SIGN_INS:
        figures.signed_in(SIGN_INS[draft.kind])


class WatchedDirectory:
    """`directory.Directory` over another one. Any thread, as that one."""

    def __init__(self, inner: Directory, figures: Figures) -> None:
        self._inner = inner
        self._figures = figures

    def controllers(self) -> tuple[str, ...]:
        return self._inner.controllers()

    def rests(self, dc: str) -> bool:
        return self._inner.rests(dc)

    def spread(self, written_on: DomainController, account: Account) -> Spread:
        return self._inner.spread(written_on, account)

    def connect(
        self, dc: str | None = None
    ) -> AbstractContextManager[DomainController]:
        return self._connected(dc)

    @contextmanager
    def _connected(self, dc: str | None) -> Iterator[DomainController]:
        began, step = monotonic(), "connect"
        try:
            with self._inner.connect(dc) as controller:
                self._done(step, WELL, began)
                began, step = monotonic(), "work"
                yield controller
        except KioskError as error:
            told = error.code if isinstance(error, DirectoryError) else WELL
            is_up = step == "work" or not isinstance(error, _NO_DIRECTORY)
            self._done(step, told, began, is_up=is_up)
            raise
        self._done(step, WELL, began)

    def _done(
        self, step: str, result: str, began: float, *, is_up: bool = True
    ) -> None:
        self._figures.directory(step, result, monotonic() - began, is_up=is_up)

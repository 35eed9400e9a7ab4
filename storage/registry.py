"""The registry as a port: one unit of work over everything that is remembered.

Called from the authority worker's thread only (one thread per Registry object);
several processes may share one store. Every implementation passes
tests/contract/test_registry.py. Beside `storage.errors`, anything else is a bug.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Protocol, TypeVar

from storage.audit import Head
from storage.records import (
    Approval,
    AuditDraft,
    AuditEvent,
    Credential,
    EnrollmentToken,
    Frequency,
    Nonce,
    NoncePurpose,
    Operation,
    Repeat,
    SealingKeyRecord,
    Slip,
    StationRecord,
    Template,
)
from storage.view import View

T = TypeVar("T")
ANSWERS_KEPT_SECONDS = 86_400.0
"""How long an answer is kept: longer than any station repeats a call."""
NONCES_KEPT_SECONDS = 14_400.0
"""How long a nonce is kept after its end, when nobody takes it any more: that is by the
clock of whoever tidies up, who may be ahead of whoever gave it out.
"""
FREQUENCIES_KEPT_SECONDS = 86_400.0
"""How long it is remembered how often something happened, after the last time."""
SEALING_KEYS_KEPT_SECONDS = 14_400.0
"""How long a sealing key is kept after it was made: longer than it is used for new
operations, by more than any operation takes."""


class Tx(View, Protocol):
    """One transaction: it sees its own changes. Valid only inside `Registry.run`."""

    def save_credential(self, credential: Credential) -> Credential:
        """Save; return it with its new version. VersionConflict, DuplicateRecord."""

    def save_template(self, template: Template) -> Template:
        """Append the next version; `template.version` must be the newest saved."""

    def save_operation(self, operation: Operation) -> Operation:
        """Save; return it with its new version. VersionConflict; DuplicateRecord if
        another of its credential's has not ended.
        """

    def issue_nonce(self, nonce: Nonce) -> None:
        """Remember a nonce; DuplicateRecord if its value is already there."""

    def consume_nonce(
        self,
        value: bytes,
        *,
        purpose: NoncePurpose,
        bound_to: str,
        station: str,
        now: float,
    ) -> bool:
        """Take the nonce if it is there, fits and has not expired. True only once.

        A nonce that is there but does not fit or has expired is removed, too.
        """

    def drop_nonces(self, *, expired_before: float | None = None) -> int:
        """Remove outstanding nonces (all, or the expired); return how many."""

    def save_approval(self, approval: Approval) -> Approval:
        """Save; return it with its new version. VersionConflict."""

    def save_repeat(self, repeat: Repeat) -> None:
        """Remember an answer; DuplicateRecord if station and key have one: here, or
        when the transaction ends.
        """

    def save_station(self, station: StationRecord) -> StationRecord:
        """Save; return it with its new version. VersionConflict."""

    def save_slip(self, slip: Slip) -> None:
        """Keep it, in the place of one of the same kind, owner and name."""

    def forget_slips(self, kind: str, of: str) -> None:
        """Forget what is kept of that one, if anything is."""

    def save_token(self, token: EnrollmentToken) -> EnrollmentToken:
        """Save; return it with its new version. VersionConflict."""

    def add_one(
        self, id: str, *, now: float, within: float, idle: float | None = None
    ) -> Frequency:
        """Count one more of something, and return how many these are with it.

        It begins anew `within` seconds after the first, and `idle` seconds after the
        last. Whoever else counts the same waits until this transaction has ended.
        """

    def forget_frequency(self, id: str) -> None:
        """Let the next one be the first, if there was any."""

    def save_sealing_key(self, key: SealingKeyRecord) -> None:
        """Remember a key; DuplicateRecord if its id is already there."""

    def audit(self, draft: AuditDraft) -> AuditEvent:
        """Append to the chain of the station: its own, or one that several share."""

    def append(self, event: AuditEvent) -> None:
        """Append a link as another store has it. ChainBroken: it is not the next one.

        Of that chain alone: that it is whole is for who brings it.
        """

    def last(self, lane: str) -> Head:
        """Return the last link of a chain, with which nobody goes on but this
        transaction until it has ended; number 0: it has none.
        """

    def appended(self) -> Mapping[str, Head]:
        """Return the last link of each chain that this transaction went on with."""

    def continued(self) -> Mapping[str, Head]:
        """Return the link of each of these chains that it went on from."""


class Registry(Protocol):
    """The store itself."""

    def run(self, fn: Callable[[Tx], T]) -> T:
        """Run `fn` in one transaction; durable when this returns.

        If `fn` raises, nothing is changed and the exception passes. `fn` may be
        run again (after a conflict with another process), so it does no card or
        directory I/O, nothing that takes long, and has no effect but through its `Tx`.
        """

    def read(self, fn: Callable[[View], T]) -> T:
        """Run `fn` on one moment of the store. Keeps no writer waiting.

        `fn` may be run again. What it sees is no older than the last `run` here.
        """

    def audit_events(self, *, lane: str | None = None) -> Iterator[AuditEvent]:
        """Yield all events, each chain in its order: for verifying and exporting.

        `lane`: only that chain's. Reads as it goes: what is added meanwhile may come,
        or not.
        """

    def evidence_at_rest(self) -> AbstractContextManager[None]:
        """Keep all evidence where it is while the block lasts; new events may come.

        For who reads more than once: nothing of it is moved away between. ArchiveBusy
        where somebody is moving it, StoreFull where that cannot be kept from happening.
        """

    def lane_of(self, station: str) -> str:
        """Return the chain that a station's events become links of."""

    def moved_away(self) -> Mapping[str, Head]:
        """Return the last link of each chain that was moved away, by its name.

        `audit_events` goes on behind it. Empty: everything is here.
        """

    def idle(self, now: float) -> bool:
        """Do a little of what can wait, while nobody does; say if more is due.

        Sweeps expired nonces, old answers, sealing keys and frequencies, where it is
        kept in memory codes that ended long ago, and what else the store needs.
        """

    def distrust(
        self, *, station: str, now: float, kind: str = "registry.restored"
    ) -> None:
        """Void outstanding nonces, codes and tokens: they may have been used since.

        After the store became an older one than it was, before anything else happens;
        `station`'s chain says so with an event of that `kind`.
        """

    def recovered(self) -> str:
        """Say what was cut away when the store was opened; empty if nothing."""

    def close(self) -> None:
        """Release files and locks. Safe to call twice."""

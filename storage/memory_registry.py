"""The registry in memory: the reference that every other implementation equals.

A transaction works on shallow copies of the tables and replaces them all at once;
records are immutable, so nothing of a failed transaction remains.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import TypeVar

import msgspec

from statemachine.lifecycle import State
from storage import audit
from storage.audit import Head
from storage.errors import ChainBroken, DuplicateRecord, VersionConflict
from storage.memory_view import MemoryTables, MemoryView, R
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
    one_more,
)
from storage.registry import (
    ANSWERS_KEPT_SECONDS,
    FREQUENCIES_KEPT_SECONDS,
    NONCES_KEPT_SECONDS,
    SEALING_KEYS_KEPT_SECONDS,
    Tx,
)
from storage.view import View

T = TypeVar("T")
_NOTHING = Head(0, audit.GENESIS)


def _save(kind: str, table: dict[str, R], record: R) -> R:
    known = table.get(record.id)
    if (known.version if known else 0) != record.version:
        raise VersionConflict(kind=kind, key=record.id)
    saved = msgspec.structs.replace(record, version=record.version + 1)
    table[record.id] = saved
    return saved


class _MemoryTx(MemoryView):
    """`registry.Tx` over one set of tables."""

    def __init__(self, tables: MemoryTables, lane_of: Callable[[str], str]) -> None:
        super().__init__(tables)
        self._lane_of = lane_of
        self._appended: dict[str, Head] = {}
        self._continued: dict[str, Head] = {}

    def save_credential(self, credential: Credential) -> Credential:
        other = self.credential_by_card(credential.card)
        if (
            other is not None
            and other.id != credential.id
            and credential.state is not State.RETIRED
        ):
            raise DuplicateRecord(kind="card", key=credential.card)
        return _save("credential", self._tables.credentials, credential)

    def save_template(self, template: Template) -> Template:
        versions = self._tables.templates.setdefault(template.name, [])
        newest = versions[-1].version if versions else 0
        if newest != template.version:
            raise VersionConflict(kind="template", key=template.name)
        saved = msgspec.structs.replace(template, version=newest + 1)
        versions.append(saved)
        return saved

    def save_operation(self, operation: Operation) -> Operation:
        others = self.live_operations(operation.credential)
        if operation.ended_at is None and any(
            each.id != operation.id for each in others
        ):
            raise DuplicateRecord(kind="live operation", key=operation.credential)
        return _save("operation", self._tables.operations, operation)

    def issue_nonce(self, nonce: Nonce) -> None:
        if nonce.value in self._tables.nonces:
            raise DuplicateRecord(kind="nonce", key=nonce.value.hex())
        self._tables.nonces[nonce.value] = nonce

    def consume_nonce(
        self,
        value: bytes,
        *,
        purpose: NoncePurpose,
        bound_to: str,
        station: str,
        now: float,
    ) -> bool:
        nonce = self._tables.nonces.pop(value, None)
        return (
            nonce is not None
            and (nonce.purpose, nonce.bound_to, nonce.station)
            == (purpose, bound_to, station)
            and now < nonce.expires_at
        )

    def drop_nonces(self, *, expired_before: float | None = None) -> int:
        gone = [
            value
            for value, nonce in self._tables.nonces.items()
            if expired_before is None or nonce.expires_at <= expired_before
        ]
        for value in gone:
            del self._tables.nonces[value]
        return len(gone)

    def save_approval(self, approval: Approval) -> Approval:
        return _save("approval", self._tables.approvals, approval)

    def save_repeat(self, repeat: Repeat) -> None:
        if (repeat.station, repeat.key) in self._tables.repeats:
            raise DuplicateRecord(kind="repeat", key=repeat.key)
        self._tables.repeats[repeat.station, repeat.key] = repeat

    def drop_repeats(self, before: float) -> None:
        """Forget the answers that were given before."""
        for key, repeat in list(self._tables.repeats.items()):
            if repeat.at < before:
                del self._tables.repeats[key]

    def save_station(self, station: StationRecord) -> StationRecord:
        return _save("station", self._tables.stations, station)

    def save_slip(self, slip: Slip) -> None:
        self._tables.slips[slip.kind, slip.of, slip.name] = slip

    def forget_slips(self, kind: str, of: str) -> None:
        for key in [it for it in self._tables.slips if it[:2] == (kind, of)]:
            del self._tables.slips[key]

    def save_token(self, token: EnrollmentToken) -> EnrollmentToken:
        return _save("token", self._tables.tokens, token)

    def add_one(
        self, id: str, *, now: float, within: float, idle: float | None = None
    ) -> Frequency:
        counted = one_more(self.frequency(id), id, now, within, idle)
        self._tables.frequencies[id] = counted
        return counted

    def forget_frequency(self, id: str) -> None:
        self._tables.frequencies.pop(id, None)

    def drop_frequencies(self, before: float) -> None:
        """Forget what happened last before that."""
        for frequency in list(self._tables.frequencies.values()):
            if frequency.at < before:
                del self._tables.frequencies[frequency.id]

    def save_sealing_key(self, key: SealingKeyRecord) -> None:
        if key.id in self._tables.sealing_keys:
            raise DuplicateRecord(kind="sealing key", key=key.id)
        self._tables.sealing_keys[key.id] = key

    def drop_sealing_keys(self, before: float) -> None:
        """Forget the keys that were made before."""
        for key in list(self._tables.sealing_keys.values()):
            if key.made_at < before:
                del self._tables.sealing_keys[key.id]

    def audit(self, draft: AuditDraft) -> AuditEvent:
        lane = self._lane_of(draft.station)
        head = self.last(lane)
        event = audit.link(draft, seq=head.seq + 1, previous=head.hash, lane=lane)
        self.append(event)
        return event

    def append(self, event: AuditEvent) -> None:
        head = self.last(event.lane)
        if (event.seq, event.previous) != (head.seq + 1, head.hash):
            raise ChainBroken(station=event.lane, seq=event.seq)
        self._tables.events.append(event)
        self._continued.setdefault(event.lane, head)
        head = Head(event.seq, event.hash)
        self._tables.heads[event.lane] = self._appended[event.lane] = head

    def last(self, lane: str) -> Head:
        return self._tables.heads.get(lane, _NOTHING)

    def appended(self) -> Mapping[str, Head]:
        return self._appended

    def continued(self) -> Mapping[str, Head]:
        return self._continued


class MemoryRegistry:
    """`registry.Registry` that forgets everything when the process ends."""

    def __init__(self, lane_of: Callable[[str], str] = str) -> None:
        """`lane_of`: which chain a station goes on with; silent: each its own."""
        self._tables = MemoryTables()
        self._lane_of = lane_of

    def run(self, fn: Callable[[Tx], T]) -> T:
        tables = self._tables.copy()
        result = fn(_MemoryTx(tables, self._lane_of))
        self._tables = tables
        return result

    def read(self, fn: Callable[[View], T]) -> T:
        return fn(MemoryView(self._tables))

    def audit_events(self, *, lane: str | None = None) -> Iterator[AuditEvent]:
        for event in self._tables.events:
            if lane in (None, event.lane):
                yield event

    def evidence_at_rest(self) -> AbstractContextManager[None]:
        return nullcontext()  # nothing is ever moved

    def lane_of(self, station: str) -> str:
        return self._lane_of(station)

    def moved_away(self) -> Mapping[str, Head]:
        return {}

    def idle(self, now: float) -> bool:
        tx = _MemoryTx(self._tables, self._lane_of)
        tx.drop_nonces(expired_before=now - NONCES_KEPT_SECONDS)
        tx.drop_repeats(now - ANSWERS_KEPT_SECONDS)
        tx.drop_sealing_keys(now - SEALING_KEYS_KEPT_SECONDS)
        tx.drop_frequencies(now - FREQUENCIES_KEPT_SECONDS)
        return False

    def distrust(
        self, *, station: str, now: float, kind: str = "registry.restored"
    ) -> None:
        def void(tx: Tx) -> None:
            dropped, voided = tx.drop_nonces(), 0
            for approval in list(self._tables.approvals.values()):
                if not approval.spent:
                    tx.save_approval(msgspec.structs.replace(approval, spent=True))
                    voided += 1
            for token in list(self._tables.tokens.values()):
                if token.is_open:
                    tx.save_token(msgspec.structs.replace(token, void=True))
                    voided += 1
            data = {"nonces": str(dropped), "codes": str(voided)}
            tx.audit(
                AuditDraft(
                    at=now, station=station, kind=kind, actor="registry", data=data
                )
            )

        self.run(void)

    def recovered(self) -> str:
        return ""

    def close(self) -> None:
        """Nothing to release."""

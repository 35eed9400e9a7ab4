"""The registry in memory: the reference that every other implementation equals.

A transaction works on shallow copies of the tables and replaces them all at once;
records are immutable, so nothing of a failed transaction remains.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import TypeVar

import msgspec

from statemachine.lifecycle import State
from storage import audit
from storage.audit import Head
from storage.records import (
    Approval,
    AuditDraft,
    AuditEvent,
    Credential,
    Nonce,
    NoncePurpose,
    Operation,
    Sync,
    Template,
)
from storage.registry import DuplicateRecord, RecordMissing, Tx, VersionConflict

T = TypeVar("T")
R = TypeVar("R", Credential, Operation, Approval)


@dataclass(frozen=True)
class _Tables:
    credentials: dict[str, Credential] = field(default_factory=dict)
    templates: dict[str, list[Template]] = field(default_factory=dict)
    operations: dict[str, Operation] = field(default_factory=dict)
    nonces: dict[bytes, Nonce] = field(default_factory=dict)
    approvals: dict[str, Approval] = field(default_factory=dict)
    events: list[AuditEvent] = field(default_factory=list)

    def copy(self) -> _Tables:
        return replace(
            self,
            credentials=dict(self.credentials),
            templates={name: list(each) for name, each in self.templates.items()},
            operations=dict(self.operations),
            nonces=dict(self.nonces),
            approvals=dict(self.approvals),
            events=list(self.events),
        )


def _get(kind: str, table: dict[str, R], key: str) -> R:
    try:
        return table[key]
    except KeyError:
        raise RecordMissing(kind=kind, key=key) from None


def _save(kind: str, table: dict[str, R], record: R) -> R:
    known = table.get(record.id)
    if (known.version if known else 0) != record.version:
        raise VersionConflict(kind=kind, key=record.id)
    saved = msgspec.structs.replace(record, version=record.version + 1)
    table[record.id] = saved
    return saved


class _MemoryTx:
    """`registry.Tx` over one set of tables."""

    def __init__(self, tables: _Tables) -> None:
        self._tables = tables

    # --- credentials ----------------------------------------------------------

    def credential(self, id: str) -> Credential:
        return _get("credential", self._tables.credentials, id)

    def credential_by_card(self, card: str) -> Credential | None:
        for credential in self._tables.credentials.values():
            if credential.card == card and credential.state is not State.RETIRED:
                return credential
        return None

    def credentials(
        self,
        *,
        account_guid: str | None = None,
        state: State | None = None,
        sync: Sync | None = None,
    ) -> list[Credential]:
        found = [
            each
            for each in self._tables.credentials.values()
            if account_guid in (None, each.account_guid)
            and state in (None, each.state)
            and sync in (None, each.sync)
        ]
        return sorted(found, key=lambda each: (each.holder, each.id))

    def save_credential(self, credential: Credential) -> Credential:
        other = self.credential_by_card(credential.card)
        if (
            other is not None
            and other.id != credential.id
            and credential.state is not State.RETIRED
        ):
            raise DuplicateRecord(kind="card", key=credential.card)
        return _save("credential", self._tables.credentials, credential)

    # --- templates ------------------------------------------------------------

    def template(self, name: str, version: int | None = None) -> Template:
        versions = self._tables.templates.get(name, [])
        for template in reversed(versions):
            if version in (None, template.version):
                return template
        raise RecordMissing(kind="template", key=name)

    def templates(self) -> list[Template]:
        return [
            self._tables.templates[name][-1] for name in sorted(self._tables.templates)
        ]

    def save_template(self, template: Template) -> Template:
        versions = self._tables.templates.setdefault(template.name, [])
        newest = versions[-1].version if versions else 0
        if newest != template.version:
            raise VersionConflict(kind="template", key=template.name)
        saved = msgspec.structs.replace(template, version=newest + 1)
        versions.append(saved)
        return saved

    # --- operations -----------------------------------------------------------

    def operation(self, id: str) -> Operation:
        return _get("operation", self._tables.operations, id)

    def operation_by_event(self, event: str) -> Operation | None:
        found = [
            each for each in self._tables.operations.values() if each.event == event
        ]
        return found[-1] if found else None

    def operations(self, credential: str) -> list[Operation]:
        return [
            each
            for each in self._tables.operations.values()
            if each.credential == credential
        ]

    def live_operations(self) -> list[Operation]:
        return [
            each for each in self._tables.operations.values() if each.ended_at is None
        ]

    def save_operation(self, operation: Operation) -> Operation:
        return _save("operation", self._tables.operations, operation)

    # --- nonces ---------------------------------------------------------------

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

    # --- approvals ------------------------------------------------------------

    def approval(self, id: str) -> Approval:
        return _get("approval", self._tables.approvals, id)

    def approvals(self, credential: str) -> list[Approval]:
        found = [
            each
            for each in self._tables.approvals.values()
            if each.credential == credential
        ]
        return sorted(found, key=lambda each: each.issued_at, reverse=True)

    def save_approval(self, approval: Approval) -> Approval:
        return _save("approval", self._tables.approvals, approval)

    # --- audit ----------------------------------------------------------------

    def audit(self, draft: AuditDraft) -> AuditEvent:
        chain = [each for each in self._tables.events if each.station == draft.station]
        head = chain[-1] if chain else None
        event = audit.link(
            draft,
            seq=head.seq + 1 if head else 1,
            previous=head.hash if head else audit.GENESIS,
        )
        self._tables.events.append(event)
        return event

    def heads(self) -> dict[str, Head]:
        last = {event.station: event for event in self._tables.events}
        return {
            lane: Head(seq=last[lane].seq, hash=last[lane].hash)
            for lane in sorted(last)
        }


class MemoryRegistry:
    """`registry.Registry` that forgets everything when the process ends."""

    def __init__(self) -> None:
        self._tables = _Tables()

    def run(self, fn: Callable[[Tx], T]) -> T:
        tables = self._tables.copy()
        result = fn(_MemoryTx(tables))
        self._tables = tables
        return result

    def audit_events(
        self,
        *,
        station: str | None = None,
        credential: str | None = None,
        operation: str | None = None,
    ) -> Iterator[AuditEvent]:
        for event in self._tables.events:
            if (
                station in (None, event.station)
                and credential in (None, event.credential)
                and operation in (None, event.operation)
            ):
                yield event

    def distrust(
        self, *, station: str, now: float, kind: str = "registry.restored"
    ) -> None:
        def void(tx: Tx) -> None:
            dropped, voided = tx.drop_nonces(), 0
            for approval in list(self._tables.approvals.values()):
                if not approval.spent:
                    tx.save_approval(msgspec.structs.replace(approval, spent=True))
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

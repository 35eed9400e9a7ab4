"""The reference for reading a registry: every record looked at, nothing clever."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, TypeVar

from statemachine.lifecycle import State
from storage.audit import Head
from storage.errors import EvidenceDamaged, EvidenceMissing, RecordMissing
from storage.records import (
    Approval,
    AuditEvent,
    Credential,
    EnrollmentToken,
    Frequency,
    Nonce,
    Operation,
    Repeat,
    SealingKeyRecord,
    Slip,
    StationRecord,
    Sync,
    Template,
)
from storage.view import (
    CARD_PART,
    IN_USE,
    ByExpiry,
    ByHolder,
    ByStart,
    ByTime,
    fold,
)

T = TypeVar("T")
R = TypeVar("R", Credential, Operation, Approval, StationRecord, EnrollmentToken)
K = TypeVar("K")


@dataclass(frozen=True)
class MemoryTables:
    """Everything a registry remembers."""

    credentials: dict[str, Credential] = field(default_factory=dict)
    templates: dict[str, list[Template]] = field(default_factory=dict)
    operations: dict[str, Operation] = field(default_factory=dict)
    nonces: dict[bytes, Nonce] = field(default_factory=dict)
    approvals: dict[str, Approval] = field(default_factory=dict)
    repeats: dict[tuple[str, str], Repeat] = field(default_factory=dict)
    stations: dict[str, StationRecord] = field(default_factory=dict)
    tokens: dict[str, EnrollmentToken] = field(default_factory=dict)
    sealing_keys: dict[str, SealingKeyRecord] = field(default_factory=dict)
    frequencies: dict[str, Frequency] = field(default_factory=dict)
    slips: dict[tuple[str, str, str], Slip] = field(default_factory=dict)
    events: list[AuditEvent] = field(default_factory=list)
    heads: dict[str, Head] = field(default_factory=dict)
    """The last link of each chain."""

    def copy(self) -> MemoryTables:
        return MemoryTables(
            credentials=dict(self.credentials),
            templates={name: list(each) for name, each in self.templates.items()},
            operations=dict(self.operations),
            nonces=dict(self.nonces),
            approvals=dict(self.approvals),
            repeats=dict(self.repeats),
            stations=dict(self.stations),
            tokens=dict(self.tokens),
            sealing_keys=dict(self.sealing_keys),
            frequencies=dict(self.frequencies),
            slips=dict(self.slips),
            events=list(self.events),
            heads=dict(self.heads),
        )


def page(
    found: Iterable[T],
    place: Callable[[T], Any],
    limit: int,
    after: Any = None,
    *,
    backwards: bool = False,
) -> list[T]:
    """Return the first `limit` behind `after`, in the order of their places."""
    ordered = sorted(found, key=place, reverse=backwards)
    if after is not None:
        ordered = [
            each
            for each in ordered
            if (place(each) < after if backwards else place(each) > after)
        ]
    return ordered[:limit]


def matches(record: object, **wanted: object) -> bool:
    """Say whether the fields have these values; None: any."""
    return all(
        value is None or getattr(record, name) == value
        for name, value in wanted.items()
    )


def fits(credential: Credential, wanted: str) -> bool:
    """Say whether a folded term is a part of one of its names."""
    names = (fold(credential.holder), fold(credential.account))
    card = fold(credential.card) if len(wanted) >= CARD_PART else ""
    return any(wanted in name for name in (*names, card))


class MemoryView:
    """`view.View` over one set of tables."""

    def __init__(self, tables: MemoryTables) -> None:
        self._tables = tables

    # --- credentials ----------------------------------------------------------

    def credential(self, id: str) -> Credential:
        return _get("credential", self._tables.credentials, id)

    def credential_by_card(self, card: str) -> Credential | None:
        for credential in self._tables.credentials.values():
            if credential.card == card and credential.state is not State.RETIRED:
                return credential
        return None

    def by_key_digest(self, digest: bytes, *, limit: int) -> list[Credential]:
        found = [
            each
            for each in self._tables.credentials.values()
            if (key := each.authentication_key) is not None
            and each.state is not State.RETIRED
            and hashlib.sha256(key.spki).digest() == digest
        ]
        return page(found, ByHolder.of, limit)

    def credentials(
        self,
        *,
        card: str | None = None,
        account_guid: str | None = None,
        state: State | None = None,
        sync: Sync | None = None,
        template: str | None = None,
        limit: int,
        after: ByHolder | None = None,
    ) -> list[Credential]:
        found = (
            each
            for each in self._tables.credentials.values()
            if matches(
                each,
                card=card,
                account_guid=account_guid,
                state=state,
                sync=sync,
                template=template,
            )
        )
        return page(found, ByHolder.of, limit, after)

    def find(
        self,
        term: str,
        *,
        retired: bool | None = None,
        limit: int,
        after: ByHolder | None = None,
    ) -> list[Credential]:
        wanted = fold(term)
        if not wanted:
            return []
        operation = self.operation_by_event(term)
        meant = operation.credential if operation else None
        found = (
            each
            for each in self._tables.credentials.values()
            if (each.id == meant or fits(each, wanted))
            and retired in (None, each.state is State.RETIRED)
        )
        return page(found, ByHolder.of, limit, after)

    def named(self, name: str, *, limit: int) -> list[Credential]:
        wanted = fold(name)
        found = (
            each
            for each in self._tables.credentials.values()
            if wanted in (fold(each.card), fold(each.account), fold(each.holder))
        )
        return page(found, ByHolder.of, limit)

    def expiring_before(
        self, until: float, *, limit: int, after: ByExpiry | None = None
    ) -> list[Credential]:
        found = (
            each
            for each in self._tables.credentials.values()
            if each.state in IN_USE
            and each.expires_at is not None
            and each.expires_at <= until
        )
        return page(found, ByExpiry.of, limit, after)

    def count(
        self,
        *,
        state: State | None = None,
        sync: Sync | None = None,
        template: str | None = None,
    ) -> int:
        return sum(
            matches(each, state=state, sync=sync, template=template)
            for each in self._tables.credentials.values()
        )

    # --- templates ------------------------------------------------------------

    def template(self, name: str, version: int | None = None) -> Template:
        versions = self._tables.templates.get(name, [])
        for template in reversed(versions):
            if version in (None, template.version):
                return template
        raise RecordMissing(kind="template", key=name)

    def templates(self, *, limit: int, after: str = "") -> list[Template]:
        names = [name for name in sorted(self._tables.templates) if name > after]
        return [self._tables.templates[name][-1] for name in names[:limit]]

    # --- operations -----------------------------------------------------------

    def operation(self, id: str) -> Operation:
        return _get("operation", self._tables.operations, id)

    def operation_by_event(self, event: str) -> Operation | None:
        operations = self._tables.operations.values()
        found = [each for each in operations if each.event == event]
        return max(found, key=ByStart.of, default=None)

    def operations(
        self,
        credential: str,
        *,
        since: float = 0.0,
        limit: int,
        after: ByStart | None = None,
    ) -> list[Operation]:
        found = (
            each
            for each in self._tables.operations.values()
            if each.credential == credential and each.started_at >= since
        )
        return page(found, ByStart.of, limit, after)

    def unsure_writes(self, credential: str, *, since: float) -> int:
        return sum(
            each.credential == credential and each.started_at >= since
            for each in self._tables.operations.values()
            if each.is_unsure
        )

    def live_operations(self, credential: str) -> list[Operation]:
        return [each for each in self._unfinished() if each.credential == credential]

    def unfinished(self) -> int:
        return len(self._unfinished())

    def _unfinished(self) -> list[Operation]:
        operations = self._tables.operations.values()
        return [each for each in operations if each.ended_at is None]

    # --- approvals, repeats -----------------------------------------------------

    def approval(self, id: str) -> Approval:
        return _get("approval", self._tables.approvals, id)

    def approvals(
        self, credential: str, *, open_at: float | None = None, limit: int
    ) -> list[Approval]:
        found = [
            each
            for each in self._tables.approvals.values()
            if each.credential == credential
            and (open_at is None or is_open(each, open_at))
        ]
        return sorted(found, key=lambda each: each.issued_at, reverse=True)[:limit]

    def repeat(self, station: str, key: str) -> Repeat | None:
        return self._tables.repeats.get((station, key))

    # --- a fleet ----------------------------------------------------------------

    def station(self, id: str) -> StationRecord:
        return _get("station", self._tables.stations, id)

    def stations(self, *, limit: int, after: str = "") -> list[StationRecord]:
        ids = [each for each in sorted(self._tables.stations) if each > after]
        return [self._tables.stations[each] for each in ids[:limit]]

    def slips(
        self, kind: str, *, of: str | None = None, limit: int, after: str = ""
    ) -> list[Slip]:
        found = [
            slip
            for _, slip in sorted(self._tables.slips.items())
            if slip.kind == kind and of in (None, slip.of) and slip.of > after
        ]
        return found[:limit]

    def token(self, id: str) -> EnrollmentToken:
        return _get("token", self._tables.tokens, id)

    def open_tokens(self, *, limit: int, after: str = "") -> list[EnrollmentToken]:
        there = (each for _, each in sorted(self._tables.tokens.items()))
        found = (each for each in there if each.is_open and each.id > after)
        return list(islice(found, limit))

    def frequency(self, id: str) -> Frequency | None:
        return self._tables.frequencies.get(id)

    def sealing_key(self, id: str) -> SealingKeyRecord:
        return _get("sealing key", self._tables.sealing_keys, id)

    def newest_sealing_key(self) -> SealingKeyRecord | None:
        keys = self._tables.sealing_keys.values()
        return max(keys, key=lambda each: (each.made_at, each.id), default=None)

    # --- evidence ---------------------------------------------------------------

    def heads(self) -> dict[str, Head]:
        return dict(sorted(self._tables.heads.items()))

    def last_event(self, lane: str) -> AuditEvent | None:
        of_lane = (each for each in self._tables.events if each.lane == lane)
        return max(of_lane, key=lambda each: each.seq, default=None)

    def events(
        self,
        *,
        credential: str | None = None,
        operation: str | None = None,
        kind: str | None = None,
        station: str | None = None,
        since: float | None = None,
        until: float | None = None,
        newest_first: bool = False,
        limit: int,
        after: ByTime | None = None,
        missing: list[EvidenceMissing | EvidenceDamaged] | None = None,  # noqa: ARG002 - nothing is ever
    ) -> list[AuditEvent]:
        found = (
            each
            for each in self._tables.events
            if matches(
                each,
                credential=credential,
                operation=operation,
                kind=kind,
                station=station,
            )
            and (since is None or each.at >= since)
            and (until is None or each.at < until)
        )
        return page(found, ByTime.of, limit, after, backwards=newest_first)


def is_open(approval: Approval, now: float) -> bool:
    """Say whether a code may still be typed."""
    return not approval.spent and approval.expires_at > now


def _get(kind: str, table: dict[str, K], key: str) -> K:
    try:
        return table[key]
    except KeyError:
        raise RecordMissing(kind=kind, key=key) from None

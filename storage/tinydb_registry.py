"""The embedded default: the registry on TinyDB tables over the journal.

Records are encoded once and decoded when read. Indexes are kept in memory from what
the journal says became true, so a commit costs the same at any size.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import msgspec

from statemachine.lifecycle import State
from storage import audit, canonical
from storage.audit import Head
from storage.covered_index import IndexBehind
from storage.documents import OWN
from storage.errors import ChainBroken, DuplicateRecord, VersionConflict
from storage.fileops import FileOps
from storage.migrations import Versions
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
    Record,
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
from storage.tinydb_evidence import Evidence
from storage.tinydb_indexes import (
    APPROVALS,
    AUDIT,
    HEADS,
    INDEXED,
    NONCES,
    SEGMENTS,
    TOKENS,
    Indexes,
)
from storage.tinydb_journal import JournalDB, JournalTable, open_db
from storage.tinydb_tables import (
    Tables,
    name_of,
    read,
    repeat_key,
    slip_key,
    version_key,
)
from storage.tinydb_view import JournalView, R
from storage.view import View

T = TypeVar("T")
DISTRUSTED = frozenset({NONCES, APPROVALS, TOKENS, AUDIT, HEADS, SEGMENTS, OWN})
"""The tables that `distrust` has to know."""
_SWEPT = 200
"""Nonces, answers or codes that are forgotten in one transaction."""
CODES_KEPT_SECONDS = 30 * 86_400.0
"""How long a code is kept after its end; the evidence says for ever what came of it."""
_CODES_SEEN_EVERY = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalSize:
    """How large a registry's journal is."""

    path: Path
    size: int
    living: int
    """Bytes of it that are not dead."""
    events: int
    """That are not sealed."""


class TinyDbRegistry:
    """`registry.Registry` in one file, shared by the processes of one host."""

    def __init__(
        self,
        path: Path,
        *,
        station: str = "",
        now: float = 0.0,
        ops: FileOps | None = None,
        sealing: dict[str, int] | None = None,
        archives: Sequence[Path] = (),
        only: frozenset[str] | None = None,
    ) -> None:
        """Open or create; errors are those of `journal.Journal`.

        `sealing`: other numbers than `tinydb_evidence` has. `archives`: where evidence
        was moved to that is to be verified and exported, too. `only`: as `Journal`'s.

        After a torn tail was cut, outstanding nonces and codes are void: they may
        have been used in what was lost. `station`'s chain records that, at `now`; where
        there was no room for it, whoever opens the registry next does.
        """
        self._indexes = Indexes()
        ops = ops or FileOps()
        self.db: JournalDB = open_db(path, ops=ops, listener=self._indexes, only=only)
        self.evidence = Evidence(
            self.db.storage.journal, ops, self._indexes, **sealing or {}
        )
        self.evidence.archives = archives
        self._versions = Versions(self.db.storage.journal)
        self._codes_seen_at = -math.inf
        self._recovered = self.db.storage.journal.cut_last
        try:
            if only is None:
                self._versions.bring_forward()
            else:
                self._versions.check()
            if self._recovered and not self.db.storage.journal.is_readonly:
                self.run(lambda tx: _distrust(tx, self._tables(), station, now))
        except BaseException:  # who opens it again and again must not run out of files
            self.close()
            raise

    def run(self, fn: Callable[[Tx], T]) -> T:
        try:
            return self._run(fn)
        except IndexBehind:
            index = self.evidence.index
            index.cover()
            with index.taking_long():  # what it lacks now, it cannot take
                return self._run(fn)

    def _run(self, fn: Callable[[Tx], T]) -> T:
        with self.db.storage.transaction():
            self._versions.check()
            return fn(_JournalTx(self._tables(), self._indexes, self.evidence))

    def read(self, fn: Callable[[View], T]) -> T:
        self.db.storage.journal.look()
        self._versions.check()
        return fn(JournalView(self._tables(), self._indexes, self.evidence))

    def _tables(self) -> Tables:
        return Tables(self.db)

    def audit_events(self, *, lane: str | None = None) -> Iterator[AuditEvent]:
        self.db.storage.journal.look()
        return self.evidence.chains(lane)

    def evidence_at_rest(self) -> AbstractContextManager[None]:
        return self.evidence.at_rest()

    def lane_of(self, station: str) -> str:
        return station

    def moved_away(self) -> Mapping[str, Head]:
        self.db.storage.journal.look()
        return self.evidence.moved_away()

    def recovered(self) -> str:
        return self._recovered

    def figures(self) -> JournalSize:
        """Say how large the file is, and how much of it lives."""
        journal = self.db.storage.journal
        journal.look()
        return JournalSize(
            path=journal.path,
            size=journal.position.offset,
            living=journal.living,
            events=journal.size(AUDIT),
        )

    def compact(self, told: Callable[[], None] = lambda: None) -> None:
        """Write only what lives into a new file, now. StoreFull, StoreLocked.

        `told` hears of each megabyte.
        """
        self.db.storage.journal.compact(told)

    def distrust(
        self, *, station: str, now: float, kind: str = "registry.restored"
    ) -> None:
        self.run(lambda tx: _distrust(tx, self._tables(), station, now, kind))

    def idle(self, now: float) -> bool:
        journal = self.db.storage.journal
        return (
            self._sweep(now)
            or self.evidence.index.take_one()
            or self.evidence.seal()
            or journal.compact_if_worthwhile()
        )

    def _sweep(self, now: float) -> bool:
        tables = self._tables()
        nonces = ((key, read(tables.nonces, key, Nonce)) for key in tables.nonces.ids())
        answers = (
            (key, read(tables.repeats, key, Repeat)) for key in tables.repeats.ids()
        )
        oldest = now - ANSWERS_KEPT_SECONDS
        ended_before = now - NONCES_KEPT_SECONDS
        old_nonces = [key for key, it in nonces if it and it.expires_at <= ended_before]
        old_answers = [key for key, it in answers if it and it.at < oldest]
        made_before = now - SEALING_KEYS_KEPT_SECONDS
        made = (
            (key, read(tables.sealing_keys, key, SealingKeyRecord))
            for key in tables.sealing_keys.ids()
        )
        old_keys = [key for key, it in made if it and it.made_at < made_before]
        old_codes = self._old_codes(tables, now)
        counted = (
            (key, read(tables.frequencies, key, Frequency))
            for key in tables.frequencies.ids()
        )
        counted_before = now - FREQUENCIES_KEPT_SECONDS
        old_frequencies = [key for key, it in counted if it and it.at < counted_before]
        old = (old_nonces, old_answers, old_keys, old_codes, old_frequencies)
        if not any(old):
            return False
        with self.db.storage.transaction():
            for table, keys in (
                (tables.nonces, old_nonces),
                (tables.repeats, old_answers),
                (tables.sealing_keys, old_keys),
                (tables.approvals, old_codes),
                (tables.frequencies, old_frequencies),
            ):
                for key in keys[:_SWEPT]:
                    if table.raw(key) is not None:
                        table.delete_raw(key)
        return max(map(len, old)) > _SWEPT

    def _old_codes(self, tables: Tables, now: float) -> list[str]:
        """Return the codes that nobody can use and no living operation rests on.

        They are all looked at, once an hour.
        """
        if abs(now - self._codes_seen_at) < _CODES_SEEN_EVERY:
            return []
        before = now - CODES_KEPT_SECONDS
        codes = (
            (key, read(tables.approvals, key, Approval))
            for key in tables.approvals.ids()
        )
        found = [
            key
            for key, it in codes
            if it
            and it.expires_at < before
            and tables.operations.raw(it.redeemed_by) is None
        ]
        if len(found) <= _SWEPT:
            self._codes_seen_at = now
        return found

    def close(self) -> None:
        self.evidence.close()
        self.db.close()


def _distrust(
    tx: Tx, tables: Tables, station: str, now: float, kind: str = "registry.recovered"
) -> None:
    dropped = tx.drop_nonces()
    voided = 0
    for key in tables.approvals.ids():
        approval = read(tables.approvals, key, Approval)
        if approval is not None and not approval.spent:
            tx.save_approval(msgspec.structs.replace(approval, spent=True))
            voided += 1
    for key in tables.tokens.ids():
        token = read(tables.tokens, key, EnrollmentToken)
        if token is not None and token.is_open:
            tx.save_token(msgspec.structs.replace(token, void=True))
            voided += 1
    tx.audit(
        AuditDraft(
            at=now,
            station=station,
            kind=kind,
            actor="registry",
            data={"nonces": str(dropped), "codes": str(voided)},
        )
    )


class _JournalTx(JournalView):
    """`registry.Tx` on the open transaction."""

    def __init__(self, tables: Tables, indexes: Indexes, evidence: Evidence) -> None:
        super().__init__(tables, indexes, evidence)
        self._appended: dict[str, Head] = {}
        self._continued: dict[str, Head] = {}

    def _set(self, table: JournalTable, key: str, raw: bytes | None) -> None:
        if table.name in INDEXED:
            self._own.change(table.name, key, table.changed().get(key), raw)
        if raw is None:
            table.delete_raw(key)
        else:
            table.put_raw(key, raw)

    def _put(self, table: JournalTable, key: str, record: Record | Head) -> None:
        self._set(table, key, canonical.encode(record))

    def _save(self, table: JournalTable, record: R) -> R:
        known = read(table, record.id, type(record))
        if known is None and record.version:
            known = self._known(table, type(record), record.id)
        if (known.version if known else 0) != record.version:
            raise VersionConflict(kind=name_of(type(record)), key=record.id)
        saved = msgspec.structs.replace(record, version=record.version + 1)
        self._set(table, saved.id, canonical.encode(saved))
        return saved

    def save_credential(self, credential: Credential) -> Credential:
        if credential.state is not State.RETIRED:
            other = self.credential_by_card(credential.card)
            if other is not None and other.id != credential.id:
                raise DuplicateRecord(kind="card", key=credential.card)
        return self._save(self._tables.credentials, credential)

    def save_template(self, template: Template) -> Template:
        newest = self._newest(template.name)
        if newest != template.version:
            raise VersionConflict(kind="template", key=template.name)
        saved = msgspec.structs.replace(template, version=newest + 1)
        self._put(self._tables.templates, version_key(saved.name, newest + 1), saved)
        return saved

    def save_operation(self, operation: Operation) -> Operation:
        if operation.ended_at is None:
            live = self.live_operations(operation.credential)
            if any(each.id != operation.id for each in live):
                key = operation.credential
                raise DuplicateRecord(kind="live operation", key=key)
        return self._save(self._tables.operations, operation)

    def issue_nonce(self, nonce: Nonce) -> None:
        key = nonce.value.hex()
        if self._tables.nonces.raw(key) is not None:
            raise DuplicateRecord(kind="nonce", key=key)
        self._put(self._tables.nonces, key, nonce)

    def consume_nonce(
        self,
        value: bytes,
        *,
        purpose: NoncePurpose,
        bound_to: str,
        station: str,
        now: float,
    ) -> bool:
        nonce = read(self._tables.nonces, value.hex(), Nonce)
        if nonce is None:
            return False
        self._set(self._tables.nonces, value.hex(), None)
        bound = (nonce.purpose, nonce.bound_to, nonce.station)
        return bound == (purpose, bound_to, station) and now < nonce.expires_at

    def drop_nonces(self, *, expired_before: float | None = None) -> int:
        gone = 0
        for key in self._tables.nonces.ids():
            nonce = read(self._tables.nonces, key, Nonce)
            if nonce is not None and (
                expired_before is None or nonce.expires_at <= expired_before
            ):
                self._set(self._tables.nonces, key, None)
                gone += 1
        return gone

    def save_approval(self, approval: Approval) -> Approval:
        return self._save(self._tables.approvals, approval)

    def save_repeat(self, repeat: Repeat) -> None:
        key = repeat_key(repeat.station, repeat.key)
        if self._tables.repeats.raw(key) is not None:
            raise DuplicateRecord(kind="repeat", key=repeat.key)
        self._put(self._tables.repeats, key, repeat)

    def save_station(self, station: StationRecord) -> StationRecord:
        return self._save(self._tables.stations, station)

    def save_slip(self, slip: Slip) -> None:
        key = slip_key(slip.kind, slip.of, slip.name)
        self._put(self._tables.slips, key, slip)

    def forget_slips(self, kind: str, of: str) -> None:
        begins = slip_key(kind, of, "")
        for key in [it for it in self._tables.slips.ids() if it.startswith(begins)]:
            self._set(self._tables.slips, key, None)

    def save_token(self, token: EnrollmentToken) -> EnrollmentToken:
        return self._save(self._tables.tokens, token)

    def add_one(
        self, id: str, *, now: float, within: float, idle: float | None = None
    ) -> Frequency:
        counted = one_more(self.frequency(id), id, now, within, idle)
        self._put(self._tables.frequencies, id, counted)
        return counted

    def forget_frequency(self, id: str) -> None:
        if self._tables.frequencies.raw(id) is not None:
            self._set(self._tables.frequencies, id, None)

    def save_sealing_key(self, key: SealingKeyRecord) -> None:
        if self._tables.sealing_keys.raw(key.id) is not None:
            raise DuplicateRecord(kind="sealing key", key=key.id)
        self._put(self._tables.sealing_keys, key.id, key)

    def audit(self, draft: AuditDraft) -> AuditEvent:
        head = self.last(draft.station)
        event = audit.link(draft, seq=head.seq + 1, previous=head.hash)
        self.append(event)
        return event

    def append(self, event: AuditEvent) -> None:
        lane, head = event.lane, self.last(event.lane)
        if (event.seq, event.previous) != (head.seq + 1, head.hash):
            raise ChainBroken(station=lane, seq=event.seq)
        self._put(self._tables.audit, f"{lane}|{event.seq:012d}", event)
        self._put(self._tables.heads, lane, Head(event.seq, event.hash))
        self._continued.setdefault(lane, head)
        self._appended[lane] = Head(event.seq, event.hash)

    def last(self, lane: str) -> Head:
        return read(self._tables.heads, lane, Head) or Head(0, audit.GENESIS)

    def appended(self) -> Mapping[str, Head]:
        return self._appended

    def continued(self) -> Mapping[str, Head]:
        return self._continued

"""The embedded default: the registry on TinyDB tables over the journal.

Records are encoded once and decoded when read. Indexes by card, account, out-of-step
mark and credential are kept in memory from what the journal says became true, so a
commit costs the same at any size.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from statemachine.lifecycle import State
from storage import audit, canonical
from storage.audit import Head
from storage.fileops import FileOps
from storage.records import (
    Approval,
    AuditDraft,
    AuditEvent,
    Credential,
    Nonce,
    NoncePurpose,
    Operation,
    Record,
    Sync,
    Template,
)
from storage.registry import DuplicateRecord, RecordMissing, Tx, VersionConflict
from storage.tinydb_journal import JournalDB, JournalTable, open_db

T = TypeVar("T")
R = TypeVar("R", Credential, Operation, Approval)
RecordType = type[Credential] | type[Operation] | type[Approval]

CREDENTIALS, TEMPLATES, OPERATIONS = "credentials", "templates", "operations"
NONCES, APPROVALS, AUDIT, HEADS = "nonces", "approvals", "audit", "heads"
_INDEXED = frozenset({CREDENTIALS, OPERATIONS, APPROVALS})


class _CredentialKeys(msgspec.Struct):
    """The fields of a credential that are indexed; the rest is skipped."""

    card: str
    account_guid: str
    state: str
    sync: str = Sync.NEVER


class _OperationKeys(msgspec.Struct):
    credential: str
    event: str
    ended_at: float | None = None


class _ApprovalKeys(msgspec.Struct):
    credential: str


_credential_keys = msgspec.json.Decoder(_CredentialKeys).decode
_operation_keys = msgspec.json.Decoder(_OperationKeys).decode
_approval_keys = msgspec.json.Decoder(_ApprovalKeys).decode


_DECODERS: dict[type, msgspec.json.Decoder[Any]] = {}


def _decoder(kind: type[T]) -> msgspec.json.Decoder[T]:
    decoder = _DECODERS.get(kind)
    if decoder is None:
        decoder = _DECODERS[kind] = msgspec.json.Decoder(kind)
    return decoder


class Indexes:
    """Values to keys, kept true by the journal's listener.

    Most values have one key; only those with several pay for a dict.
    """

    def __init__(self) -> None:
        self._keys: dict[str, dict[str, str | dict[str, None]]] = defaultdict(dict)

    def load(self, tables: Mapping[str, Mapping[str, bytes]]) -> None:
        self._keys.clear()
        for table in _INDEXED & set(tables):
            for key, raw in tables[table].items():
                for name, value in index_values(table, raw):
                    index = self._keys[name]
                    if index.setdefault(value, key) is not key:
                        self._add(index, value, key)

    def listen(
        self, table: str, key: str, before: bytes | None, after: bytes | None
    ) -> None:
        if table not in _INDEXED:
            return
        old = index_values(table, before) if before is not None else []
        new = index_values(table, after) if after is not None else []
        for name, value in old:
            if (name, value) not in new:
                self._remove(self._keys[name], value, key)
        for name, value in new:
            self._add(self._keys[name], value, key)

    @staticmethod
    def _add(index: dict[str, str | dict[str, None]], value: str, key: str) -> None:
        held = index.setdefault(value, key)
        if isinstance(held, dict):
            held[key] = None
        elif held != key:
            index[value] = {held: None, key: None}

    @staticmethod
    def _remove(index: dict[str, str | dict[str, None]], value: str, key: str) -> None:
        held = index.get(value)
        if isinstance(held, dict):
            held.pop(key, None)
        if held in (key, {}):
            del index[value]

    def find(self, name: str, value: str) -> list[str]:
        """Return the keys with that value, in the order they came."""
        held = self._keys[name].get(value, ())
        return [held] if isinstance(held, str) else list(held)


def index_values(table: str, raw: bytes) -> list[tuple[str, str]]:
    """Return (index, value) of one document."""
    match table:
        case "credentials":
            each = _credential_keys(raw)
            values = [("account", each.account_guid)]
            if each.state != State.RETIRED:
                values.append(("card", each.card))
            if each.sync == Sync.OUT_OF_STEP:
                values.append(("sync", each.sync))
            return values
        case "operations":
            operation = _operation_keys(raw)
            values = [
                ("operation of", operation.credential),
                ("event", operation.event),
            ]
            if operation.ended_at is None:
                values.append(("live", ""))
            return values
        case "approvals":
            return [("approval of", _approval_keys(raw).credential)]
        case _:
            return []


class TinyDbRegistry:
    """`registry.Registry` in one file, shared by the processes of one host."""

    def __init__(
        self,
        path: Path,
        *,
        station: str = "",
        now: float = 0.0,
        ops: FileOps | None = None,
    ) -> None:
        """Open or create; errors are those of `journal.Journal`.

        After a torn tail was cut, outstanding nonces and codes are void: they may
        have been used in what was lost. `station`'s chain records that, at `now`.
        """
        self._indexes = Indexes()
        self.db: JournalDB = open_db(path, ops=ops, listener=self._indexes)
        self._recovered = self.db.storage.journal.torn
        if self._recovered:
            self.run(lambda tx: _distrust(tx, self._tables(), station, now))

    def run(self, fn: Callable[[Tx], T]) -> T:
        with self.db.storage.transaction():
            return fn(_JournalTx(self._tables(), self._indexes))

    def _tables(self) -> Tables:
        return Tables(self.db)

    def audit_events(
        self,
        *,
        station: str | None = None,
        credential: str | None = None,
        operation: str | None = None,
    ) -> Iterator[AuditEvent]:
        table = self._tables().audit
        self.db.storage.journal.refresh()
        for key in table.ids():
            raw = table.raw(key)
            if raw is None:
                continue
            event = _decoder(AuditEvent).decode(raw)
            if (
                station in (None, event.station)
                and credential in (None, event.credential)
                and operation in (None, event.operation)
            ):
                yield event

    def recovered(self) -> str:
        return self._recovered

    def snapshot(self, path: Path) -> None:
        """Write one moment of the registry into a new file. StoreFull."""
        self.db.storage.journal.snapshot(path)

    def distrust(
        self, *, station: str, now: float, kind: str = "registry.restored"
    ) -> None:
        self.run(lambda tx: _distrust(tx, self._tables(), station, now, kind))

    def idle(self) -> None:
        """Compact if that is worth it; called when nobody waits."""
        self.db.storage.journal.compact_if_worthwhile()

    def close(self) -> None:
        self.db.close()


class Tables:
    """The registry's tables of one database."""

    def __init__(self, db: JournalDB) -> None:
        self.credentials = _table(db, CREDENTIALS)
        self.templates = _table(db, TEMPLATES)
        self.operations = _table(db, OPERATIONS)
        self.nonces = _table(db, NONCES)
        self.approvals = _table(db, APPROVALS)
        self.audit = _table(db, AUDIT)
        self.heads = _table(db, HEADS)


def _table(db: JournalDB, name: str) -> JournalTable:
    table = db.table(name)
    if not isinstance(table, JournalTable):
        raise TypeError(name)
    return table


def _distrust(
    tx: Tx, tables: Tables, station: str, now: float, kind: str = "registry.recovered"
) -> None:
    dropped = tx.drop_nonces()
    voided = 0
    for key in tables.approvals.ids():
        approval = _read(tables.approvals, key, Approval)
        if approval is not None and not approval.spent:
            tx.save_approval(msgspec.structs.replace(approval, spent=True))
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


def _read(table: JournalTable, key: str, kind: type[T]) -> T | None:
    raw = table.raw(key)
    return None if raw is None else _decoder(kind).decode(raw)


class _JournalTx:
    """`registry.Tx` on the open transaction."""

    def __init__(self, tables: Tables, indexes: Indexes) -> None:
        self._tables = tables
        self._indexes = indexes
        self._mine = Indexes()
        """Of what this transaction has put itself."""

    def _set(self, table: JournalTable, key: str, raw: bytes | None) -> None:
        self._mine.listen(table.name, key, table.changed().get(key), raw)
        if raw is None:
            table.delete_raw(key)
        else:
            table.put_raw(key, raw)

    def _find(
        self, table: JournalTable, kind: type[R], name: str, value: str
    ) -> list[R]:
        """Return the records with an indexed value, changes of this transaction
        included.
        """
        changed = table.changed()
        keys = [key for key in self._indexes.find(name, value) if key not in changed]
        keys += self._mine.find(name, value)
        found = (_read(table, key, kind) for key in keys)
        return [record for record in found if record is not None]

    def _get(self, table: JournalTable, kind: type[R], key: str) -> R:
        record = _read(table, key, kind)
        if record is None:
            raise RecordMissing(kind=kind.__name__.lower(), key=key)
        return record

    def _save(self, table: JournalTable, record: R) -> R:
        known = _read(table, record.id, type(record))
        if (known.version if known else 0) != record.version:
            raise VersionConflict(kind=type(record).__name__.lower(), key=record.id)
        saved = msgspec.structs.replace(record, version=record.version + 1)
        self._set(table, saved.id, canonical.encode(saved))
        return saved

    # --- credentials ----------------------------------------------------------

    def credential(self, id: str) -> Credential:
        return self._get(self._tables.credentials, Credential, id)

    def credential_by_card(self, card: str) -> Credential | None:
        found = self._find(self._tables.credentials, Credential, "card", card)
        return found[0] if found else None

    def credentials(
        self,
        *,
        account_guid: str | None = None,
        state: State | None = None,
        sync: Sync | None = None,
    ) -> list[Credential]:
        table = self._tables.credentials
        if account_guid is not None:
            found = self._find(table, Credential, "account", account_guid)
        elif sync is Sync.OUT_OF_STEP:
            found = self._find(table, Credential, "sync", sync)
        else:
            found = [self._get(table, Credential, key) for key in table.ids()]
        matching = (
            each
            for each in found
            if state in (None, each.state) and sync in (None, each.sync)
        )
        return sorted(matching, key=lambda each: (each.holder, each.id))

    def save_credential(self, credential: Credential) -> Credential:
        if credential.state is not State.RETIRED:
            other = self.credential_by_card(credential.card)
            if other is not None and other.id != credential.id:
                raise DuplicateRecord(kind="card", key=credential.card)
        return self._save(self._tables.credentials, credential)

    # --- templates ------------------------------------------------------------

    def template(self, name: str, version: int | None = None) -> Template:
        if version is None:
            version = self._newest(name)
        template = _read(self._tables.templates, _version_key(name, version), Template)
        if template is None:
            raise RecordMissing(kind="template", key=name)
        return template

    def _newest(self, name: str) -> int:
        version = 0
        while self._tables.templates.raw(_version_key(name, version + 1)) is not None:
            version += 1
        return version

    def templates(self) -> list[Template]:
        keys = self._tables.templates.ids()
        names = sorted({key.rpartition("|")[0] for key in keys})
        return [self.template(name) for name in names]

    def save_template(self, template: Template) -> Template:
        newest = self._newest(template.name)
        if newest != template.version:
            raise VersionConflict(kind="template", key=template.name)
        saved = msgspec.structs.replace(template, version=newest + 1)
        self._put(self._tables.templates, _version_key(saved.name, newest + 1), saved)
        return saved

    def _put(self, table: JournalTable, key: str, record: Record | Head) -> None:
        self._set(table, key, canonical.encode(record))

    # --- operations -----------------------------------------------------------

    def operation(self, id: str) -> Operation:
        return self._get(self._tables.operations, Operation, id)

    def operation_by_event(self, event: str) -> Operation | None:
        found = self._find(self._tables.operations, Operation, "event", event)
        return found[-1] if found else None

    def operations(self, credential: str) -> list[Operation]:
        table = self._tables.operations
        found = self._find(table, Operation, "operation of", credential)
        return sorted(found, key=lambda each: each.started_at)

    def live_operations(self) -> list[Operation]:
        return self._find(self._tables.operations, Operation, "live", "")

    def save_operation(self, operation: Operation) -> Operation:
        return self._save(self._tables.operations, operation)

    # --- nonces ---------------------------------------------------------------

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
        nonce = _read(self._tables.nonces, value.hex(), Nonce)
        if nonce is None:
            return False
        self._set(self._tables.nonces, value.hex(), None)
        bound = (nonce.purpose, nonce.bound_to, nonce.station)
        return bound == (purpose, bound_to, station) and now < nonce.expires_at

    def drop_nonces(self, *, expired_before: float | None = None) -> int:
        gone = 0
        for key in self._tables.nonces.ids():
            nonce = _read(self._tables.nonces, key, Nonce)
            if nonce is not None and (
                expired_before is None or nonce.expires_at <= expired_before
            ):
                self._set(self._tables.nonces, key, None)
                gone += 1
        return gone

    # --- approvals ------------------------------------------------------------

    def approval(self, id: str) -> Approval:
        return self._get(self._tables.approvals, Approval, id)

    def approvals(self, credential: str) -> list[Approval]:
        found = self._find(self._tables.approvals, Approval, "approval of", credential)
        return sorted(found, key=lambda each: each.issued_at, reverse=True)

    def save_approval(self, approval: Approval) -> Approval:
        return self._save(self._tables.approvals, approval)

    # --- audit ----------------------------------------------------------------

    def audit(self, draft: AuditDraft) -> AuditEvent:
        head = _read(self._tables.heads, draft.station, Head) or Head(0, audit.GENESIS)
        event = audit.link(draft, seq=head.seq + 1, previous=head.hash)
        self._put(self._tables.audit, f"{event.station}|{event.seq:012d}", event)
        self._put(self._tables.heads, event.station, Head(event.seq, event.hash))
        return event

    def heads(self) -> dict[str, Head]:
        found: dict[str, Head] = {}
        for lane in sorted(self._tables.heads.ids()):
            head = _read(self._tables.heads, lane, Head)
            if head is not None:
                found[lane] = head
        return found


def _version_key(name: str, version: int) -> str:
    return f"{name}|{version:06d}"

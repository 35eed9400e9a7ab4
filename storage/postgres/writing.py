"""`registry.Tx` in SQL: what must be unique is so by constraint, not by looking first.

No statement may fail that the caller is told of: a transaction that had an error can
only be given up, and there are no savepoints. So rows are inserted where nothing is in
the way, and changed where they still are as they were read; if none was, what is there
is looked at, and the caller hears which of the two it was.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import LiteralString

from msgspec.structs import replace

from storage.audit import Head
from storage.errors import DuplicateRecord, VersionConflict
from storage.postgres import rows
from storage.postgres.connection import BoundedConnection
from storage.postgres.evidence import Lanes, stands
from storage.postgres.locking import LockingView
from storage.postgres.rows import NO_CERTIFICATES, Values
from storage.postgres.waiting import ANSWER, Waiting, answer_row
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

_NONCE = (
    "INSERT INTO nonce (value, purpose, bound_to, station, expires_at)"
    " VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING"
)
_CERTIFICATE = (
    "INSERT INTO certificate (credential, authentication, card_authentication)"
    " VALUES (%s, %s, %s) ON CONFLICT (credential) DO UPDATE SET"
    " authentication = excluded.authentication,"
    " card_authentication = excluded.card_authentication"
)
_OVER = (
    "abs(%(now)s - frequency.since) > %(within)s"
    " OR abs(%(now)s - frequency.at) > coalesce(%(idle)s::double precision, 'Infinity')"
)
_COUNT = (
    "INSERT INTO frequency (id, count, since, at) VALUES (%(id)s, 1, %(now)s, %(now)s)"
    " ON CONFLICT (id) DO UPDATE SET"
    f" count = CASE WHEN {_OVER} THEN 1 ELSE frequency.count + 1 END,"
    f" since = CASE WHEN {_OVER} THEN excluded.since ELSE frequency.since END,"
    " at = excluded.at RETURNING count, since, at"
)
_SLIP = (
    "INSERT INTO slip (kind, of_id, name, document) VALUES (%s, %s, %s, %s)"
    " ON CONFLICT (kind, of_id, name) DO UPDATE SET document = excluded.document"
)
OWN = "\t"
"""The station of answers that nobody asked for: a tab is in no name of a station."""


class PostgresTx(LockingView):
    """Reads and writes in the transaction that is open on the connection."""

    def __init__(self, connection: BoundedConnection) -> None:
        super().__init__(connection)
        self.lanes = Lanes(connection)
        self._waiting = Waiting(connection, self.lanes)
        self.has_written = False
        self.answer: Repeat | None = None
        """The last one that was saved."""
        self.nonce: Nonce | None = None
        """The last one that was issued."""

    def _settle(self) -> None:
        self._waiting.settle()

    def _write(self, statement: str, values: Sequence[object] | Values) -> int:
        """Do it; return how many rows it was."""
        self.has_written = True
        return self._connection.execute(statement, values).rowcount

    # --- records with a version -------------------------------------------------

    def save_credential(self, credential: Credential) -> Credential:
        saved = replace(credential, version=credential.version + 1)
        row = rows.credential_row(saved)
        known = self._locked.get(saved.id)
        before = rows.credential_keys(known) if known is not None else None
        if not self._save("credential", row, before, "card_in_use"):
            if self._is_taken("credential", "card_in_use", row):
                raise DuplicateRecord(kind="card", key=credential.card)
            raise VersionConflict(kind="credential", key=credential.id)
        self._save_certificates(saved)
        self._locked[saved.id] = saved
        return saved

    def _save_certificates(self, credential: Credential) -> None:
        now = rows.certificates(credential)
        known = self._locked.get(credential.id)
        before = rows.certificates(known) if known else NO_CERTIFICATES
        if now != before or (known is None and credential.version > 1):
            self._write(_CERTIFICATE, [credential.id, *now])

    def save_operation(self, operation: Operation) -> Operation:
        saved = replace(operation, version=operation.version + 1)
        row = rows.operation_row(saved)
        known = self._held.get(saved.id)
        before = rows.operation_keys(known) if known is not None else None
        if not self._save("operation", row, before, "live_of"):
            if self._is_taken("operation", "live_of", row):
                raise DuplicateRecord(kind="live operation", key=operation.credential)
            raise VersionConflict(kind="operation", key=operation.id)
        self._saved_here(saved)
        return saved

    def save_approval(self, approval: Approval) -> Approval:
        saved = replace(approval, version=approval.version + 1)
        row: Values = {
            "id": saved.id,
            "version": saved.version,
            "credential": saved.credential,
            "issued_at": saved.issued_at,
            "open_until": None if saved.spent else saved.expires_at,
            "document": rows.text(saved),
        }
        if not self._saved_now("approval", row, ""):
            raise VersionConflict(kind="approval", key=approval.id)
        return saved

    def _save(
        self,
        table: LiteralString,
        row: Values,
        before: Values | None,
        unique: LiteralString,
    ) -> bool:
        """Save a row, now, or with the rest where nothing can be in the way of it.

        `before`: the columns beside the document as they are, if this transaction has
        the row to itself.
        """
        if before is None or before["version"] != row["version"] - 1:
            return self._saved_now(table, row, unique)
        changed = _changed(row, before)
        if changed.get(unique) is not None:
            return self._saved_now(table, changed, unique)
        self.has_written = True
        self._waiting.change(table, changed)
        return True

    def _saved_now(
        self, table: LiteralString, row: Values, unique: LiteralString
    ) -> bool:
        """Insert the first version of a row, or change the one before this one."""
        self._settle()  # it may be what makes room for this one
        if row["version"] == 1:
            names, values = ", ".join(row), ", ".join(f"%({each})s" for each in row)
            return bool(
                self._write(
                    f"INSERT INTO {table} ({names}) VALUES ({values})"
                    " ON CONFLICT DO NOTHING",
                    row,
                )
            )
        changes = ", ".join(f"{each} = %({each})s" for each in row if each != "id")
        statement = (
            f"UPDATE {table} SET {changes}"
            " WHERE id = %(id)s AND version = %(version)s - 1"
        )
        if row.get(unique) is not None:
            statement += (
                f" AND NOT EXISTS (SELECT 1 FROM {table} other"
                f" WHERE other.{unique} = %({unique})s AND other.id <> %(id)s)"
            )
        return bool(self._write(statement, row))

    def _is_taken(
        self, table: LiteralString, unique: LiteralString, row: Values
    ) -> bool:
        statement = f"SELECT 1 FROM {table} WHERE {unique} = %s AND id <> %s"
        return bool(self._rows(statement, [row[unique], row["id"]]))

    def save_template(self, template: Template) -> Template:
        self.may_remember = False  # of what may not be committed
        saved = replace(template, version=template.version + 1)
        written = self._write(
            "INSERT INTO template (name, version, document) SELECT %s, %s, %s"
            " WHERE %s = (SELECT coalesce(max(version), 0) FROM template"
            " WHERE name = %s) ON CONFLICT DO NOTHING",
            [
                *(saved.name, saved.version, rows.text(saved)),
                *(template.version, template.name),
            ],
        )
        if not written:
            raise VersionConflict(kind="template", key=template.name)
        return saved

    # --- once, ever -------------------------------------------------------------

    def issue_nonce(self, nonce: Nonce) -> None:
        if not self._write(_NONCE, _nonce_row(nonce)):
            raise DuplicateRecord(kind="nonce", key=nonce.value.hex())
        self.nonce = nonce

    def consume_nonce(
        self,
        value: bytes,
        *,
        purpose: NoncePurpose,
        bound_to: str,
        station: str,
        now: float,
    ) -> bool:
        self.has_written = True
        found = self._connection.execute(
            "DELETE FROM nonce WHERE value = %s"
            " RETURNING purpose, bound_to, station, expires_at",
            [value],
        ).fetchone()
        if self.nonce is not None and self.nonce.value == value:
            self.nonce = None
        return (
            found is not None
            and found[:3] == (purpose.value, bound_to, station)
            and now < float(str(found[3]))
        )

    def drop_nonces(self, *, expired_before: float | None = None) -> int:
        self.nonce = None
        if expired_before is None:
            return self._write("DELETE FROM nonce", ())
        return self._write("DELETE FROM nonce WHERE expires_at <= %s", [expired_before])

    def save_repeat(self, repeat: Repeat) -> None:
        self.has_written = True
        self._waiting.answer(repeat)
        self.answer = repeat

    # --- a fleet ----------------------------------------------------------------

    def save_station(self, station: StationRecord) -> StationRecord:
        saved = replace(station, version=station.version + 1)
        row: Values = {
            "id": saved.id,
            "version": saved.version,
            "document": rows.text(saved),
        }
        if not self._saved_now("station", row, ""):
            raise VersionConflict(kind="station", key=station.id)
        return saved

    def save_slip(self, slip: Slip) -> None:
        self._write(_SLIP, [slip.kind, slip.of, slip.name, rows.text(slip)])

    def forget_slips(self, kind: str, of: str) -> None:
        self._write("DELETE FROM slip WHERE kind = %s AND of_id = %s", [kind, of])

    def save_token(self, token: EnrollmentToken) -> EnrollmentToken:
        saved = replace(token, version=token.version + 1)
        row: Values = {
            "id": saved.id,
            "version": saved.version,
            "open_until": saved.expires_at if saved.is_open else None,
            "document": rows.text(saved),
        }
        if not self._saved_now("enrollment_token", row, ""):
            raise VersionConflict(kind="token", key=token.id)
        return saved

    def add_one(
        self, id: str, *, now: float, within: float, idle: float | None = None
    ) -> Frequency:
        values = {"id": id, "now": now, "within": within, "idle": idle}
        self.has_written = True
        (row,) = self._connection.execute(_COUNT, values).fetchall()
        return rows.frequency(id, row)

    def forget_frequency(self, id: str) -> None:
        self._write("DELETE FROM frequency WHERE id = %s", [id])

    def save_sealing_key(self, key: SealingKeyRecord) -> None:
        written = self._write(
            "INSERT INTO sealing_key (id, made_at, document) VALUES (%s, %s, %s)"
            " ON CONFLICT DO NOTHING",
            [key.id, key.made_at, rows.text(key)],
        )
        if not written:
            raise DuplicateRecord(kind="sealing key", key=key.id)

    def audit(self, draft: AuditDraft) -> AuditEvent:
        self.has_written = True
        return self.lanes.add(draft)

    def append(self, event: AuditEvent) -> None:
        self.has_written = True
        self.lanes.append(event)

    def last(self, lane: str) -> Head:
        return self.lanes.locked(lane)

    def appended(self) -> Mapping[str, Head]:
        return self.lanes.appended

    def continued(self) -> Mapping[str, Head]:
        return self.lanes.continued

    # --- the end ----------------------------------------------------------------

    def finish(self, now: float) -> None:
        """Write what is waiting, and something by which the commit can be told."""
        self._settle()
        if self.has_written and not (self.lanes.last or self.answer or self.nonce):
            self.leave_mark(now)

    def leave_mark(self, now: float) -> None:
        """Write what stands for nothing but this transaction; forgotten in a day."""
        mark = Repeat(
            station=OWN, key=secrets.token_hex(16), request=b"", answer="", at=now
        )
        self.save_repeat(mark)
        self._settle()

    def stands(self, connection: BoundedConnection) -> bool:
        """Say whether this was committed; whoever may still commit it is waited for.

        On another connection, which has no transaction open before and after.
        """
        if self.lanes.last is not None:
            return stands(connection, self.lanes.last)
        if self.answer is not None:
            return answer_stands(connection, self.answer)
        return self.nonce is not None and nonce_stands(connection, self.nonce)


def _changed(row: Values, before: Values) -> Values:
    """Leave out what is as it was read: a column not set is no index touched."""
    kept = ("id", "version", "document")
    return {
        name: value
        for name, value in row.items()
        if name in kept or value != before[name]
    }


def answer_stands(connection: BoundedConnection, answer: Repeat) -> bool:
    """Say whether an answer was committed; who may still commit it is waited for."""
    if connection.execute(ANSWER, answer_row(answer)).rowcount:
        connection.rollback()
        return False
    found = connection.execute(
        "SELECT document FROM answer WHERE station = %s AND call = %s",
        [answer.station, answer.key],
    ).fetchone()
    connection.rollback()
    return found is not None and found[0] == rows.text(answer)


def nonce_stands(connection: BoundedConnection, nonce: Nonce) -> bool:
    """Say whether a nonce was committed; who may still commit it is waited for."""
    inserted = connection.execute(_NONCE, _nonce_row(nonce)).rowcount
    connection.rollback()
    return not inserted


def _nonce_row(nonce: Nonce) -> list[object]:
    return [
        *(nonce.value, nonce.purpose.value),
        *(nonce.bound_to, nonce.station, nonce.expires_at),
    ]

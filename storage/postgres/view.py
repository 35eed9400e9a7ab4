"""`view.View` in SQL: each list is an index, walked from a place on.

Inside a transaction that may write, what is read by its key is locked (`locking`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import LiteralString

from statemachine.lifecycle import State
from storage.errors import RecordMissing
from storage.postgres import rows
from storage.postgres.connection import BoundedConnection
from storage.postgres.evidence import EvidenceView
from storage.records import (
    Approval,
    Credential,
    EnrollmentToken,
    Frequency,
    Operation,
    Repeat,
    SealingKeyRecord,
    Slip,
    StationRecord,
    Sync,
    Template,
)
from storage.view import CARD_PART, ByExpiry, ByHolder, ByStart, fold

_CREDENTIAL = (
    "SELECT c.document, k.authentication, k.card_authentication"
    " FROM credential c LEFT JOIN certificate k ON k.credential = c.id"
)
_OF_CARD = (
    "SELECT o.document, c.document, k.authentication, k.card_authentication"
    " FROM credential c LEFT JOIN certificate k ON k.credential = c.id"
    " LEFT JOIN operation o ON o.live_of = c.id WHERE c.card_in_use = %s"
)
_TEMPLATES = 256
"""Versions that a connection remembers."""
_BY_HOLDER = " ORDER BY c.holder_fold, c.id LIMIT %s"
_LOCK = " FOR NO KEY UPDATE OF c"


class PostgresView(EvidenceView):
    """Reads in the transaction that is open on the connection."""

    locks = False
    """Is what is read by its key locked until the transaction ends?"""
    may_remember = True
    """Is what it sees of templates there for good?"""

    def __init__(self, connection: BoundedConnection) -> None:
        super().__init__(connection)
        self._locked: dict[str, Credential | None] = {}
        self._beside: dict[str, list[Operation]] = {}
        """Live operations, by credential, that came with what was asked for."""

    # --- credentials ----------------------------------------------------------

    def credential(self, id: str) -> Credential:
        found = self._one("c.id = %s", id, known=self._locked.get(id))
        if found is None:
            raise RecordMissing(kind="credential", key=id)
        return found

    def credential_by_card(self, card: str) -> Credential | None:
        known = next(
            (
                each
                for each in self._locked.values()
                if each and each.card == card and each.state is not State.RETIRED
            ),
            None,
        )
        if known is None and not self.locks:
            return self._with_live_one(card)
        return self._one("c.card_in_use = %s", card, known=known)

    def _with_live_one(self, card: str) -> Credential | None:
        """Return a card's credential; its operation is looked at with it.

        Whoever looks at a card asks for that next.
        """
        found = self._rows(_OF_CARD, [card]) if rows.is_storable(card) else []
        if not found:
            return None
        live, *of_card = found[0]
        credential = rows.credential(*of_card)
        self._beside[credential.id] = (
            [] if live is None else [rows.record(Operation, live)]
        )
        return credential

    def _one(
        self, condition: str, value: str, *, known: Credential | None = None
    ) -> Credential | None:
        """Return the credential of a unique key; locked, where this view locks."""
        if known is not None:
            return known
        if not rows.is_storable(value):
            return None
        lock = _LOCK if self.locks else ""
        found = self._rows(f"{_CREDENTIAL} WHERE {condition}{lock}", [value])
        if not found:
            return None
        credential = rows.credential(*found[0])
        if self.locks:
            self._locked[credential.id] = credential
        return credential

    def _many(
        self,
        condition: str,
        values: Sequence[object],
        order: str,
        *,
        prepare: bool | None = None,
    ) -> list[Credential]:
        found = self._rows(
            f"{_CREDENTIAL} WHERE {condition}{order}", values, prepare=prepare
        )
        return [rows.credential(*each) for each in found]

    def by_key_digest(self, digest: bytes, *, limit: int) -> list[Credential]:
        return self._many("c.key_digest = %s", [digest, limit], _BY_HOLDER)

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
        wanted = {
            "card": card,
            "account_guid": account_guid,
            "state": state,
            "sync": sync,
            "template": template,
        }
        if card is not None:
            wanted["card_fold"] = fold(card)  # the one that has an index
        condition, values = _equal(wanted)
        place, at = _behind(after)
        return self._many(condition + place, [*values, *at, limit], _BY_HOLDER)

    def find(
        self,
        term: str,
        *,
        retired: bool | None = None,
        limit: int,
        after: ByHolder | None = None,
    ) -> list[Credential]:
        wanted = fold(term)
        if not wanted or not rows.is_storable(wanted):
            return []
        part = f"%{wanted.translate(_LITERAL)}%"
        parts = {"c.holder_fold LIKE %s": part, "c.account_fold LIKE %s": part}
        if len(wanted) >= CARD_PART:
            parts["c.card_fold LIKE %s"] = part
        operation = self._by_event(term)
        if operation is not None:
            parts["c.id = %s"] = operation.credential
        condition, values = f"({' OR '.join(parts)})", list(parts.values())
        if retired is not None:
            condition += f" AND c.state {'=' if retired else '<>'} %s"
            values.append(State.RETIRED.value)
        place, at = _behind(after)
        # Planned each time: how it is best found depends on how common the part is.
        return self._many(
            condition + place, [*values, *at, limit], _BY_HOLDER, prepare=False
        )

    def named(self, name: str, *, limit: int) -> list[Credential]:
        wanted = fold(name)
        if not rows.is_storable(wanted):
            return []
        condition = "c.card_fold = %s OR c.account_fold = %s OR c.holder_fold = %s"
        return self._many(condition, [wanted, wanted, wanted, limit], _BY_HOLDER)

    def expiring_before(
        self, until: float, *, limit: int, after: ByExpiry | None = None
    ) -> list[Credential]:
        condition, at = "c.expires_in_use <= %s", tuple[object, ...]()
        if after is not None:
            condition += " AND (c.expires_in_use, c.id) > (%s, %s)"
            at = after
        order = " ORDER BY c.expires_in_use, c.id LIMIT %s"
        return self._many(condition, [until, *at, limit], order)

    def count(
        self,
        *,
        state: State | None = None,
        sync: Sync | None = None,
        template: str | None = None,
    ) -> int:
        condition, values = _equal({"state": state, "sync": sync, "template": template})
        found = self._rows(
            f"SELECT count(*) FROM credential c WHERE {condition}", values
        )
        return int(str(found[0][0]))

    # --- templates ------------------------------------------------------------

    def template(self, name: str, version: int | None = None) -> Template:
        if version is not None:
            return self._published(name, version)
        found = self._rows(
            "SELECT document FROM template WHERE name = %s"
            " ORDER BY version DESC LIMIT 1",
            [name],
        )
        if not found:
            raise RecordMissing(kind="template", key=name)
        return rows.record(Template, found[0][0])

    def _published(self, name: str, version: int) -> Template:
        """Return a version, which is what it was: read once by each connection."""
        known = self._connection.templates
        template = known.get((name, version))
        if template is None:
            statement = "SELECT document FROM template WHERE name = %s AND version = %s"
            found = self._rows(statement, [name, version])
            if not found:
                raise RecordMissing(kind="template", key=name)
            template = rows.record(Template, found[0][0])
            if self.may_remember:
                if len(known) >= _TEMPLATES:
                    known.clear()
                known[name, version] = template
        return template

    def templates(self, *, limit: int, after: str = "") -> list[Template]:
        found = self._rows(
            "SELECT t.document FROM template t WHERE t.name > %s AND t.version ="
            " (SELECT max(n.version) FROM template n WHERE n.name = t.name)"
            " ORDER BY t.name LIMIT %s",
            [after, limit],
        )
        return [rows.record(Template, document) for (document,) in found]

    # --- operations -----------------------------------------------------------

    def operation(self, id: str) -> Operation:
        if not rows.is_storable(id):
            raise RecordMissing(kind="operation", key=id)
        found = self._operations("id = %s", [id], "")
        if not found:
            raise RecordMissing(kind="operation", key=id)
        return found[0]

    def operation_by_event(self, event: str) -> Operation | None:
        found = self._by_event(event)
        return self.operation(found.id) if found and self.locks else found

    def _by_event(self, event: str) -> Operation | None:
        if not rows.is_storable(event):
            return None
        order = " ORDER BY started_at DESC, id DESC LIMIT 1"
        return next(iter(self._operations("event = %s", [event], order)), None)

    def operations(
        self,
        credential: str,
        *,
        since: float = 0.0,
        limit: int,
        after: ByStart | None = None,
    ) -> list[Operation]:
        condition = "credential = %s AND started_at >= %s"
        values: list[object] = [credential, since]
        if after is not None:
            condition += " AND (started_at, id) > (%s, %s)"
            values += after
        order = " ORDER BY started_at, id LIMIT %s"
        return self._operations(condition, [*values, limit], order)

    def unsure_writes(self, credential: str, *, since: float) -> int:
        condition = "credential = %s AND started_at >= %s"
        found = self._operations(condition, [credential, since], "")
        return sum(each.is_unsure for each in found)

    def live_operations(self, credential: str) -> list[Operation]:
        if (beside := self._beside.get(credential)) is not None:
            return beside
        return self._operations("live_of = %s", [credential], "")

    def unfinished(self) -> int:
        found = self._rows("SELECT count(*) FROM operation WHERE live_of IS NOT NULL")
        return int(str(found[0][0]))

    def _operations(
        self, condition: str, values: Sequence[object], order: str
    ) -> list[Operation]:
        found = self._rows(
            f"SELECT document FROM operation WHERE {condition}{order}", values
        )
        return [rows.record(Operation, document) for (document,) in found]

    # --- approvals, answers -----------------------------------------------------

    def approval(self, id: str) -> Approval:
        found = self._rows("SELECT document FROM approval WHERE id = %s", [id])
        if not found:
            raise RecordMissing(kind="approval", key=id)
        return rows.record(Approval, found[0][0])

    def approvals(
        self, credential: str, *, open_at: float | None = None, limit: int
    ) -> list[Approval]:
        condition, values = "credential = %s", [credential, limit]
        if open_at is not None:
            condition += " AND open_until > %s"
            values[1:1] = [open_at]
        found = self._rows(
            f"SELECT document FROM approval WHERE {condition}"
            " ORDER BY issued_at DESC, id DESC LIMIT %s",
            values,
        )
        return [rows.record(Approval, document) for (document,) in found]

    def repeat(self, station: str, key: str) -> Repeat | None:
        if not rows.is_storable(station) or not rows.is_storable(key):
            return None
        found = self._rows(
            "SELECT document FROM answer WHERE station = %s AND call = %s",
            [station, key],
        )
        return rows.record(Repeat, found[0][0]) if found else None

    # --- a fleet ----------------------------------------------------------------

    def station(self, id: str) -> StationRecord:
        return rows.record(StationRecord, self._named("station", "station", id))

    def stations(self, *, limit: int, after: str = "") -> list[StationRecord]:
        found = self._rows(
            "SELECT document FROM station WHERE id > %s ORDER BY id LIMIT %s",
            [after, limit],
        )
        return [rows.record(StationRecord, document) for (document,) in found]

    def slips(
        self, kind: str, *, of: str | None = None, limit: int, after: str = ""
    ) -> list[Slip]:
        condition, values = "kind = %s AND of_id > %s", [kind, after]
        if of is not None:
            condition += " AND of_id = %s"
            values.append(of)
        if not all(map(rows.is_storable, values)):
            return []
        found = self._rows(
            f"SELECT document FROM slip WHERE {condition}"
            " ORDER BY of_id, name LIMIT %s",
            [*values, limit],
        )
        return [rows.record(Slip, document) for (document,) in found]

    def token(self, id: str) -> EnrollmentToken:
        return rows.record(
            EnrollmentToken, self._named("enrollment_token", "token", id)
        )

    def open_tokens(self, *, limit: int, after: str = "") -> list[EnrollmentToken]:
        found = self._rows(
            "SELECT document FROM enrollment_token"
            " WHERE open_until IS NOT NULL AND id > %s ORDER BY id LIMIT %s",
            [after, limit],
        )
        return [rows.record(EnrollmentToken, document) for (document,) in found]

    def _named(self, table: LiteralString, kind: str, id: str) -> object:
        """Return a document by its id; locked, where this view locks. RecordMissing."""
        if rows.is_storable(id):
            lock = " FOR NO KEY UPDATE" if self.locks else ""
            found = self._rows(
                f"SELECT document FROM {table} WHERE id = %s{lock}", [id]
            )
            if found:
                return found[0][0]
        raise RecordMissing(kind=kind, key=id)

    def frequency(self, id: str) -> Frequency | None:
        if not rows.is_storable(id):
            return None
        found = self._rows("SELECT count, since, at FROM frequency WHERE id = %s", [id])
        return rows.frequency(id, found[0]) if found else None

    def sealing_key(self, id: str) -> SealingKeyRecord:
        if rows.is_storable(id):
            found = self._rows("SELECT document FROM sealing_key WHERE id = %s", [id])
            if found:
                return rows.record(SealingKeyRecord, found[0][0])
        raise RecordMissing(kind="sealing key", key=id)

    def newest_sealing_key(self) -> SealingKeyRecord | None:
        found = self._rows(
            "SELECT document FROM sealing_key ORDER BY made_at DESC, id DESC LIMIT 1"
        )
        return rows.record(SealingKeyRecord, found[0][0]) if found else None


_LITERAL = str.maketrans({"\\": "\\\\", "%": "\\%", "_": "\\_"})
"""What LIKE would take for a pattern."""


def _equal(wanted: dict[str, str | None]) -> tuple[str, list[object]]:
    """Return a condition over columns of a credential, and its values."""
    given = {name: value for name, value in wanted.items() if value is not None}
    condition = " AND ".join(f"c.{name} = %s" for name in given)
    return condition or "TRUE", [str(value) for value in given.values()]


def _behind(after: ByHolder | None) -> tuple[str, Sequence[object]]:
    """Return the condition of being behind a place, and its values."""
    if after is None:
        return "", ()
    return " AND (c.holder_fold, c.id) > (%s, %s)", after

"""Evidence in tables: a lane's head is locked when its first event of a transaction
comes, and what was added is written when the transaction ends, or is asked for it.

A lane is a chain that stations share (`audit.shared_lane`). Its head is a row and
belongs to no process: two authorities that serve one station in turn, or at once, go on
with the same chain. How many lanes there are does not grow with the stations.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, LiteralString

from storage import audit, canonical
from storage.audit import Head
from storage.errors import ChainBroken, EvidenceDamaged, EvidenceMissing
from storage.postgres import rows
from storage.postgres.connection import BoundedConnection
from storage.records import AuditDraft, AuditEvent
from storage.view import ByTime

_HEAD = "SELECT seq, hash FROM evidence_head WHERE lane = %s FOR UPDATE"
_FOUND_LANE = (
    "INSERT INTO evidence_head (lane, seq, hash) VALUES (%s, 0, %s)"
    " ON CONFLICT DO NOTHING"
)
_LAST = "SELECT document FROM evidence WHERE lane = %s ORDER BY seq DESC LIMIT 1"
_MOVE = "UPDATE evidence_head SET seq = %s, hash = %s WHERE lane = %s"
_COLUMNS = "(lane, seq, at, station, kind, credential, operation, document)"
_ADD = (
    f"INSERT INTO evidence {_COLUMNS} SELECT e.* FROM unnest(%s::text[], %s::bigint[],"
    " %s::double precision[], %s::text[], %s::text[], %s::text[], %s::text[],"
    " %s::text[]) e"
)
_ADD_ONE = f"INSERT INTO evidence {_COLUMNS} VALUES (%s, %s, %s, %s, %s, %s, %s, %s)"
_ADD_TWO = f"{_ADD_ONE}, (%s, %s, %s, %s, %s, %s, %s, %s)"
"""As values of their own: an array has every quote of a document escaped."""
_WITNESS = f"{_ADD_ONE} ON CONFLICT DO NOTHING"


class EvidenceView:
    """The evidence's half of `view.View`."""

    def __init__(self, connection: BoundedConnection) -> None:
        self._connection = connection
        self.asked = 0
        """How many statements it took."""

    def _rows(
        self,
        statement: str,
        values: Sequence[object] = (),
        *,
        prepare: bool | None = None,
    ) -> list[tuple[object, ...]]:
        self._settle()
        self.asked += 1
        cursor = self._connection.execute(statement, values, prepare=prepare)
        return cursor.fetchall()

    def _settle(self) -> None:
        """Write what was added and is not in the tables yet, so that it is found."""

    def heads(self) -> dict[str, Head]:
        found = self._rows(
            "SELECT lane, seq, hash FROM evidence_head WHERE seq > 0 ORDER BY lane"
        )
        return {
            str(lane): Head(int(str(seq)), str(digest)) for lane, seq, digest in found
        }

    def last_event(self, lane: str) -> AuditEvent | None:
        found = self._rows(_LAST, [lane])
        return rows.record(AuditEvent, found[0][0]) if found else None

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
        wanted: dict[str, Any] = {
            "credential = %s": credential,
            "operation = %s": operation,
            "kind = %s": kind,
            "station = %s": station,
            "at >= %s": since,
            "at < %s": until,
        }
        given = {each: value for each, value in wanted.items() if value is not None}
        conditions, values = list(given), list(given.values())
        if after is not None:
            sign = "<" if newest_first else ">"
            conditions.append(f"(at, lane, seq) {sign} (%s, %s, %s)")
            values += after
        way = "DESC" if newest_first else "ASC"
        statement = (
            f"SELECT document FROM evidence WHERE {' AND '.join(conditions) or 'TRUE'}"
            f" ORDER BY at {way}, lane {way}, seq {way} LIMIT %s"
        )
        found = self._rows(statement, [*values, limit])
        return [rows.record(AuditEvent, document) for (document,) in found]


class Lanes:
    """What one transaction adds to the lanes."""

    def __init__(self, connection: BoundedConnection) -> None:
        self._connection = connection
        self.heads: dict[str, Head] = {}
        """The last link of each lane that is locked."""
        self.appended: dict[str, Head] = {}
        self.continued: dict[str, Head] = {}
        self._waiting: list[AuditEvent] = []
        self.last: AuditEvent | None = None
        """The last event that was added: where it stands tells whether it was."""

    def add(self, draft: AuditDraft) -> AuditEvent:
        """Give a draft its place behind the last one."""
        lane = audit.shared_lane(draft.station)
        head = self.locked(lane)
        event = audit.link(draft, seq=head.seq + 1, previous=head.hash, lane=lane)
        self.append(event)
        return event

    def append(self, event: AuditEvent) -> None:
        """Take a link. ChainBroken: it is not the next one of its lane."""
        head = self.locked(event.lane)
        if (event.seq, event.previous) != (head.seq + 1, head.hash):
            raise ChainBroken(station=event.lane, seq=event.seq)
        self.continued.setdefault(event.lane, head)
        self.heads[event.lane] = self.appended[event.lane] = Head(event.seq, event.hash)
        self._waiting.append(event)
        self.last = event

    def taken(self) -> list[tuple[LiteralString, list[Any]]]:
        """Return what writes what is waiting, two statements for each lane.

        Whoever takes them does them.
        """
        waiting, self._waiting = self._waiting, []
        statements: list[tuple[LiteralString, list[Any]]] = []
        for lane in dict.fromkeys(event.lane for event in waiting):
            added = [_row(event) for event in waiting if event.lane == lane]
            head = self.heads[lane]
            statements.append((_MOVE, [head.seq, head.hash, lane]))
            if len(added) == 1:
                statements.append((_ADD_ONE, list(added[0])))
            elif len(added) == 2:
                statements.append((_ADD_TWO, [*added[0], *added[1]]))
            else:
                columns = [list(column) for column in zip(*added, strict=True)]
                statements.append((_ADD, columns))
        return statements

    def locked(self, lane: str) -> Head:
        """Return the last link of a lane, locked until the transaction ends."""
        if lane not in self.heads:
            self.heads[lane] = self._lock(lane)
        return self.heads[lane]

    def _lock(self, lane: str) -> Head:
        found = self._connection.execute(_HEAD, [lane]).fetchone()
        if found is None:
            self._connection.execute(_FOUND_LANE, [lane, audit.GENESIS])
            found = self._connection.execute(_HEAD, [lane]).fetchone()
        if found is None:  # nobody removes a head
            raise LookupError(lane)
        return Head(int(str(found[0])), str(found[1]))


def stands(connection: BoundedConnection, event: AuditEvent) -> bool:
    """Say whether an event was committed; whoever may still commit it is waited for."""
    if connection.execute(_WITNESS, _row(event)).rowcount:
        connection.rollback()
        return False
    found = connection.execute(
        "SELECT document FROM evidence WHERE lane = %s AND seq = %s",
        [event.lane, event.seq],
    ).fetchone()
    connection.rollback()
    return found is not None and found[0] == rows.text(event)


def _row(event: AuditEvent) -> tuple[Any, ...]:
    return (
        event.lane,
        event.seq,
        event.at,
        event.station,
        event.kind,
        event.credential,
        event.operation,
        canonical.encode(event).decode(),
    )

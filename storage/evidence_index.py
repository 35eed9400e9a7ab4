"""Where in the segments an event or an operation is: a file that is never believed.

It says only where to look; what is there is read and compared. Whatever is wrong with
it (gone, damaged, of other segments, of another version), it is made anew from the
segments. It lies on disk, because ten million places do not belong into memory.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from storage.fileops import opened_or_made
from storage.records import AuditEvent, Operation
from storage.segments import Located, LocatedOperation

_VERSION = 2
_WAIT_SECONDS = 10.0
_KEYS = ("credential", "operation", "kind", "station")
"""The most selective first: one of them is looked up, the others are compared."""
_OPERATIONS = f"""
PRAGMA user_version = {_VERSION};
CREATE TABLE operation (
    id INTEGER NOT NULL, event INTEGER NOT NULL, credential INTEGER NOT NULL,
    at REAL NOT NULL, number INTEGER NOT NULL, offset INTEGER NOT NULL,
    length INTEGER NOT NULL
);
CREATE INDEX operation_by_id ON operation (id);
CREATE INDEX operation_by_event ON operation (event);
CREATE INDEX operation_by_credential ON operation (credential, at);
CREATE INDEX operation_by_number ON operation (number);
"""
_SCHEMA = """
CREATE TABLE covered (number INTEGER PRIMARY KEY, sha256 TEXT NOT NULL);
CREATE TABLE event (
    at REAL NOT NULL, credential INTEGER NOT NULL, operation INTEGER NOT NULL,
    kind INTEGER NOT NULL, station INTEGER NOT NULL,
    number INTEGER NOT NULL, offset INTEGER NOT NULL, length INTEGER NOT NULL
);
CREATE INDEX by_number ON event (number);
CREATE INDEX by_at ON event (at);
""" + "".join(f"CREATE INDEX by_{key} ON event ({key}, at);" for key in _KEYS)
_FORWARD = {0: _SCHEMA + _OPERATIONS, 1: _OPERATIONS}
"""From each version to this one; segments of the first had no operations."""


class IndexWrong(sqlite3.DatabaseError):
    """It says where something is, and there it is not."""


class Spot(NamedTuple):
    """Where one event lies, or one operation (`at`: its start)."""

    at: float
    number: int
    offset: int
    length: int


class EvidenceIndex:
    """The open index of one folder of segments. One thread at a time."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "index.sqlite"
        self._db: sqlite3.Connection | None = None

    def covered(self, number: int) -> str | None:
        """Return the SHA-256 of a segment; None: it is not in it."""
        rows = self._open().execute(
            "SELECT sha256 FROM covered WHERE number = ?", (number,)
        )
        found = rows.fetchone()
        return str(found[0]) if found else None

    def add(
        self, number: int, sha256: str, located: Iterable[Located | LocatedOperation]
    ) -> None:
        """Take a segment, in place of what was there of that number."""
        events, operations = [], []
        for each in located:
            if isinstance(each, Located):
                event = each.event
                events.append((event.at, *_hashes(event), number, *each[:2]))
            else:
                operations.append((*_keys(each.operation), number, *each[:2]))
        db = self._open()
        with db:
            self._drop(db, number)
            db.executemany("INSERT INTO event VALUES (?, ?, ?, ?, ?, ?, ?, ?)", events)
            db.executemany(
                "INSERT INTO operation VALUES (?, ?, ?, ?, ?, ?, ?)", operations
            )
            db.execute("INSERT INTO covered VALUES (?, ?)", (number, sha256))

    def drop(self, number: int) -> None:
        """Forget a segment."""
        db = self._open()
        with db:
            self._drop(db, number)

    @staticmethod
    def _drop(db: sqlite3.Connection, number: int) -> None:
        db.execute("DELETE FROM event WHERE number = ?", (number,))
        db.execute("DELETE FROM operation WHERE number = ?", (number,))
        db.execute("DELETE FROM covered WHERE number = ?", (number,))

    def spots(
        self,
        wanted: Mapping[str, str],
        *,
        since: float | None,
        until: float | None,
        newest_first: bool,
    ) -> Iterator[Spot]:
        """Yield where such events may be, by time; hashes may agree by chance."""
        used = next((key for key in _KEYS if key in wanted), None)
        conditions = [
            f"{key if key == used else f'+{key}'} = ?" for key in _KEYS if key in wanted
        ]
        values: list[float | int] = [
            _hash(wanted[key]) for key in _KEYS if key in wanted
        ]
        if since is not None:
            conditions.append("at >= ?")
            values.append(since)
        if until is not None:
            conditions.append("at <= ?")
            values.append(until)
        where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
        order = "DESC" if newest_first else "ASC"
        rows = self._open().execute(
            f"SELECT at, number, offset, length FROM event {where} ORDER BY at {order}",  # noqa: S608 - made of our own words; values are bound
            values,
        )
        with closing(rows):
            for row in rows:
                yield Spot(*row)

    def operation_spots(
        self, key: str, value: str, *, since: float = 0.0
    ) -> Iterator[Spot]:
        """Yield where such operations may be, by their start.

        `key`: id, event or credential.
        """
        rows = self._open().execute(
            f"SELECT at, number, offset, length FROM operation"  # noqa: S608 - our own words; values are bound
            f" WHERE {key} = ? AND at >= ? ORDER BY at",
            (_hash(value), since),
        )
        with closing(rows):
            for row in rows:
                yield Spot(*row)

    def make_anew(self) -> None:
        """Throw it away. OSError."""
        self.close()
        for suffix in ("", "-wal", "-shm"):
            Path(f"{self._path}{suffix}").unlink(missing_ok=True)

    def _open(self) -> sqlite3.Connection:
        if self._db is not None:
            return self._db
        if not self._path.exists():
            # SQLite would make root's own; what it makes beside it is as this is.
            os.close(opened_or_made(self._path, os.O_RDWR))
        db = sqlite3.connect(self._path, timeout=_WAIT_SECONDS, check_same_thread=False)
        try:
            version = db.execute("PRAGMA user_version").fetchone()[0]
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = NORMAL")
            if version in _FORWARD:
                with db:
                    db.execute("BEGIN IMMEDIATE")
                    version = db.execute("PRAGMA user_version").fetchone()[0]
                    for statement in _FORWARD.get(version, "").split(";"):
                        db.execute(statement)
            elif version != _VERSION:
                raise sqlite3.DatabaseError(version)
        except BaseException:
            db.close()
            raise
        self._db = db
        return db

    def close(self) -> None:
        """Close the file. Safe to call twice."""
        if self._db is not None:
            self._db.close()
            self._db = None


def _hashes(event: AuditEvent) -> tuple[int, int, int, int]:
    return (
        _hash(event.credential),
        _hash(event.operation),
        _hash(event.kind),
        _hash(event.station),
    )


def _keys(operation: Operation) -> tuple[int, int, int, float]:
    return (
        _hash(operation.id),
        _hash(operation.event),
        _hash(operation.credential),
        operation.started_at,
    )


def _hash(text: str) -> int:
    """Return eight bytes that stand for a text, as SQLite has integers."""
    digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)

"""The registry's tables in a journal: their records decoded, their keys made."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from storage.known_types import known
from storage.records import (
    EnrollmentToken,
    StationRecord,
)
from storage.tinydb_indexes import (
    APPROVALS,
    AUDIT,
    CREDENTIALS,
    FREQUENCIES,
    HEADS,
    NONCES,
    OPERATIONS,
    REPEATS,
    SEALING_KEYS,
    SLIPS,
    STATIONS,
    TEMPLATES,
    TOKENS,
)
from storage.tinydb_journal import JournalDB, JournalTable

T = TypeVar("T")
_NAMES: dict[type, str] = {StationRecord: "station", EnrollmentToken: "token"}
"""What a kind is called where its class is called otherwise."""
_DECODERS: dict[type, msgspec.json.Decoder[Any]] = {}


def decode(kind: type[T], raw: bytes) -> T:
    """Read a record. msgspec.ValidationError where it is of another version."""
    decoder = _DECODERS.get(kind)
    if decoder is None:
        decoder = _DECODERS[kind] = msgspec.json.Decoder(known(kind))
    decoded: T = decoder.decode(raw)
    return decoded


class Tables:
    """The registry's tables of one database."""

    def __init__(self, db: JournalDB) -> None:
        self.credentials = _table(db, CREDENTIALS)
        self.templates = _table(db, TEMPLATES)
        self.operations = _table(db, OPERATIONS)
        self.nonces = _table(db, NONCES)
        self.approvals = _table(db, APPROVALS)
        self.repeats = _table(db, REPEATS)
        self.stations = _table(db, STATIONS)
        self.tokens = _table(db, TOKENS)
        self.sealing_keys = _table(db, SEALING_KEYS)
        self.frequencies = _table(db, FREQUENCIES)
        self.slips = _table(db, SLIPS)
        self.audit = _table(db, AUDIT)
        self.heads = _table(db, HEADS)


def _table(db: JournalDB, name: str) -> JournalTable:
    table = db.table(name)
    if not isinstance(table, JournalTable):
        raise TypeError(name)
    return table


def read(table: JournalTable, key: str, kind: type[T]) -> T | None:
    """Return the record with that key, decoded."""
    raw = table.raw(key)
    return None if raw is None else decode(kind, raw)


def name_of(kind: type) -> str:
    """Return what a kind of record is called in errors."""
    return _NAMES.get(kind, kind.__name__.lower())


def version_key(name: str, version: int) -> str:
    """Return the key of one version of a template."""
    return f"{name}|{version:06d}"


def slip_key(kind: str, of: str, name: str) -> str:
    """Return the key of a slip: a tab is in no name of a station or a card."""
    return f"{kind}\t{of}\t{name}"


def repeat_key(station: str, key: str) -> str:
    """Return the key of an answer: a tab is in no name of a station."""
    return f"{station}\t{key}"

"""TinyDB on the journal: the same tables, queries and searches, another cost.

`open_db(path)` is a `TinyDB` whose storage and tables are ours. A read by id is one
lookup and a write is one append, at any size; a search by `Query` still reads every
document. Several changes become one transaction inside `db.storage.transaction()`.
A plain `TinyDB(path, storage=JournalStorage)` works as well, at TinyDB's own cost.

Documents are decoded at each read: changing a result changes nothing in the store.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, cast

import msgspec
from tinydb import TinyDB
from tinydb.queries import QueryLike
from tinydb.storages import Storage
from tinydb.table import Table

from storage import canonical
from storage.documents import Listener
from storage.fileops import FileOps
from storage.journal import Journal

_decode = msgspec.json.decode
Fields = dict[str, Any]


class JournalStorage(Storage):
    """TinyDB's storage port on a journal."""

    def __init__(
        self,
        path: str | Path,
        *,
        ops: FileOps | None = None,
        listener: Listener | None = None,
        only: frozenset[str] | None = None,
    ) -> None:
        """Open or create; errors are those of `Journal`."""
        self.journal = Journal(Path(path), ops=ops, listener=listener, only=only)

    def transaction(self) -> AbstractContextManager[None]:
        """Make all changes inside one durable group, or none."""
        return self.journal.transaction()

    def read(self) -> dict[str, dict[str, Any]] | None:
        """Return everything, decoded: what TinyDB's own tables work on."""
        self.journal.refresh()
        return {
            table: {key: _decode(raw) for key, raw in self._documents(table)}
            for table in sorted(self.journal.tables())
        } or None

    def write(self, data: Mapping[str, Mapping[str, Any]]) -> None:
        """Replace everything with `data`, writing only what differs."""
        journal = self.journal
        with journal.transaction():
            for table in journal.tables() - set(data):
                journal.drop(table)
            for table, documents in data.items():
                wanted = {str(key): fields for key, fields in documents.items()}
                for key in journal.keys(table):
                    if key not in wanted:
                        journal.delete(table, key)
                for key, fields in wanted.items():
                    raw = canonical.encode(dict(fields))
                    if journal.get(table, key) != raw:
                        journal.put(table, key, raw)

    def _documents(self, table: str) -> Iterator[tuple[str, bytes]]:
        for key in self.journal.keys(table):
            raw = self.journal.get(table, key)
            if raw is not None:
                yield key, raw

    def close(self) -> None:
        self.journal.close()


class _Documents(Mapping[str, Fields]):
    """A table as TinyDB reads it: decoded one document at a time."""

    def __init__(self, journal: Journal, table: str) -> None:
        self._journal = journal
        self._table = table

    def __getitem__(self, key: str) -> Fields:
        raw = self._journal.get(self._table, key)
        if raw is None:
            raise KeyError(key)
        return cast("Fields", _decode(raw))

    def __iter__(self) -> Iterator[str]:
        return iter(self._journal.keys(self._table))

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and self._journal.get(self._table, key) is not None

    def __len__(self) -> int:
        return self._journal.size(self._table)


class _Overlay(dict[Any, Fields]):
    """What an updater sees: documents by their ids, remembered once touched."""

    def __init__(self, documents: _Documents, id_of: Callable[[str], Any]) -> None:
        super().__init__()
        self._documents = documents
        self._id_of = id_of
        self._gone: set[Any] = set()

    def __getitem__(self, id: Any) -> Fields:
        if not super().__contains__(id):
            if id in self._gone:
                raise KeyError(id)
            super().__setitem__(id, self._documents[str(id)])
        return super().__getitem__(id)

    def __setitem__(self, id: Any, fields: Fields) -> None:
        self._gone.discard(id)
        super().__setitem__(id, fields)

    def __delitem__(self, id: Any) -> None:
        self.pop(id)

    def pop(self, id: Any, *default: Any) -> Any:
        if id not in self and default:
            return default[0]
        fields = self[id]
        super().__delitem__(id)
        self._gone.add(id)
        return fields

    def __contains__(self, id: object) -> bool:
        return super().__contains__(id) or (
            id not in self._gone and str(id) in self._documents
        )

    def __iter__(self) -> Iterator[Any]:
        stored = dict.fromkeys(self._id_of(key) for key in self._documents)
        known = {each: None for each in stored if each not in self._gone}
        return iter(known | dict.fromkeys(super().__iter__()))

    def keys(self) -> Any:
        return list(self)

    def items(self) -> Any:
        return [(each, self[each]) for each in self]

    def values(self) -> Any:
        return [self[each] for each in self]

    def __len__(self) -> int:
        return len(list(iter(self)))

    def changes(self) -> Iterator[tuple[str, Fields | None]]:
        """Yield (key, fields) of what was touched, None for what is gone."""
        for gone in self._gone:
            if str(gone) in self._documents:
                yield str(gone), None
        for touched in super().__iter__():
            yield str(touched), super().__getitem__(touched)


class JournalTable(Table):
    """A TinyDB table whose reads and writes cost what they touch."""

    default_query_cache_capacity = 0
    _seen_foreign = -1

    @property
    def _journal(self) -> Journal:
        return cast("JournalStorage", self._storage).journal

    def raw(self, key: str) -> bytes | None:
        """Return a document's canonical JSON, undecoded."""
        return self._journal.get(self._name, key)

    def put_raw(self, key: str, raw: bytes) -> None:
        """Set a document from canonical JSON, inside a transaction."""
        self._journal.put(self._name, key, raw)

    def delete_raw(self, key: str) -> None:
        """Delete a document, inside a transaction."""
        self._journal.delete(self._name, key)

    def ids(self) -> list[str]:
        """Return all keys in the order they were first put."""
        return self._journal.keys(self._name)

    def raws(self) -> Iterator[bytes]:
        """Yield all documents, undecoded."""
        journal = self._journal
        return (raw for key in self.ids() if (raw := journal.get(self._name, key)))

    def committed(self) -> Mapping[str, bytes]:
        """Return what is committed, whatever the open transaction has changed."""
        return self._journal.committed(self._name)

    def changed(self) -> dict[str, bytes | None]:
        """Return what the open transaction has changed here."""
        return self._journal.changed(self._name)

    # --- TinyDB's own hooks -----------------------------------------------------

    def _read_table(self) -> Mapping[str, Mapping[str, Any]]:  # type: ignore[override]  # TinyDB asks for a dict and only reads it
        self._journal.refresh()
        return _Documents(self._journal, self._name)

    def _update_table(self, updater: Callable[[dict[Any, Any]], None]) -> None:
        journal = self._journal
        with journal.transaction():
            documents = _Documents(journal, self._name)
            overlay = _Overlay(documents, self.document_id_class)
            updater(overlay)
            for key, fields in overlay.changes():
                if fields is None:
                    journal.delete(self._name, key)
                    continue
                raw = canonical.encode(dict(fields))
                if journal.get(self._name, key) != raw:
                    journal.put(self._name, key, raw)
        self.clear_cache()

    def insert(self, document: Mapping[str, Any]) -> Any:
        with self._journal.transaction():
            self._doubt_next_id()
            return super().insert(document)

    def insert_multiple(self, documents: Iterable[Mapping[str, Any]]) -> list[Any]:
        with self._journal.transaction():
            self._doubt_next_id()
            return super().insert_multiple(documents)

    def _doubt_next_id(self) -> None:
        """Another process may have used the id that TinyDB would give next."""
        if self._journal.foreign != self._seen_foreign:
            self._seen_foreign = self._journal.foreign
            self._next_id = None

    def upsert(
        self, document: Mapping[str, Any], cond: QueryLike | None = None
    ) -> list[Any]:
        with self._journal.transaction():
            return super().upsert(document, cond)

    def truncate(self) -> None:
        with self._journal.transaction():
            self._journal.drop(self._name)
        self.clear_cache()
        self._next_id = None


class JournalDB(TinyDB):
    """A `TinyDB` with journal storage and tables."""

    default_storage_class = JournalStorage  # type: ignore[assignment]  # TinyDB types it as its own JSON storage
    table_class = JournalTable

    @property
    def storage(self) -> JournalStorage:
        return cast("JournalStorage", self._storage)

    def drop_tables(self) -> None:
        with self.storage.transaction():
            for name in self.storage.journal.tables():
                self.storage.journal.drop(name)
        self._tables.clear()

    def drop_table(self, name: str) -> None:
        with self.storage.transaction():
            self.storage.journal.drop(name)
        self._tables.pop(name, None)

    def tables(self) -> set[str]:
        self.storage.journal.refresh()
        return self.storage.journal.tables()


def open_db(
    path: Path,
    *,
    ops: FileOps | None = None,
    listener: Listener | None = None,
    only: frozenset[str] | None = None,
) -> JournalDB:
    """Open or create a TinyDB on a journal; arguments and errors are `Journal`'s."""
    return JournalDB(path, ops=ops, listener=listener, only=only)

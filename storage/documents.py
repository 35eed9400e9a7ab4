"""What a journal holds: documents by table and key, and what a transaction changes.

In memory alone: nothing here knows a file. Documents are canonical JSON bytes, so
nothing aliases, and a rollback is exact: it forgets what was laid over them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from storage.groups import Change

OWN = "_journal"
"""The table of what a journal says of itself; no TinyDB table."""
_LINE = 64
"""Roughly what a document costs beside itself: its line and its share of a head."""


class Listener(Protocol):
    """Keeps something derived from the documents, e.g. an index."""

    def load(self, tables: Mapping[str, Mapping[str, bytes]]) -> None:
        """Begin anew from all documents (raw, by table and key)."""

    def listen(
        self, table: str, key: str, before: bytes | None, after: bytes | None
    ) -> None:
        """Take one change that became true."""


class Documents:
    """The tables, and over them what the open transaction has changed. One thread.

    Who keeps them in a file (`journal.Journal`) is a subclass and tells what is true.
    """

    def __init__(
        self, listener: Listener | None = None, only: frozenset[str] | None = None
    ) -> None:
        """`only`: keep these tables and no others."""
        self._listener = listener
        self._only = only
        self._overlay: dict[str, dict[str, bytes | None]] | None = None
        self._dropped: list[str] = []
        self._forget_documents()

    # --- what is committed ------------------------------------------------------

    def _forget_documents(self) -> None:
        """Begin anew with nothing; nobody is told until `_loaded`."""
        self._tables: dict[str, dict[str, bytes]] = {}
        self._is_loading = True
        self.living = 0
        """About how many bytes of a file these take."""

    def _take_group(self, changes: Iterable[Change]) -> None:
        """Take a group that is true now."""
        if self._is_loading:
            self._load_group(changes)
            return
        for change in changes:
            self._apply(change)

    def _loaded(self) -> None:
        """From now on what is taken is counted, and the listener hears of it."""
        self._is_loading = False
        for documents in self._tables.values():
            self.living += sum(map(len, documents.values())) + _LINE * len(documents)
        if self._listener is not None:
            self._listener.load(self._tables)

    def _load_group(self, changes: Iterable[Change]) -> None:
        """Apply changes while nobody listens and nothing is counted yet."""
        tables = self._tables
        usual, puts = "", dict[str, bytes]()
        for table, key, raw in changes:
            if table is usual and key is not None and raw is not None:
                puts[key] = raw
                continue
            usual = ""
            if self._only is not None and table not in self._only:
                continue
            if key is None:
                tables[table] = {}
            elif raw is None:
                tables.setdefault(table, {}).pop(key, None)
            else:
                documents = tables.get(table)
                if documents is None:
                    documents = tables[table] = {}
                documents[key] = raw
                usual, puts = table, documents

    def _apply(self, change: Change) -> None:
        """Take one change that is true now."""
        table, key, raw = change
        documents = self._tables.setdefault(table, {})
        if key is None:
            for each in list(documents):
                self._apply(Change(table, each, None))
            return
        before = documents.get(key)
        if before is not None:
            self.living -= len(before) + _LINE
        if raw is None:
            documents.pop(key, None)
        else:
            documents[key] = raw
            self.living += len(raw) + _LINE
        if self._listener is not None and not self._is_loading:
            self._listener.listen(table, key, before, raw)

    def documents(self) -> Mapping[str, Mapping[str, bytes]]:
        """Return everything that is committed."""
        return self._tables

    # --- a transaction ----------------------------------------------------------

    @property
    def _is_changing(self) -> bool:
        """A transaction is open."""
        return self._overlay is not None

    def _begin_changing(self) -> None:
        """Open a transaction."""
        self._overlay, self._dropped = {}, []

    def _end_changing(self) -> None:
        """Close it; what it changed and nobody has taken is forgotten."""
        self._overlay, self._dropped = None, []

    def _changes(self) -> list[Change]:
        """Return what the open transaction has changed, as a group has it."""
        changes = [Change(table, None, None) for table in self._dropped]
        changes += [
            Change(table, key, raw)
            for table, documents in (self._overlay or {}).items()
            for key, raw in documents.items()
        ]
        return changes

    def get(self, table: str, key: str) -> bytes | None:
        """Return the canonical JSON of a document, or None."""
        if self._overlay is not None:
            changed = self._overlay.get(table)
            if changed is not None and key in changed:
                return changed[key]
            if table in self._dropped:
                return None
        return self._tables.get(table, {}).get(key)

    def put(self, table: str, key: str, raw: bytes) -> None:
        """Set a document; `raw` is canonical JSON without a line break."""
        self._changing(table)[key] = raw

    def delete(self, table: str, key: str) -> None:
        """Delete a document that is there."""
        self._changing(table)[key] = None

    def drop(self, table: str) -> None:
        """Delete all documents of a table."""
        self._changing(table).clear()
        self._dropped.append(table)

    def _changing(self, table: str) -> dict[str, bytes | None]:
        if self._overlay is None:
            raise RuntimeError("documents change only inside a transaction")
        return self._overlay.setdefault(table, {})

    def keys(self, table: str) -> list[str]:
        """Return the keys of a table in the order they were first put."""
        committed = {} if table in self._dropped else self._tables.get(table, {})
        changed = (self._overlay or {}).get(table)
        if not changed:
            return list(committed)
        merged = dict.fromkeys(committed)
        for key, raw in changed.items():
            if raw is None:
                merged.pop(key, None)
            else:
                merged[key] = None
        return list(merged)

    def committed(self, table: str) -> Mapping[str, bytes]:
        """Return a table's documents without those of the open transaction."""
        return self._tables.get(table, {})

    def changed(self, table: str) -> dict[str, bytes | None]:
        """Return what the open transaction has changed in a table."""
        return (self._overlay or {}).get(table, {})

    def size(self, table: str) -> int:
        """Return how many documents a table has."""
        if self._overlay is None:
            return len(self._tables.get(table, {}))
        return len(self.keys(table))

    def tables(self) -> set[str]:
        """Return the names of all tables that have documents."""
        names = (set(self._tables) | set(self._overlay or {})) - {OWN}
        return {name for name in names if self.keys(name)}

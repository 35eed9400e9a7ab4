"""The index of an open journal's segments, kept at what the journal names.

Whatever is wrong with it, it is made anew. A segment that cannot be read is left out,
and remembered: who asks has to be told, or the answer lies. One thread.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import msgspec

from storage import segments
from storage.errors import EvidenceDamaged, EvidenceMissing
from storage.evidence_index import EvidenceIndex
from storage.journal import Journal
from storage.known_types import known
from storage.segments import Segment
from storage.tinydb_indexes import SEGMENTS, Indexes

T = TypeVar("T")
Trouble = EvidenceMissing | EvidenceDamaged
as_segment = msgspec.json.Decoder(known(Segment)).decode


def key_of(number: int) -> str:
    """Return the key of a segment in the journal."""
    return f"{number:08d}"


class IndexBehind(Exception):
    """It lacks much, and others wait for this transaction: not now."""


_INLINE = 3
"""Segments that are taken into the index while others wait."""


class CoveredIndex:
    """Asked only when it has everything that can be read."""

    def __init__(self, journal: Journal, folder: Path, indexes: Indexes) -> None:
        self._journal = journal
        self._folder = folder
        self._indexes = indexes
        self._index = EvidenceIndex(folder)
        self._covered: dict[str, bytes] = {}
        """Segments, by their keys, as the index is known to have them."""
        self._generation = -1
        self._may_take_long = False
        self.unread: dict[str, tuple[Segment, Trouble]] = {}
        """Segments that the index lacks and that cannot be read."""

    def close(self) -> None:
        """Close the file. Safe to call twice."""
        self._index.close()

    @contextmanager
    def taking_long(self) -> Iterator[None]:
        """Let a transaction wait for it, however long: it cannot be made before."""
        self._may_take_long = True
        try:
            yield
        finally:
            self._may_take_long = False

    def cover(self) -> None:
        """Bring it up to date, before anybody has to wait for that."""
        if self._generation != self._indexes.generation and self._journal.size(
            SEGMENTS
        ):
            self.asked(lambda _: None)

    def take_one(self) -> bool:
        """Take a segment that it lacks, while nobody waits; say whether it lacks more.

        What cannot be read stays as it is, until somebody asks.
        """
        if self._generation == self._indexes.generation:
            return False
        return bool(self._used(lambda: self._cover(1)))

    def asked(self, act: Callable[[EvidenceIndex], T]) -> T | None:
        """Ask it, made anew if it is damaged; None: it cannot be used now."""

        def covered() -> T:
            self._cover()
            return act(self._index)

        return self._used(covered)

    def _used(self, act: Callable[[], T]) -> T | None:
        for last in (False, True):
            try:
                return act()
            except sqlite3.DatabaseError as error:
                busy = isinstance(error, sqlite3.OperationalError)
                if last or (busy and not str(error).startswith("no such")):
                    return None
            except OSError:
                return None
            try:
                self._index.make_anew()
            except OSError:
                return None
            self._forget()
        return None

    def make_anew(self) -> Iterator[None]:
        """Throw it away and make it of the segments; yield after each. OSError."""
        self._index.make_anew()
        self._forget()
        while self.take_one():
            yield
        yield

    def _forget(self) -> None:
        self._covered, self._generation = {}, -1

    def _cover(self, most: int | None = None) -> bool:
        """Take what it lacks; say whether more is left: `most` are taken, or tried."""
        generation = self._indexes.generation
        if generation == self._generation and not self.unread:
            return False
        lacking, unread = self._lacking(), dict[str, tuple[Segment, Trouble]]()
        is_waited_for = self._journal.is_in_transaction
        if most is not None or (is_waited_for and len(lacking) > _INLINE):
            lacking, unread = self._untried(lacking)
            if is_waited_for and len(lacking) > _INLINE and not self._may_take_long:
                raise IndexBehind
        tried = 0
        for key, raw in lacking:
            if tried == most:
                self.unread = unread
                return True
            named = as_segment(raw)
            try:
                tried += self._take(named)
            except (EvidenceMissing, EvidenceDamaged) as error:
                unread[key] = named, error
                tried += 1
            else:
                self._covered[key] = raw
        self._generation, self.unread = generation, unread
        return False

    def _lacking(self) -> list[tuple[str, bytes]]:
        """Return the segments that it is not known to have as they are named now."""
        named = ((key, self._journal.get(SEGMENTS, key)) for key in self._keys())
        return [
            (key, raw) for key, raw in named if raw and raw != self._covered.get(key)
        ]

    def _untried(
        self, lacking: list[tuple[str, bytes]]
    ) -> tuple[list[tuple[str, bytes]], dict[str, tuple[Segment, Trouble]]]:
        """Return those that may be readable, and what is known of the others."""
        unread = {
            key: self.unread[key]
            for key, raw in lacking
            if key in self.unread and self.unread[key][0] == as_segment(raw)
        }
        return [each for each in lacking if each[0] not in unread], unread

    def _keys(self) -> list[str]:
        return sorted(self._journal.keys(SEGMENTS))

    def _take(self, named: Segment) -> bool:
        """Have it as it is named; say whether that was to be done."""
        known = self._index.covered(named.number)
        if named.archived and known is not None:
            self._index.drop(named.number)
        elif not named.archived and known != named.sha256:
            located = segments.everything(self._folder, named)
            self._index.add(named.number, named.sha256, located)
        else:
            return False
        return True

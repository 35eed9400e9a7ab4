"""A journal that is read from its file, group by group, in constant memory.

For what must not need the memory of an open registry: to copy one while stations
work, and to look at a copy. Every group's checksums are verified on the way. What
stands behind the last whole group was never committed, and is left out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import msgspec

from storage import groups
from storage.errors import StoreCorrupt, StoreUnsuitable
from storage.fileops import FileOps
from storage.groups import MAGIC, START, Group
from storage.journal_lock import JournalLock
from storage.known_types import known
from storage.records import AuditEvent
from storage.segments import Segment

WINDOW = 1 << 22
"""Bytes read at a time; a larger group is read whole."""
_LONGEST = 1 << 26
"""Bytes; no group is longer, and no torn tail."""
Told = Callable[[int], None]
"""Hears how many bytes more are done."""
_segment = msgspec.json.Decoder(known(Segment)).decode
_event = msgspec.json.Decoder(known(AuditEvent)).decode


@dataclass(slots=True)
class Kept:
    """What is looked at on the way: of some tables, all that lives."""

    tables: dict[str, dict[str, bytes]] = field(default_factory=dict)

    def take(self, group: Group) -> None:
        for table, key, raw in group.changes:
            documents = self.tables.get(table)
            if documents is None:
                continue
            if key is None:
                documents.clear()
            elif raw is None:
                documents.pop(key, None)
            else:
                documents[key] = raw

    def segments(self) -> list[Segment]:
        """Return the segments of evidence that the journal names, in order."""
        found = self.tables["segments"]
        return [_segment(found[key]) for key in sorted(found)]

    def events(self) -> Iterator[AuditEvent]:
        """Yield the events that are not sealed."""
        return map(_event, self.tables["audit"].values())


@dataclass(frozen=True, slots=True)
class Copied:
    """A journal's copy."""

    size: int
    sha256: str
    segments: list[Segment]


def looking_at(*tables: str) -> Kept:
    """Return what keeps these tables, and the evidence."""
    return Kept({table: {} for table in (*tables, "segments", "audit")})


@contextmanager
def opened(ops: FileOps, path: Path) -> Iterator[tuple[BinaryIO, int]]:
    """Open a journal; give where it ends now, nobody being in the middle of a commit.

    Both under the lock: a compaction that ends just then puts another file into its
    place, and the one's end is none of the other's. StoreLocked, OSError.
    """
    with ExitStack() as stack:
        with closing(JournalLock(ops, path)) as lock, lock.held():
            stream = stack.enter_context(path.open("rb"))
            end = ops.identity_of(stream.fileno())[2]
        yield stream, end


def groups_of(
    stream: BinaryIO, path: Path, end: int, sink: Callable[[bytes], object]
) -> Iterator[Group]:
    """Yield the whole groups until `end`; their bytes go to `sink` first.

    StoreCorrupt, StoreUnsuitable, OSError.
    """
    magic = stream.read(min(len(MAGIC), end))
    if magic != MAGIC:
        raise StoreUnsuitable(path=str(path), reason="not a journal")
    sink(magic)
    at, seq, before, window = len(MAGIC), 0, START, WINDOW
    while at < end:
        stream.seek(at)
        data = stream.read(min(window, end - at))
        if not data:  # somebody has cut it meanwhile
            raise StoreCorrupt(path=str(path), offset=at)
        begin = at
        try:
            for group in groups.read(data, at, before, seq):
                sink(data[group.begin - begin : group.end - begin])
                at, seq, before = group.end, group.seq, group.checksum
                yield group
        except groups.Torn:
            if at > begin:
                window = WINDOW
            elif len(data) < end - at and window < _LONGEST:
                window *= 2
            else:
                _end_in(stream, path, at, end)
                return


def _end_in(stream: BinaryIO, path: Path, at: int, end: int) -> None:
    """What is left is a torn tail, or damage before sound groups. StoreCorrupt."""
    stream.seek(at)
    if end - at > _LONGEST or groups.holds_one(stream.read(end - at)):
        raise StoreCorrupt(path=str(path), offset=at)


def copy(ops: FileOps, path: Path, target: BinaryIO, told: Told) -> Copied:
    """Write a journal, as it is at one moment, to a stream. Nobody waits for it.

    StoreCorrupt, StoreUnsuitable (also of one without a group: it was emptied, or never
    begun), StoreLocked, OSError.
    """
    kept, digest, size = looking_at(), hashlib.sha256(), 0

    def sink(data: bytes) -> None:
        nonlocal size
        target.write(data)
        digest.update(data)
        size += len(data)
        told(len(data))

    with opened(ops, path) as (stream, end):
        for group in groups_of(stream, path, end, sink):
            kept.take(group)
    if size == len(MAGIC):
        raise StoreUnsuitable(path=str(path), reason="an empty journal")
    return Copied(size, digest.hexdigest(), kept.segments())


def look(path: Path, kept: Kept, told: Told) -> Iterator[Group]:
    """Read a journal that nobody writes to; keep what `kept` does. As `copy`."""
    with path.open("rb") as stream:
        end = path.stat().st_size
        for group in groups_of(stream, path, end, lambda data: told(len(data))):
            kept.take(group)
            yield group


def last_put(
    groups_: Iterator[Group], table: str, mark: bytes, most: int
) -> list[bytes]:
    """Return some documents of a table that have `mark` in them and live."""
    found: dict[str, bytes] = {}
    for group in groups_:
        for each in group.changes:
            if each.table != table:
                continue
            if each.key is None:
                found.clear()
                continue
            found.pop(each.key, None)
            if each.raw is not None and mark in each.raw and len(found) < most:
                found[each.key] = each.raw
    return list(found.values())

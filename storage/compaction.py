"""Writing what lives into a new file a little at a time, while others commit.

What lived when it began is written without the lock; what was committed meanwhile is
brought over as it was; only the last of that, the fsync and the renaming happen under
the lock. Whoever dies in between leaves a file that nothing names. One does it at a
time.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from storage import groups
from storage.errors import StoreCorrupt, StoreFull
from storage.groups import MAGIC, START, Change
from storage.lock_file import tried

if TYPE_CHECKING:
    from storage.journal import Journal

_PIECE = 1 << 20
"""Bytes that are written in one step."""
_DURABLE = 1 << 20
"""Bytes after which a step is an fsync, so that the last one has little to do."""
_LAST = 1 << 18
"""Bytes of the old file that are brought over under the lock."""


class Compaction:
    """One compaction of one journal; `step` until it says that it has ended."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._path = journal.path.with_name(journal.path.name + ".compact")
        self._steps = self._run()

    def step(self) -> bool:
        """Do a little; say whether more is to be done.

        StoreFull, StoreLocked, StoreChanged; StoreCorrupt: the file does not say any
        more what was read of it.
        """
        try:
            next(self._steps)
        except StopIteration:
            return False
        except OSError as error:
            raise StoreFull(path=str(self._path)) from error
        except groups.Torn as torn:
            path = str(self._journal.path)
            raise StoreCorrupt(path=path, offset=torn.offset) from torn
        return True

    def close(self) -> None:
        """Give it up."""
        self._steps.close()

    def _run(self) -> Generator[None, None, None]:
        """Compact, unless another does: two would write into one file."""
        lock = self._path.with_name(self._path.name + "ing")
        with tried(self._journal.ops, lock, 0.0) as is_alone:
            if is_alone:
                yield from self._alone()

    def _alone(self) -> Generator[None, None, None]:
        journal, ops = self._journal, self._journal.ops
        journal.look()
        start = journal.position
        living = {table: dict(each) for table, each in journal.documents().items()}
        self._seq, self._before, self._size = start.seq, START, len(MAGIC)
        handle = self._handle = ops.create(self._path)
        try:
            ops.write(handle, MAGIC)
            unsynced = 0
            for changes in _pieces(living):
                unsynced += self._append(changes)
                yield
                if unsynced > _DURABLE:
                    ops.fsync(handle)
                    unsynced = 0
                    yield
            del living
            ops.fsync(handle)
            yield
            at, seq, before = start.offset, start.seq, start.before
            while True:
                journal.look()
                if journal.position.inode != start.inode:
                    return  # somebody else was faster
                data = journal.bytes_from(at)
                if len(data) <= _LAST:
                    break
                at, seq, before = self._bring(data, at, seq, before)
                ops.fsync(handle)
                yield
            with journal.locked():
                if journal.position.inode != start.inode:
                    return
                self._bring(journal.bytes_from(at), at, seq, before)
                self._append([journal.end_noted()])
                ops.fsync(handle)
                ops.rename(self._path, journal.path)
                ops.fsync_dir(journal.path.parent)
                journal.go_on(self._seq, self._before, self._size, self._head)
        except (Exception, KeyboardInterrupt, GeneratorExit):
            with suppress(OSError):  # the disk may be read-only
                ops.remove(self._path)  # a full one needs the room
            raise
        finally:
            ops.close(handle)

    def _append(self, changes: list[Change]) -> int:
        data, self._before = groups.write(self._seq + 1, changes, self._before)
        self._head = (self._size, data[: data.index(b"\n")])
        self._seq += 1
        self._journal.ops.write(self._handle, data)
        self._size += len(data)
        return len(data)

    def _bring(
        self, data: bytes, at: int, seq: int, before: str
    ) -> tuple[int, int, str]:
        """Bring whole groups over; return where the next begins."""
        for group in groups.read(data, at, before, seq):
            self._append(group.changes)
            at, seq, before = group.end, group.seq, group.checksum
        return at, seq, before


def _pieces(living: dict[str, dict[str, bytes]]) -> Iterator[list[Change]]:
    piece: list[Change] = []
    size = 0
    for table, documents in living.items():
        for key, raw in documents.items():
            piece.append(Change(table, key, raw))
            size += len(raw)
            if size >= _PIECE:
                yield piece
                piece, size = [], 0
    if piece:
        yield piece

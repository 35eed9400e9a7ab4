"""An append-only, checksummed, crash-safe store of JSON documents by table and key.

One transaction is one group, one write and one fsync, whatever the size of the
store. Documents are held as canonical JSON bytes and decoded by whoever reads them,
so nothing aliases and a rollback is exact. Several processes of one host share a
journal: a lock per transaction (`JournalLock`), and catch-up from the tail. Knows
nothing of TinyDB. One thread per Journal object.
"""

from __future__ import annotations

import errno
import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from storage import groups, joint, opening, torn_tail
from storage.compaction import Compaction
from storage.documents import OWN, Documents, Listener
from storage.errors import (
    StoreCorrupt,
    StoreDeleted,
    StoreFull,
    StorePoisoned,
    StoreReplaced,
    StoreShortened,
    StoreUnsuitable,
)
from storage.fileops import NETWORK, FileOps, make_folders
from storage.groups import MAGIC, START, Change
from storage.journal_lock import JournalLock
from storage.opening import OpeningPart

COMPACT_BYTES = 8 << 20
"""Dead bytes below which compaction is not worth it."""
WINDOW = 1 << 22
"""Bytes read at a time while catching up; a larger group is read whole."""


_NO_FILE = frozenset({errno.EISDIR, errno.ENOTDIR, errno.ENXIO})
"""What a system says of a folder, of what is below a file, and of a socket."""


def _untold(_bytes: int) -> None:
    """Nobody waits for what is read."""


class Position(NamedTuple):
    """How far a journal has been read."""

    inode: tuple[int, int]
    offset: int
    seq: int
    before: str


@contextmanager
def _gc_paused() -> Iterator[None]:
    """Loading makes many objects and no garbage."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


class Journal(Documents):
    """The open store: the file behind the documents."""

    def __init__(
        self,
        path: Path,
        *,
        ops: FileOps | None = None,
        listener: Listener | None = None,
        only: frozenset[str] | None = None,
    ) -> None:
        """Open or create. StoreUnsuitable, StoreLocked, StoreCorrupt, StoreFull.

        `only`: know these tables and no others, to spare their memory; such a journal
        is never compacted.
        """
        self.path = path
        self.torn = ""
        """Where a torn tail was kept; empty if there was none."""
        self._ops = ops or FileOps()
        super().__init__(listener, only)
        self.foreign = 0
        """Counts looks at the file that found another process's groups."""
        self._poisoned = self._replaced = False
        self._handle, self._seq = -1, 0
        self._compaction: Compaction | None = None
        self._told: opening.Told = _untold
        """Hears of the bytes that are read."""
        self._check_place()
        self._lock = JournalLock(self._ops, path)
        try:
            with opening.shown(self._size(), OpeningPart.READING) as self._told:
                self._load(keeps_tail=True)
            self._told = _untold
            with self._locked():
                self._refresh()
        except BaseException:  # who opens it again and again must not run out of files
            self.close()
            raise

    # --- opening --------------------------------------------------------------

    def _check_place(self) -> None:
        folder = self.path.parent
        try:
            make_folders(folder)
        except OSError as error:
            raise StoreFull(path=str(self.path)) from error
        if self._ops.filesystem(folder.resolve()) in NETWORK:
            raise StoreUnsuitable(path=str(self.path), reason="network file system")

    def _load(self, *, keeps_tail: bool = False) -> None:
        """Read everything, cut and keep a torn tail, refuse a damaged middle.

        `keeps_tail`: without the lock; whatever is wrong at the end is left to who
        has it.
        """
        try:
            handle, self._is_readonly = self._ops.open_as_it_may_be(self.path)
        except OSError as error:
            if error.errno in _NO_FILE:
                raise StoreUnsuitable(path=str(self.path), reason="no file") from error
            raise StoreFull(path=str(self.path)) from error
        self._work_with(handle)
        self._inode, self._offset = (-1, -1), 0  # until we know what it is
        is_new = self._seq == 0  # what had groups and has none now is not begun anew
        self._forget()
        data = self._ops.read(self._handle, 0, len(MAGIC))
        if len(data) < len(MAGIC) and MAGIC.startswith(data):
            if is_new and not keeps_tail:
                self._begin(data)
            self._loaded()
            return
        if not data.startswith(MAGIC):
            raise StoreUnsuitable(path=str(self.path), reason="not a journal")
        self._inode = self._ops.identity_of(self._handle)[:2]
        self._offset = len(MAGIC)
        with _gc_paused():
            self._catch_up(keeps_tail=keeps_tail)
            self._loaded()

    def _work_with(self, handle: int) -> None:
        """Take another file, and let go the one before.

        That is nobody's before it is closed: its number may be another file's by then.
        """
        before, self._handle = self._handle, handle
        if before >= 0:
            self._ops.let_go(before)

    def _size(self) -> int:
        try:
            return self._ops.identity(self.path)[2]
        except OSError:
            return 0  # it is made now, or who opens it says what is wrong

    def _forget(self) -> None:
        self._forget_documents()
        self._seq, self._before = 0, START
        self._last_head = (0, MAGIC)

    def _begin(self, data: bytes) -> None:
        """Write the first line of a new file."""
        if data:
            self._ops.truncate(self._handle, 0)
        self._write(MAGIC, 0)
        self._ops.fsync_dir(self.path.parent)
        self._offset = len(MAGIC)
        self._inode = self._ops.identity(self.path)[:2]

    def _catch_up(self, *, keeps_tail: bool = False) -> bool:
        """Apply the groups from our offset to the end of the file, in windows.

        False: `keeps_tail`, and there is damage before sound groups.
        """
        window = WINDOW
        while data := self._ops.read(self._handle, self._offset, window):
            offset = self._offset
            is_whole = self._take(data)
            self._told(self._offset - offset)
            if is_whole:
                continue
            if len(data) < window:
                rest = data[self._offset - offset :]
                if keeps_tail:
                    return not groups.holds_one(rest)
                self._end_in(rest)
                return True
            if self._offset == offset:
                window *= 2
        return True

    def _take(self, data: bytes) -> bool:
        """Apply the whole groups in `data`; say whether nothing was left over."""
        base = self._offset
        try:
            for group in groups.read(data, self._offset, self._before, self._seq):
                self._take_group(group.changes)
                self._remember(data, group.begin - base, group.begin)
                self._seq, self._before = group.seq, group.checksum
                self._offset = group.end
        except groups.Torn:
            return False
        return True

    def _remember(self, data: bytes, at: int, offset: int) -> None:
        """Keep the last group's head: it tells whether the file is still ours."""
        self._last_head = (offset, data[at : data.index(b"\n", at)])

    def _end_in(self, rest: bytes) -> None:
        """The last bytes are no group: a torn tail, or damage before sound groups."""
        if groups.holds_one(rest):
            raise StoreCorrupt(path=str(self.path), offset=self._offset)
        if not self._is_readonly:  # else it stays for whoever may write
            self._cut(rest)

    def _cut(self, rest: bytes) -> None:
        """Cut a torn tail and keep it aside. Only ever under the lock. StoreFull."""
        aside = torn_tail.keep(self._ops, self.path, self._seq, rest)
        try:
            self._ops.truncate(self._handle, self._offset)
            self._ops.fsync(self._handle)
        except OSError as error:
            raise StoreFull(path=str(self.path)) from error
        self.torn = str(aside)

    # --- transactions -----------------------------------------------------------

    def _check_usable(self) -> None:
        if self._poisoned:
            raise StorePoisoned(path=str(self.path))
        if self._replaced:
            raise StoreReplaced(path=str(self.path))

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self._check_usable()
        with self._lock.held():
            yield

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything put inside becomes true at once and durably, or not at all.

        Nested transactions join the outer one. An exception rolls back.
        """
        if self._is_changing:
            yield
            return
        if self._has_moved():
            self.look()  # at all of another file: before anybody has to wait for it
        with self._locked():
            self._refresh()
            self._begin_changing()
            try:
                yield
                self._commit()
            finally:
                self._end_changing()

    def refresh(self) -> None:
        """See what other processes have committed."""
        if not self._is_changing:
            with self._locked():
                self._refresh()

    def look(self) -> None:
        """See what other processes have committed, keeping none of them waiting.

        What stands at the end and is no whole group is being written right now, or
        torn: the next transaction will see. One that is being written may be seen
        before it is durable, as by anybody who looks at the file.
        """
        if self._is_changing:
            return
        self._check_usable()
        inode, size = self._identity()
        if inode == self._inode and size == self._offset:
            return
        if inode != self._inode:
            self.foreign += 1
            self._follow(keeps_tail=True)
            return
        self.foreign += 1
        if not self._catch_up(keeps_tail=True):
            self.refresh()

    def _refresh(self) -> None:
        inode, size = self._identity()
        if inode != self._inode:
            self.foreign += 1
            self._follow()
        elif size != self._offset:
            self.foreign += 1
            self._catch_up()

    def _identity(self) -> tuple[tuple[int, int], int]:
        """Return which file it is and its size. StoreChanged: not the one it was."""
        try:
            device, inode, size = self._ops.identity(self.path)
        except FileNotFoundError as error:
            raise StoreDeleted(path=str(self.path)) from error
        if (device, inode) == self._inode:
            if size < self._offset:
                place = {"size": size, "offset": self._offset}
                raise StoreShortened(path=str(self.path), **place)
            at, head = self._last_head
            if self._ops.read(self._handle, at, len(head)) != head:
                raise StoreReplaced(path=str(self.path))
        return (device, inode), size

    def _has_moved(self) -> bool:
        try:
            return self._ops.identity(self.path)[:2] != self._inode
        except FileNotFoundError as error:
            raise StoreDeleted(path=str(self.path)) from error

    def _follow(self, *, keeps_tail: bool = False) -> None:
        """Go on in the file that another process has compacted ours into.

        It says of which journals it is what lived: ours, to the last commit, is one of
        them, or it comes from elsewhere.
        """
        self._catch_up(keeps_tail=True)
        end: joint.End = [self._seq, self._before]
        if self._goes_on(end):
            self._catch_up(keeps_tail=keeps_tail)
            return
        self._load(keeps_tail=keeps_tail)
        if end[0] and end not in self._ends():
            self._inode = (-1, -1)
            self._forget()
            self._loaded()
            self._replaced = True
            raise StoreReplaced(path=str(self.path))

    def _goes_on(self, end: joint.End) -> bool:
        """Take the new file from where it says what we know already, if that is near.

        Then nothing has to be read again, however much lives.
        """
        if self._seq == 0:
            return False
        try:
            handle = self._ops.open(self.path)
        except OSError:
            return False
        device, inode, size = self._ops.identity_of(handle)
        begin = max(size - joint.LOOKED_AT, 0)
        data = self._ops.read(handle, begin, joint.LOOKED_AT)
        found = joint.found(data, begin)
        if found is None or joint.ends(found[1].raw)[-1:] != [end]:
            self._ops.close(handle)
            return False
        group, note = found
        self._apply(note)
        self._work_with(handle)
        self._inode = (device, inode)
        self._seq, self._before, self._offset = group.seq, group.checksum, group.end
        self._remember(data, group.begin - begin, group.begin)
        return True

    def _ends(self) -> list[joint.End]:
        """Return the ends of the journals before this one."""
        return joint.ends(self.committed(OWN).get(joint.ENDS))

    def _commit(self) -> None:
        changes = self._changes()
        if not changes:
            return
        data, checksum = groups.write(self._seq + 1, changes, self._before)
        self._write(data, self._offset)
        self._remember(data, 0, self._offset)
        self._seq += 1
        self._before = checksum
        self._offset += len(data)
        self._take_group(changes)

    def _write(self, data: bytes, offset: int) -> None:
        """Append and fsync. A failed write is undone; a failed fsync poisons."""
        if self._is_readonly:
            raise StoreFull(path=str(self.path))
        try:
            self._ops.write(self._handle, data)
        except OSError as error:
            self._undo(offset)
            raise StoreFull(path=str(self.path)) from error
        try:
            self._ops.fsync(self._handle)
        except OSError as error:
            self._poisoned = True
            raise StorePoisoned(path=str(self.path)) from error

    def _undo(self, offset: int) -> None:
        try:
            self._ops.truncate(self._handle, offset)
        except OSError as error:
            self._poisoned = True
            raise StorePoisoned(path=str(self.path)) from error

    # --- upkeep -------------------------------------------------------------------

    def compact_if_worthwhile(self) -> bool:
        """Do a little of a compaction that is due; say if more is to be done.

        It is due when the dead outweighs twice the living and is worth it.
        """
        if self._compaction is None:
            dead = self._offset - self.living
            if (
                self._only is not None
                or self._is_readonly
                or dead <= max(2 * self.living, COMPACT_BYTES)
            ):
                return False
            self._compaction = Compaction(self)
        try:
            more = self._compaction.step()
        except BaseException:
            self._compaction = None
            raise
        if not more:
            self._compaction = None
        return more

    def compact(self, told: Callable[[], None] = lambda: None) -> None:
        """Write only what lives into a new file and replace the old one atomically.

        `told` hears of each step, of which there is one for each megabyte that lives.
        """
        if self._only is not None:
            raise RuntimeError("what is not known would be lost")
        compaction = Compaction(self)
        try:
            while compaction.step():
                told()
        finally:
            compaction.close()

    @property
    def is_in_transaction(self) -> bool:
        """Whether others wait for this process."""
        return self._is_changing

    @property
    def is_readonly(self) -> bool:
        """Whether this process may only look at the file."""
        return self._is_readonly

    @property
    def cut_last(self) -> str:
        """Where a torn tail is kept, if nothing was committed since; else empty."""
        aside = torn_tail.place(self.path, self._seq)
        return str(aside) if aside.exists() else ""

    @property
    def position(self) -> Position:
        """Where in which file we have read to."""
        return Position(self._inode, self._offset, self._seq, self._before)

    def bytes_from(self, offset: int) -> bytes:
        """Return what we have read of the file behind `offset`."""
        return self._ops.read(self._handle, offset, self._offset - offset)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the lock, having seen everything."""
        with self._locked():
            self._refresh()
            yield

    def end_noted(self) -> Change:
        """Name this journal's end among those that a compacted one is made of."""
        return joint.noted(self._ends(), [self._seq, self._before])

    def go_on(self, seq: int, before: str, size: int, head: tuple[int, bytes]) -> None:
        """Go on in a file that says the same, and that the path names from now on."""
        self._apply(self.end_noted())
        self._work_with(self._ops.open(self.path))
        self._inode = self._ops.identity_of(self._handle)[:2]
        self._seq, self._before, self._offset = seq, before, size
        self._last_head = head

    @property
    def ops(self) -> FileOps:
        """What the file system is asked through."""
        return self._ops

    def close(self) -> None:
        """Close the files. Safe to call twice."""
        if self._compaction is not None:
            self._compaction.close()
            self._compaction = None
        handle, self._handle = self._handle, -1
        if handle >= 0:
            self._ops.close(handle)
        self._lock.close()

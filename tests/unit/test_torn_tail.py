"""A torn tail: cut only when it is kept, made up for whenever that is possible."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from lab.registries import draft, nonce

from storage.errors import StoreCorrupt, StoreFull, StoreLocked, StorePoisoned
from storage.fileops import FileOps
from storage.groups import MAGIC
from storage.journal import Journal
from storage.tinydb_registry import TinyDbRegistry


class Disk(FileOps):
    """Has room for so many writes; remembers what was done to it, in its order."""

    def __init__(self, writes: int = 1 << 30) -> None:
        self.writes = writes
        self.done: list[str] = []

    def write(self, handle: int, data: bytes) -> None:
        self.writes -= 1
        if self.writes < 0:
            super().write(handle, data[: len(data) // 2])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        super().write(handle, data)
        self.done.append("written")

    def fsync(self, handle: int) -> None:
        super().fsync(handle)
        self.done.append("on the disk")

    def fsync_dir(self, folder: Path) -> None:
        super().fsync_dir(folder)
        self.done.append("and its name")

    def truncate(self, handle: int, size: int) -> None:
        super().truncate(handle, size)
        self.done.append("cut")


def put(journal: Journal, number: int) -> None:
    with journal.transaction():
        journal.put("t", f"k{number}", b"%d" % number)


def known(journal: Journal) -> list[bytes | None]:
    return [journal.get("t", key) for key in journal.keys("t")]


def filled(path: Path, commits: int = 3) -> bytes:
    journal = Journal(path)
    for number in range(commits):
        put(journal, number)
    journal.close()
    return path.read_bytes()


def aside(path: Path) -> list[bytes]:
    return [each.read_bytes() for each in path.parent.glob("*.torn-*")]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "registry.journal"


def test_what_cannot_be_kept_is_not_cut_and_passes(path: Path) -> None:
    data = filled(path)[:-3]
    path.write_bytes(data)
    with pytest.raises(StoreFull) as full:
        Journal(path, ops=Disk(writes=0))
    assert full.value.data == {"path": str(path)}
    assert path.read_bytes() == data
    assert aside(path) == []
    journal = Journal(path)
    assert known(journal) == [b"0", b"1"]
    assert aside(path) == [data[len(path.read_bytes()) :]]
    journal.close()


def test_who_finds_it_while_the_disk_is_full_says_so_and_goes_on(path: Path) -> None:
    """Another process was killed in the middle of a commit."""
    disk = Disk()
    journal = Journal(path, ops=disk)
    put(journal, 0)
    with path.open("ab") as stream:
        stream.write(b"G 2 1 9")
    disk.writes = 0
    with pytest.raises(StoreFull):
        put(journal, 1)
    disk.writes = 9
    put(journal, 1)
    assert known(journal) == [b"0", b"1"]
    journal.close()


def test_it_is_on_the_disk_with_its_name_before_it_is_cut(path: Path) -> None:
    path.write_bytes(filled(path)[:-3])
    disk = Disk()
    Journal(path, ops=disk).close()
    assert disk.done == ["written", "on the disk", "and its name", "cut", "on the disk"]


@pytest.mark.parametrize("writes", range(3))
def test_what_it_may_have_used_is_void_though_there_was_no_room_to_say_so(
    path: Path, writes: int
) -> None:
    registry = TinyDbRegistry(path)
    registry.run(lambda tx: tx.issue_nonce(nonce()))
    registry.run(lambda tx: tx.audit(draft()))
    registry.close()
    path.write_bytes(path.read_bytes()[:-3])
    try:
        TinyDbRegistry(path, ops=Disk(writes=writes)).close()
    except StoreFull:
        assert writes < 2
    for _ in range(2):
        registry = TinyDbRegistry(path)
        said = [e.kind for e in registry.audit_events()]
        assert said == ["registry.recovered"]
        assert registry.run(lambda tx: tx.drop_nonces()) == 0
        registry.close()
    again = TinyDbRegistry(path)
    assert again.recovered() == ""
    again.close()


def test_a_commit_that_is_whole_is_never_cut_as_a_torn_one(path: Path) -> None:
    """One before it is gone: what was confirmed would be lost in silence."""
    data = filled(path)
    second, third = data.index(b"G 2 "), data.index(b"G 3 ")
    for begin, end in ((second, third), (data.index(b"G 1 "), second)):
        path.write_bytes(data[:begin] + data[end:])
        with pytest.raises(StoreCorrupt) as corrupt:
            Journal(path)
        assert corrupt.value.data["offset"] == begin
        assert path.read_bytes() == data[:begin] + data[end:]
    assert aside(path) == []


def test_a_commit_that_finds_no_room_leaves_nothing_of_itself(path: Path) -> None:
    """Else the next one finds a torn tail, and no room to keep it."""
    data, disk = filled(path), Disk(writes=0)
    journal = Journal(path, ops=disk)
    for _ in range(2):
        with pytest.raises(StoreFull):
            put(journal, 3)
        assert path.read_bytes() == data
    assert aside(path) == []
    journal.close()


def test_where_it_cannot_be_taken_back_nothing_more_is_written(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, disk = filled(path), Disk()
    journal = Journal(path, ops=disk)

    def refused(_handle: int, _size: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    disk.writes = 0
    with monkeypatch.context() as patched:
        patched.setattr(disk, "truncate", refused)
        with pytest.raises(StorePoisoned):
            put(journal, 3)
    disk.writes = 9
    with pytest.raises(StorePoisoned):
        put(journal, 3)
    journal.close()
    again = Journal(path)
    assert known(again) == [b"0", b"1", b"2"]
    assert path.read_bytes() == data
    again.close()


@pytest.mark.parametrize("window", [1, 60, 61, 100, 1_000])
def test_what_does_not_fit_into_one_reading_is_no_torn_one(
    path: Path, monkeypatch: pytest.MonkeyPatch, window: int
) -> None:
    """Of however little is read at a time, all is read and nothing is cut."""
    data = filled(path, commits=20)
    monkeypatch.setattr("storage.journal.WINDOW", window)
    journal = Journal(path)
    assert known(journal) == [b"%d" % number for number in range(20)]
    other = Journal(path)
    put(other, 20)
    journal.look()
    assert len(known(journal)) == 21
    for each in (journal, other):
        each.close()
    assert path.read_bytes().startswith(data)
    assert aside(path) == []


def test_a_first_line_that_is_torn_is_written_anew(path: Path) -> None:
    for size in range(len(MAGIC)):
        path.write_bytes(MAGIC[:size])
        for number in range(2):
            journal = Journal(path)
            put(journal, number)
            assert len(known(journal)) == number + 1
            journal.close()


class Guarded(FileOps):
    """Opens a file for nobody who would write to it."""

    def __init__(self, guarded: Path, code: int) -> None:
        self._guarded, self._code = guarded, code

    def open(self, path: Path) -> int:
        if path == self._guarded:
            raise OSError(self._code, os.strerror(self._code), str(path))
        return super().open(path)


@pytest.mark.parametrize("code", [errno.EROFS, errno.EACCES, errno.EPERM])
def test_who_may_only_read_reads_and_leaves_it(path: Path, code: int) -> None:
    data = filled(path) + b"G 4 1 9"
    path.write_bytes(data)
    journal = Journal(path, ops=Guarded(path, code))
    assert known(journal) == [b"0", b"1", b"2"]
    journal.refresh()
    with pytest.raises(StoreFull):
        put(journal, 3)
    journal.close()
    assert path.read_bytes() == data
    assert aside(path) == []


def test_what_cannot_be_opened_for_another_reason_is_not_opened(path: Path) -> None:
    filled(path)
    with pytest.raises(StoreFull):
        Journal(path, ops=Guarded(path, errno.EIO))


def test_who_waits_too_long_is_told_for_what_and_how_long(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.journal_lock.LOCK_SECONDS", 1.5)
    ours, theirs = Journal(path), Journal(path)
    with theirs.transaction(), pytest.raises(StoreLocked) as locked:
        put(ours, 1)
    assert locked.value.data == {"path": str(path), "seconds": 1}
    for journal in (ours, theirs):
        journal.close()

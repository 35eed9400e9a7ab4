"""When a compaction is begun, how far it is, and what it leaves that does not end."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from storage import compaction
from storage.compaction import Compaction
from storage.errors import (
    RegistryError,
    StoreCorrupt,
    StoreDeleted,
    StoreLocked,
    StoreReplaced,
)
from storage.fileops import FileOps
from storage.journal import Journal
from storage.lock_file import tried

MEGABYTE = 1 << 20


def put(journal: Journal, key: str, raw: bytes) -> None:
    with journal.transaction():
        journal.put("t", key, raw)


def filled(path: Path) -> Journal:
    journal = Journal(path)
    for number in range(40):
        put(journal, f"k{number % 20}", b"%d" % number)
    return journal


def locked(journal: Journal) -> None:
    """Another process stands still in the middle of a commit."""
    journal._ops.lock(journal._lock._lock, 0.0)


def put_back(journal: Journal) -> None:
    older = journal.path.with_name("older")
    older.replace(journal.path)


def deleted(journal: Journal) -> None:
    journal.path.unlink()


def rotten(journal: Journal) -> None:
    """What was committed meanwhile reads otherwise than it did."""
    data = bytearray(journal.path.read_bytes())
    data[-3] ^= 1
    with journal.path.open("r+b") as stream:
        stream.write(data)


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (locked, StoreLocked),
        (put_back, StoreReplaced),
        (deleted, StoreDeleted),
        (rotten, StoreCorrupt),
    ],
)
def test_what_does_not_end_is_named_and_leaves_no_file(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    harm: Callable[[Journal], None],
    said: type[RegistryError],
) -> None:
    monkeypatch.setattr(compaction, "_PIECE", 30)
    monkeypatch.setattr("storage.journal_lock.LOCK_SECONDS", 0.0)
    path = tmp_path / "journal"
    ours = filled(path)
    shutil.copy(path, tmp_path / "older")
    put(ours, "later", b"1")
    theirs = Journal(path)
    running = Compaction(ours)
    running.step()
    put(theirs, "meanwhile", b"1234567")
    ours.look()
    before = path.read_bytes()
    harm(theirs)
    with pytest.raises(said) as error:
        all(running.step() for _ in range(999))
    assert error.value.data["path"] == str(path)
    if said is StoreCorrupt:
        assert error.value.data["offset"] == before.rindex(b"\nG ") + 1
    assert not list(tmp_path.glob("*.compact"))
    for journal in (ours, theirs):
        journal.close()


def test_who_has_one_made_hears_of_each_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compaction, "_PIECE", 1)
    journal = filled(tmp_path / "journal")
    steps: list[int] = []
    journal.compact(lambda: steps.append(len(journal.keys("t"))))
    assert len(steps) >= 20
    journal.close()


def test_it_is_worth_it_from_eight_megabytes_of_dead_bytes_on(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal")
    half = b'"%s"' % (b"x" * (MEGABYTE // 2))
    for _ in range(16):  # one of them lives
        put(journal, "k", half)
    inode = journal.path.stat().st_ino
    assert not journal.compact_if_worthwhile()
    assert journal.path.stat().st_ino == inode
    for _ in range(2):
        put(journal, "k", half)
    while journal.compact_if_worthwhile():
        pass
    assert journal.path.stat().st_size < MEGABYTE
    assert journal.get("t", "k") == half
    journal.close()


def test_nor_before_the_dead_are_twice_what_lives(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal")
    many = b'"%s"' % (b"x" * MEGABYTE)
    for number in range(5):
        put(journal, f"k{number}", many)
    for _ in range(9):  # dead: nine; living: five
        put(journal, "k0", many)
    assert not journal.compact_if_worthwhile()
    assert journal.path.stat().st_size > 13 * MEGABYTE
    for _ in range(2):
        put(journal, "k0", many)
    while journal.compact_if_worthwhile():
        pass
    assert journal.path.stat().st_size < 6 * MEGABYTE
    assert len(journal.keys("t")) == 5
    journal.close()


class Asks(FileOps):
    """Asks before each step whether somebody else could commit now."""

    def __init__(self, lock: Path) -> None:
        self._lock_file = lock
        self.could: list[tuple[str, bool]] = []

    def _ask(self, step: str) -> None:
        with tried(FileOps(), self._lock_file, 0.0) as is_free:
            self.could.append((step, is_free))

    def write(self, handle: int, data: bytes) -> None:
        self._ask("write")
        super().write(handle, data)

    def rename(self, source: Path, target: Path) -> None:
        self._ask("rename")
        super().rename(source, target)

    def fsync_dir(self, folder: Path) -> None:
        self._ask("name")
        super().fsync_dir(folder)


def test_nobody_commits_from_the_last_that_is_brought_over_to_the_renaming(
    tmp_path: Path,
) -> None:
    """It would be in the old file, which nothing names any more."""
    path = tmp_path / "journal"
    filled(path).close()
    ops = Asks(path.with_name("journal.lock"))
    journal = Journal(path, ops=ops)
    journal.compact()
    journal.close()
    living, last = [("write", True)] * 2, [("write", False)]
    assert ops.could == [*living, *last, ("rename", False), ("name", False)]


class ForReading(FileOps):
    """Opens no journal to write to it."""

    def open(self, path: Path) -> int:
        if path.name == "journal":
            raise PermissionError(errno.EACCES, "", str(path))
        return super().open(path)


def test_whoever_knows_not_all_of_it_or_may_only_read_compacts_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What they do not know would be lost."""
    monkeypatch.setattr("storage.journal.COMPACT_BYTES", -1)
    path = tmp_path / "journal"
    filled(path).close()
    before = path.read_bytes()
    some = Journal(path, only=frozenset({"other"}))
    some.living = -1_000
    assert not some.compact_if_worthwhile()
    with pytest.raises(RuntimeError):
        some.compact()
    reader = Journal(path, ops=ForReading())
    reader.living = -1_000
    assert not reader.compact_if_worthwhile()
    assert path.read_bytes() == before
    for each in (some, reader):
        each.close()

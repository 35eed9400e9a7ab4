"""A journal's file that somebody changes while stations have it open."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from storage import journal_copy
from storage.errors import (
    StoreChanged,
    StoreDeleted,
    StoreFull,
    StoreReplaced,
    StoreShortened,
)
from storage.fileops import FileOps
from storage.journal import Journal


def put(journal: Journal, number: int) -> None:
    with journal.transaction():
        journal.put("t", f"k{number}", b'{"n":%d}' % number)


def shortened(path: Path, _older: Path) -> None:
    os.truncate(path, path.stat().st_size - 5)


def emptied(path: Path, _older: Path) -> None:
    path.write_bytes(b"")


def deleted(path: Path, _older: Path) -> None:
    path.unlink()


def restored_in_place(path: Path, older: Path) -> None:
    path.write_bytes(older.read_bytes())


def restored_by_renaming(path: Path, older: Path) -> None:
    older.replace(path)


def restored_and_gone_on_with(path: Path, older: Path) -> None:
    path.write_bytes(older.read_bytes())
    other = Journal(path)
    for number in range(50):
        put(other, 1_000 + number)
    other.close()


def renamed_and_gone_on_with(path: Path, older: Path) -> None:
    older.replace(path)
    other = Journal(path)
    for number in range(50):
        put(other, 1_000 + number)
    other.compact()
    other.close()


def begun_anew(path: Path, _older: Path) -> None:
    path.unlink()
    Journal(path).close()


def another_ones(path: Path, older: Path) -> None:
    shutil.copy(older.with_name("another"), path)


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (shortened, StoreShortened),
        (emptied, StoreShortened),
        (deleted, StoreDeleted),
        (restored_in_place, StoreShortened),
        (restored_by_renaming, StoreReplaced),
        (restored_and_gone_on_with, StoreReplaced),
        (renamed_and_gone_on_with, StoreReplaced),
        (begun_anew, StoreReplaced),
        (another_ones, StoreReplaced),
    ],
)
def test_it_is_noticed_at_the_next_commit_and_nothing_is_written(
    tmp_path: Path, harm: Callable[[Path, Path], None], said: type[StoreChanged]
) -> None:
    path, older = tmp_path / "journal", tmp_path / "older"
    journal, another = Journal(path), Journal(tmp_path / "another")
    for number in range(4):
        put(journal, number)
    shutil.copy(path, older)
    for number in range(4, 8):
        put(journal, number)
    for number in range(100):
        put(another, 5_000 + number)
    another.close()
    harm(path, older)
    after = path.read_bytes() if path.exists() else None
    for number in range(8, 10):
        with pytest.raises(said):
            put(journal, number)
        with pytest.raises(said):
            journal.look()
    assert (path.read_bytes() if path.exists() else None) == after
    journal.close()


def test_a_restored_snapshot_is_not_taken_for_a_compaction(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    journal = Journal(path)
    for number in range(8):
        put(journal, number)
    with (tmp_path / "snapshot").open("wb") as stream:
        journal_copy.copy(FileOps(), path, stream, lambda _bytes: None)
    put(journal, 8)
    (tmp_path / "snapshot").replace(path)
    with pytest.raises(StoreReplaced):
        put(journal, 9)
    journal.close()


def test_what_is_known_already_is_not_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "journal"
    ours, theirs = Journal(path), Journal(path)
    for number in range(20):
        put(theirs, number)
    theirs.compact()
    put(theirs, 20)
    monkeypatch.setattr(Journal, "_load", None)
    ours.look()
    put(ours, 21)
    theirs.look()
    assert ours.keys("t") == theirs.keys("t") == [f"k{number}" for number in range(22)]
    ours.close()
    theirs.close()


@pytest.mark.parametrize("compactions", [1, 3])
def test_what_another_process_compacts_is_followed(
    tmp_path: Path, compactions: int
) -> None:
    path = tmp_path / "journal"
    ours, theirs = Journal(path), Journal(path)
    put(ours, 1)
    for number in range(compactions):
        put(theirs, 10 + number)
        theirs.compact()
        put(theirs, 20 + number)
    ours.look()
    put(ours, 2)
    put(theirs, 3)
    put(ours, 4)
    theirs.look()
    assert set(ours.keys("t")) == set(theirs.keys("t"))
    assert len(ours.keys("t")) == 4 + 2 * compactions
    ours.close()
    theirs.close()
    again = Journal(path)
    assert len(again.keys("t")) == 4 + 2 * compactions
    again.close()


class FailsForAWhile(FileOps):
    """Cannot open a file so many times, or read its beginning."""

    def __init__(self, code: int) -> None:
        self.code, self.opens, self.reads = code, 0, 0

    def open(self, path: Path) -> int:
        if self.opens and not path.name.endswith("lock"):
            self.opens -= 1
            raise OSError(self.code, os.strerror(self.code))
        return super().open(path)

    def open_readonly(self, path: Path) -> int:
        if self.code != errno.EMFILE:
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        return super().open_readonly(path)

    def read(self, handle: int, offset: int, limit: int) -> bytes:
        if self.reads and offset == 0:
            self.reads -= 1
            raise OSError(self.code, os.strerror(self.code))
        return super().read(handle, offset, limit)


@pytest.mark.parametrize("code", [errno.EMFILE, errno.EACCES])
def test_who_cannot_open_what_was_compacted_follows_as_soon_as_it_can(
    tmp_path: Path, code: int
) -> None:
    ops = FailsForAWhile(code)
    ours, other = Journal(tmp_path / "j", ops=ops), Journal(tmp_path / "j")
    put(ours, 1)
    other.compact()
    ops.opens = 4  # two for each attempt
    with pytest.raises(StoreFull):
        put(ours, 2)
    with pytest.raises(StoreFull):
        ours.look()
    put(ours, 3)
    other.look()
    assert sorted(other.keys("t")) == ["k1", "k3"]
    ours.close()
    other.close()


def test_a_compacted_file_of_which_nothing_could_be_read_is_read_anew_and_not_cut(
    tmp_path: Path,
) -> None:
    ops = FailsForAWhile(errno.EIO)
    ours, other = Journal(tmp_path / "j", ops=ops), Journal(tmp_path / "j")
    for number in range(3):
        put(ours, number)
    other.look()
    other.compact()
    put(other, 3)
    for _ in range(40):
        put(other, 4)
    ops.opens, ops.reads = 1, 1  # it has to be read whole
    with suppress(OSError):
        ours.look()
    ours.refresh()
    assert sorted(ours.keys("t")) == ["k0", "k1", "k2", "k3", "k4"]
    put(ours, 5)
    other.look()
    assert sorted(other.keys("t")) == ["k0", "k1", "k2", "k3", "k4", "k5"]
    assert not list(tmp_path.glob("j.torn-*"))
    ours.close()
    other.close()


def test_an_empty_file_that_is_put_in_its_place_is_not_begun_by_who_works_with_it(
    tmp_path: Path,
) -> None:
    path, empty = tmp_path / "journal", tmp_path / "empty"
    journal = Journal(path)
    put(journal, 1)
    empty.touch()
    empty.replace(path)
    with pytest.raises(StoreReplaced):
        journal.refresh()
    with pytest.raises(StoreReplaced):
        put(journal, 2)
    journal.close()
    assert path.read_bytes() == b""

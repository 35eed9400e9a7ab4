"""Compacting a little at a time, while others commit, and dying anywhere in it."""

from __future__ import annotations

import os
import random
import threading
from pathlib import Path

import pytest
from lab.open_files import open_files

from storage import compaction, journal
from storage.compaction import Compaction
from storage.fileops import FileOps
from storage.journal import Journal

pytestmark = pytest.mark.slow


class Killed(BaseException):
    """The process ends here."""


class DiesAt(FileOps):
    """Dies before one call that changes something, or half way through it."""

    def __init__(self, call: int, *, half: bool) -> None:
        self._left, self._half = call, half

    def _dies(self) -> bool:
        self._left -= 1
        return self._left == 0

    def create(self, path: Path) -> int:
        if self._dies():
            raise Killed
        return super().create(path)

    def write(self, handle: int, data: bytes) -> None:
        if self._dies():
            super().write(handle, data[: len(data) // 2 if self._half else 0])
            raise Killed
        super().write(handle, data)

    def fsync(self, handle: int) -> None:
        if self._dies():
            raise Killed
        super().fsync(handle)

    def rename(self, source: Path, target: Path) -> None:
        if self._dies():
            if self._half:
                super().rename(source, target)
            raise Killed
        super().rename(source, target)

    def fsync_dir(self, folder: Path) -> None:
        if self._dies():
            raise Killed
        super().fsync_dir(folder)


def put(store: Journal, key: str, number: int) -> None:
    with store.transaction():
        store.put("t", key, b'{"n":%d}' % number)


def contents(store: Journal) -> dict[str, bytes | None]:
    store.look()
    return {key: store.get("t", key) for key in store.keys("t")}


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compaction, "_PIECE", 30)
    monkeypatch.setattr(compaction, "_DURABLE", 100)
    monkeypatch.setattr(compaction, "_LAST", 200)


def filled(path: Path) -> Journal:
    store = Journal(path)
    for number in range(40):
        put(store, f"k{number % 20}", number)
    return store


@pytest.mark.parametrize("seed", range(20))
def test_what_others_commit_between_two_steps_is_in_it(
    tmp_path: Path, seed: int
) -> None:
    dice = random.Random(seed)
    ours = filled(tmp_path / "journal")
    theirs = Journal(tmp_path / "journal")
    expected = contents(ours)
    running = Compaction(ours)
    more = True
    while more:
        for _ in range(dice.randrange(3)):
            who, key = dice.choice((ours, theirs)), f"k{dice.randrange(30)}"
            number = dice.randrange(10**6)
            put(who, key, number)
            expected[key] = b'{"n":%d}' % number
        if dice.random() < 0.2 and expected:
            key = dice.choice(sorted(expected))
            with theirs.transaction():
                theirs.delete("t", key)
            del expected[key]
        more = running.step()
    assert contents(ours) == contents(theirs) == expected
    put(theirs, "after", 1)
    put(ours, "after", 2)
    assert contents(theirs)["after"] == b'{"n":2}'
    again = Journal(tmp_path / "journal")
    assert contents(again) == {**expected, "after": b'{"n":2}'}
    for store in (ours, theirs, again):
        store.close()


@pytest.mark.parametrize("half", [False, True])
def test_dying_anywhere_leaves_the_old_file_or_the_new(
    tmp_path: Path, half: bool
) -> None:
    for call in range(1, 300):
        path = tmp_path / str(call) / "journal"
        store = filled(path)
        expected = contents(store)
        store.close()
        store = Journal(path, ops=DiesAt(call, half=half))
        try:
            store.compact()
        except Killed:
            ended = False
        else:
            ended = True
        store.close()
        again = Journal(path)
        assert contents(again) == expected
        put(again, "k0", 99)
        again.compact()
        assert contents(again)["k0"] == b'{"n":99}'
        again.close()
        if ended:
            assert call > 15, "every write of it was tried"
            return
    pytest.fail("never ended")


def test_of_two_who_compact_at_once_one_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They know different things: what one writes fits into nothing of the other's."""
    monkeypatch.setattr(compaction, "_PIECE", 20)
    for begun in range(1, 12):
        path = tmp_path / str(begun) / "journal"
        ours, theirs = filled(path), Journal(path)
        first, second = Compaction(ours), Compaction(theirs)
        for _ in range(begun):
            first.step()
        put(theirs, "k1", 999_999)
        for _ in range(begun // 2):
            second.step()
        while first.step():
            pass
        while second.step():
            pass
        expected = contents(theirs)
        ours.close()
        theirs.close()
        again = Journal(path)
        assert contents(again) == expected
        again.close()


def test_nobody_who_commits_frees_the_file_that_was_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever closes it last does: half a second for a gigabyte."""
    freeing: list[threading.Thread] = []
    others, close = set(threading.enumerate()), os.close

    def closing(handle: int) -> None:
        if os.fstat(handle).st_nlink == 0:
            freeing.append(threading.current_thread())
        close(handle)

    monkeypatch.setattr(os, "close", closing)
    ours = filled(tmp_path / "journal")
    theirs, late = Journal(tmp_path / "journal"), Journal(tmp_path / "journal")
    ours.compact()
    put(theirs, "k1", 1)
    ours.compact()  # whom two compactions have passed by reads it all
    put(late, "k2", 2)
    for thread in set(threading.enumerate()) - others:
        thread.join()
    monkeypatch.undo()
    assert len(freeing) == 4
    assert threading.current_thread() not in freeing
    for store in (ours, theirs, late):
        store.close()


def test_what_was_replaced_is_closed_where_there_are_no_more_threads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def start(_thread: threading.Thread) -> None:
        raise RuntimeError

    ours = filled(tmp_path / "journal")
    monkeypatch.setattr(threading.Thread, "start", start)
    before = open_files()
    ours.compact()
    assert open_files() == before
    ours.close()


def test_little_of_the_new_file_waits_for_the_disk_at_a_time(tmp_path: Path) -> None:
    """Else who commits just then would wait behind all of it."""
    waiting = [0]

    class Counting(FileOps):
        def write(self, handle: int, data: bytes) -> None:
            waiting.append(waiting[-1] + len(data))
            super().write(handle, data)

        def fsync(self, handle: int) -> None:
            waiting.append(0)
            super().fsync(handle)

    filled(tmp_path / "journal").close()
    store = Journal(tmp_path / "journal", ops=Counting())
    store.compact()
    store.close()
    assert waiting.count(0) > 6
    assert max(waiting) < 100 + 300, "and one piece"


def test_nobody_waits_but_for_the_last_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    locks: list[int] = []

    class Counting(FileOps):
        def lock(self, handle: int, seconds: float, *, is_shared: bool = False) -> bool:
            locks.append(handle)
            return super().lock(handle, seconds, is_shared=is_shared)

    store = Journal(tmp_path / "journal", ops=Counting())
    for number in range(40):
        put(store, f"k{number % 20}", number)
    locks.clear()
    monkeypatch.setattr(journal, "COMPACT_BYTES", -1)
    store.living = 0
    steps = 0
    while store.compact_if_worthwhile():
        steps += 1
    assert steps > 10
    assert locks.count(store._lock._lock) == 1
    assert os.stat(tmp_path / "journal").st_size < 3_000  # noqa: PTH116 - its size alone
    store.close()

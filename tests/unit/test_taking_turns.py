"""Several processes on one journal: none that waits is passed again and again."""

from __future__ import annotations

import errno
import fcntl
import os
import threading
from pathlib import Path

import pytest

from storage import journal_lock
from storage.fileops import FileOps
from storage.journal import Journal

ASKED = 20
"""How often somebody wants to commit while another commits all the time."""
PASSED = 2
"""How many of the other's commits may be done after somebody stands first: the one that
has begun, and one that is not counted yet.
"""


class Standing(FileOps):
    """Notes how much another has done when somebody stands first."""

    def __init__(self) -> None:
        self.done = self.then = 0

    def lock(self, handle: int, seconds: float, *, is_shared: bool = False) -> bool:
        is_ours = super().lock(handle, seconds, is_shared=is_shared)
        if Path(f"/proc/self/fd/{handle}").readlink().name.endswith(".turn.lock"):
            self.then = self.done
        return is_ours


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal"


def put(journal: Journal, key: str) -> None:
    with journal.transaction():
        journal.put("t", key, b"1")


def test_who_waits_comes_before_who_has_just_had_it(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_lock, "COURTESY", 60.0)  # however busy the machine
    standing = Standing()
    busy, ours = Journal(path), Journal(path, ops=standing)
    has_begun, is_over = threading.Event(), threading.Event()

    def commit_all_the_time() -> None:
        while not is_over.is_set():
            put(busy, "busy")
            standing.done += 1
            has_begun.set()

    other = threading.Thread(target=commit_all_the_time)
    other.start()
    has_begun.wait(60)
    passed = []
    for _ in range(ASKED):
        with ours.transaction():
            ours.put("t", "ours", b"1")
            passed.append(standing.done - standing.then)
    is_over.set()
    other.join(60)
    for journal in (busy, ours):
        journal.close()
    assert max(passed) <= PASSED, passed


def test_one_that_waits_and_stands_still_holds_up_nobody(path: Path) -> None:
    journal = Journal(path)
    put(journal, "before")
    stopped = os.open(path.with_name("journal.turn.lock"), os.O_RDWR)
    fcntl.flock(stopped, fcntl.LOCK_EX)
    put(journal, "after")
    os.close(stopped)
    assert journal.committed("t") == {"before": b"1", "after": b"1"}
    journal.close()


def test_who_has_committed_stands_in_nobodys_way(path: Path) -> None:
    journal = Journal(path)
    put(journal, "once")
    for name in ("journal.lock", "journal.turn.lock"):
        free = os.open(path.with_name(name), os.O_RDWR)
        fcntl.flock(free, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.close(free)
    journal.close()


class NoMoreNames(FileOps):
    """Makes no file that is not there, as a full disk."""

    def open(self, path: Path) -> int:
        if not path.exists():
            raise OSError(errno.ENOSPC, "", str(path))
        return super().open(path)


def test_a_registry_of_before_is_opened_on_a_full_disk(path: Path) -> None:
    journal = Journal(path)
    put(journal, "before")
    journal.close()
    path.with_name("journal.turn.lock").unlink()
    journal = Journal(path, ops=NoMoreNames())
    put(journal, "after")
    assert journal.committed("t") == {"before": b"1", "after": b"1"}
    journal.close()

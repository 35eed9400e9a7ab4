"""The lock of a journal: one process commits at a time, and those who wait have turns.

An flock has no queue. Who commits again and again would get it again each time, before
anybody who looks now and then whether it is free. So whoever wants it stands first
where one can stand (`….turn.lock`), and who has just had it finds somebody there. That
is a courtesy: one who stands there and does not move is passed after a moment.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from storage.errors import StoreFull, StoreLocked
from storage.fileops import FileOps

LOCK_SECONDS = 10.0
COURTESY = 0.05
"""How long one who stands first is let go first (seconds)."""


def lock_files(journal: Path) -> tuple[Path, Path]:
    """Name a journal's lock, and where one stands for it."""
    lock, turn = (f"{journal.name}.{kind}" for kind in ("lock", "turn.lock"))
    return journal.with_name(lock), journal.with_name(turn)


class JournalLock:
    """Both files, open. One thread at a time."""

    def __init__(self, ops: FileOps, journal: Path) -> None:
        """StoreFull: the lock is not there and cannot be made."""
        self._ops, self._journal = ops, journal
        self._turn = -1
        lock, turn = lock_files(journal)
        try:
            self._lock, _ = ops.open_as_it_may_be(lock)  # to read is enough for a lock
        except OSError as error:
            raise StoreFull(path=str(journal)) from error
        with suppress(OSError):  # a full disk: nobody can stand there
            self._turn, _ = ops.open_as_it_may_be(turn)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Have it, after whoever waits already. StoreLocked."""
        is_first = self._turn >= 0 and self._ops.lock(self._turn, COURTESY)
        try:
            is_ours = self._ops.lock(self._lock, LOCK_SECONDS)
        finally:
            if is_first:
                self._ops.unlock(self._turn)
        if not is_ours:
            raise StoreLocked(path=str(self._journal), seconds=int(LOCK_SECONDS))
        try:
            yield
        finally:
            self._ops.unlock(self._lock)

    def close(self) -> None:
        """Close the files. Safe to call twice."""
        handles = self._lock, self._turn
        self._lock = self._turn = -1
        for handle in handles:
            if handle >= 0:
                self._ops.close(handle)

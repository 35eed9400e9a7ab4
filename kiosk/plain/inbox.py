"""What other threads tell the one that talks to the person, and a bell to wake it."""

from __future__ import annotations

import contextlib
import os
import queue
from typing import Generic, TypeVar

T = TypeVar("T")


class Inbox(Generic[T]):
    """A queue that `poll` can wait for. Any thread puts; one takes.

    It lives as long as its process: a worker may tell something at the very end.
    """

    def __init__(self) -> None:
        self._items: queue.SimpleQueue[T] = queue.SimpleQueue()
        self._bell, self._button = os.pipe()
        for end in (self._bell, self._button):
            os.set_blocking(end, False)

    def put(self, item: T) -> None:
        """Tell something. Safe in a signal handler."""
        self._items.put(item)
        with contextlib.suppress(BlockingIOError):  # full: it rings already
            os.write(self._button, b"!")

    def fileno(self) -> int:
        """Return the descriptor that is readable while something may be there."""
        return self._bell

    def take(self) -> list[T]:
        """Return everything that was told, oldest first."""
        with contextlib.suppress(BlockingIOError):
            while os.read(self._bell, 64):
                pass
        items: list[T] = []
        with contextlib.suppress(queue.Empty):
            while True:
                items.append(self._items.get_nowait())
        return items

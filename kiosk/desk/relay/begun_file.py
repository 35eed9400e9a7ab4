"""A long file that a station writes for its session, a piece at a time."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from kiosk.core import private_files


class BegunFile:
    """A new file, readable by its owner only: there when it is whole, and else not.

    OSError as it comes, and again at whatever is asked after it: the file is gone.
    Desk worker's thread.
    """

    def __init__(self, path: Path) -> None:
        """Begin it. FileExistsError: nothing is changed."""
        self._opened = ExitStack()
        self._stream = self._opened.enter_context(private_files.created(path))
        self._error: OSError | None = None

    def add(self, data: bytes) -> None:
        """Write a piece more."""
        self._check()
        try:
            self._stream.write(data)
        except OSError as error:
            self._error = error
            self.drop()
            raise

    def keep(self) -> None:
        """It is whole: make it durable."""
        self._check()
        self._opened.close()

    def drop(self) -> None:
        """Remove it again."""
        try:
            with self._opened:
                raise _NotWhole
        except _NotWhole:
            return
        except OSError:  # what was still to be written, and need not be
            return

    def _check(self) -> None:
        if self._error is not None:
            raise self._error


class _NotWhole(Exception):
    """What removes the file."""

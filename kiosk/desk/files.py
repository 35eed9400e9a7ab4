"""Files that an operator names: they are the station's, wherever the session works.

A list of new cards is read, its results are written beside it, what an auditor takes
away is written. Worker's thread.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path, PurePath
from typing import BinaryIO, Protocol

from kiosk.core import private_files
from kiosk.core.errors import KioskError, reason_of

FILE_REFUSED = "desk.file_refused"


class FileRefused(KioskError):
    """A file cannot be read or written: `reason`."""

    code = FILE_REFUSED


class StationFiles(Protocol):
    """Files of the station, by the names that its operator types. FileRefused."""

    def read(self, name: str, *, most: int) -> bytes | None:
        """Return what stands in it, at most one byte more than `most`; None: there is
        none.
        """

    def create(self, name: str, data: bytes) -> None:
        """Write a new file, readable by its owner only."""

    def append(self, name: str, data: bytes) -> None:
        """Add to a file, durably."""

    def written(self, name: str) -> AbstractContextManager[BinaryIO]:
        """Open a new file, as `create`, for what is long. Within the block too:
        FileRefused.
        """


class OwnFiles:
    """`StationFiles` where the session works at the station itself."""

    def read(self, name: str, *, most: int) -> bytes | None:
        try:
            return read(_path(name), most)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise FileRefused(reason=reason_of(error)) from error

    def create(self, name: str, data: bytes) -> None:
        try:
            private_files.create(_path(name), data)
        except OSError as error:
            raise FileRefused(reason=reason_of(error)) from error

    def append(self, name: str, data: bytes) -> None:
        try:
            append(_path(name), data)
        except OSError as error:
            raise FileRefused(reason=reason_of(error)) from error

    @contextmanager
    def written(self, name: str) -> Iterator[BinaryIO]:
        try:
            with private_files.created(_path(name)) as stream:
                yield stream
        except OSError as error:
            raise FileRefused(reason=reason_of(error)) from error


def results_beside(name: str) -> str:
    """Return where the results of a list are written."""
    path = PurePath(name)
    return str(path.with_name(f"{path.stem}.results.csv")) if path.name else ""


def read(path: Path, most: int) -> bytes:
    """Return what stands in a file, at most one byte more than `most`. OSError, at once
    where nothing is kept: a pipe, or a terminal, would be waited for.
    """
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(handle, "rb") as stream:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError(errno.EINVAL, "it is no file")
        return stream.read(most + 1)


def append(path: Path, data: bytes) -> None:
    """Add to a file that is there, durably. OSError."""
    with path.open("ab") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())


def _path(name: str) -> Path:
    try:
        return Path(name).expanduser()
    except (RuntimeError, ValueError):
        raise FileRefused(reason="no such name") from None

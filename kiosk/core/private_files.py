"""Files for their owner alone (0600), whole or not at all.

What is written is durable when the call returns. `create`, `copy` and `replace` make
folders (0700) that are missing. Any thread; OSError as it comes.
"""

from __future__ import annotations

import errno
import io
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from typing_extensions import Buffer

_PIECE = 1 << 20
"""Bytes that are copied at a time."""
_STEP = 1 << 20
"""Bytes after which what was written of a large file is brought to the disk."""
_NO_LINKS = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS})
"""What a file system says that gives a file one name and no other."""


@contextmanager
def all_or_none() -> Iterator[list[Path]]:
    """Remove again what the list names, should the block not end well."""
    written: list[Path] = []
    try:
        yield written
    except BaseException:
        for file in written:
            _remove(file)
        raise


@contextmanager
def folders_too(files: Iterable[Path]) -> Iterator[None]:
    """Remove folders again that were made for files, should the block not end well."""
    above = {folder for file in files for folder in file.parents}
    missing = [folder for folder in above if not folder.exists()]
    try:
        yield
    except BaseException:
        for folder in sorted(missing, reverse=True):  # what is inside comes first
            with suppress(OSError):  # somebody has put something there
                folder.rmdir()
        raise


def copy(
    source: Path, target: Path, told: Callable[[int], object] = lambda _bytes: None
) -> None:
    """Copy into a new file; `told` hears of the bytes."""
    make_folders_above(target)
    with source.open("rb") as stream, created(target) as handle:
        while piece := stream.read(_PIECE):
            handle.write(piece)
            told(len(piece))


def create(target: Path, data: bytes) -> None:
    """Write a file that is not there yet: FileExistsError, and nothing is changed."""
    make_folders_above(target)
    with created(target) as handle:
        handle.write(data)


def replace(target: Path, data: bytes) -> None:
    """Write a file, over the one that is there if there is one."""
    beside = target.with_name(f".{target.name}.{os.getpid()}")
    beside.unlink(missing_ok=True)  # a process of this number died on the way
    try:
        create(beside, data)
        beside.replace(target)
    except BaseException:
        _remove(beside)
        raise
    _make_names_durable(target.parent)


def give_name(file: Path, target: Path) -> None:
    """Give a file another name in its file system: FileExistsError where something has
    it already, and nothing is changed.
    """
    try:
        target.hardlink_to(file)
    except OSError as error:
        if error.errno not in _NO_LINKS or target.exists():
            raise
        file.rename(target)
    file.unlink(missing_ok=True)
    _make_names_durable(target.parent)


@contextmanager
def created(target: Path) -> Iterator[BinaryIO]:
    """Open a new file; it is there when the block ends well, and else it is not."""
    descriptor = -1
    try:
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with io.BufferedWriter(_Steady(descriptor, "wb")) as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        _make_names_durable(target.parent)
    except BaseException:
        if descriptor >= 0:
            _remove(target)
        raise


class _Steady(io.FileIO):
    """A file that goes to the disk while it is written, a megabyte at a time.

    A gigabyte that goes there at its end lets whoever makes a small file durable just
    then wait behind it, for a quarter of a second.
    """

    _since = 0
    """Bytes that were written since the disk had all."""

    def write(self, data: Buffer, /) -> int:
        written = super().write(data)
        self._since += written
        if self._since >= _STEP:
            os.fdatasync(self.fileno())
            self._since = 0
        return written


def opened_to_append(target: Path) -> BinaryIO:
    """Open a file to add to, made if need be; never what a symbolic link names."""
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW
    return os.fdopen(os.open(target, flags, 0o600), "ab")


def _remove(file: Path) -> None:
    """Remove what was begun, where that may be done: what has ended it says more."""
    with suppress(OSError):
        file.unlink(missing_ok=True)


def make_folders_above(target: Path) -> None:
    """Make the folders (0700) above a file that are missing."""
    missing = [each for each in target.parents if not each.exists()]
    for folder in reversed(missing):  # `parents=True` makes those as the umask says
        folder.mkdir(mode=0o700, exist_ok=True)


def _make_names_durable(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

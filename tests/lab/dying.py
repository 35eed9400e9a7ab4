"""A process that dies at one of the calls that change something."""

from __future__ import annotations

from pathlib import Path

from storage.fileops import FileOps


class Killed(BaseException):
    """The process ends here: nothing after it happens."""


class DiesAt(FileOps):
    """Dies at one call that changes something; before that, or half way through."""

    def __init__(self, call: int, *, half: bool) -> None:
        self._left, self._half = call, half
        self._open: set[int] = set()

    def is_dead(self) -> None:
        """Close what it had open, as the system does."""
        for handle in self._open:
            super().close(handle)
        self._open.clear()

    def open(self, path: Path) -> int:
        self._open.add(handle := super().open(path))
        return handle

    def close(self, handle: int) -> None:
        self._open.discard(handle)
        super().close(handle)

    def let_go(self, handle: int) -> None:
        self.close(handle)

    def _step(self) -> bool:
        self._left -= 1
        return self._left == 0

    def create(self, path: Path) -> int:
        if self._step():
            raise Killed
        self._open.add(handle := super().create(path))
        return handle

    def write(self, handle: int, data: bytes) -> None:
        if self._step():
            super().write(handle, data[: len(data) // 2] if self._half else b"")
            raise Killed
        super().write(handle, data)

    def fsync(self, handle: int) -> None:
        if self._step():
            raise Killed
        super().fsync(handle)

    def rename(self, source: Path, target: Path) -> None:
        if self._step():
            if self._half:
                super().rename(source, target)
            raise Killed
        super().rename(source, target)

    def fsync_dir(self, folder: Path) -> None:
        if self._step():
            raise Killed
        super().fsync_dir(folder)

    def remove(self, path: Path) -> None:
        if self._step():
            if self._half:
                super().remove(path)
            raise Killed
        super().remove(path)

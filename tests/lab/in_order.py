"""A disk that remembers what was done to it, in its order."""

from __future__ import annotations

from pathlib import Path

from storage.fileops import FileOps

WRITTEN, DURABLE = "written", "on the disk"
PLACED, NAMED = "in its place", "and there to stay"
REMOVED = "removed"


class InOrder(FileOps):
    """The real thing, and a list of what it did."""

    def __init__(self) -> None:
        self.done: list[str] = []

    def write(self, handle: int, data: bytes) -> None:
        super().write(handle, data)
        self.done.append(WRITTEN)

    def fsync(self, handle: int) -> None:
        super().fsync(handle)
        self.done.append(DURABLE)

    def rename(self, source: Path, target: Path) -> None:
        super().rename(source, target)
        self.done.append(PLACED)

    def fsync_dir(self, folder: Path) -> None:
        super().fsync_dir(folder)
        self.done.append(NAMED)

    def remove(self, path: Path) -> None:
        super().remove(path)
        self.done.append(REMOVED)

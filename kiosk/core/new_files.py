"""New files: written over nothing, readable by nobody else, durable; all or none."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


@contextmanager
def all_or_none() -> Iterator[list[Path]]:
    """Remove again what the list names, should the block not end well."""
    written: list[Path] = []
    try:
        yield written
    except BaseException:
        for file in written:
            file.unlink(missing_ok=True)
        raise


def copy(source: Path, target: Path) -> None:
    """Copy into a new file. OSError."""
    with source.open("rb") as stream, created(target) as handle:
        shutil.copyfileobj(stream, handle)


def write(target: Path, data: bytes) -> None:
    """Write a new file. OSError."""
    with created(target) as handle:
        handle.write(data)


@contextmanager
def created(target: Path) -> Iterator[BinaryIO]:
    """Create a new file (0600), and folders (0700); durable when this ends."""
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
    except BaseException:
        target.unlink(missing_ok=True)
        raise

"""Files that a source of certificates leaves for later, whole and for nobody else."""

from __future__ import annotations

import os
from pathlib import Path

from kiosk.certificates.ports import SourceUnusable


def write_private(file: Path, content: bytes) -> None:
    """Write a file for its owner alone (0600), whole or not at all. SourceUnusable."""
    beside = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        beside.unlink(missing_ok=True)
        handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        beside.replace(file)
        _make_durable(file.parent)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise unusable(file, error) from error


def remove(file: Path) -> None:
    """Remove a file if it is there. SourceUnusable."""
    try:
        file.unlink(missing_ok=True)
    except OSError as error:
        raise unusable(file, error) from error


def unusable(file: Path, error: OSError) -> SourceUnusable:
    """Return an error of the system as one of a source."""
    reason = error.strerror or type(error).__name__
    return SourceUnusable(file=str(file), reason=reason)


def _make_durable(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

"""Files that a source of certificates leaves for later, whole and for nobody else."""

from __future__ import annotations

from pathlib import Path

from kiosk.certificates.ports import SourceUnusable
from kiosk.core import private_files
from kiosk.core.errors import reason_of


def write_private(file: Path, content: bytes) -> None:
    """Write a file for its owner alone (0600), whole or not at all. SourceUnusable."""
    try:
        private_files.replace(file, content)
    except OSError as error:
        raise unusable(file, error) from error


def remove(file: Path) -> None:
    """Remove a file if it is there. SourceUnusable."""
    try:
        file.unlink(missing_ok=True)
    except OSError as error:
        raise unusable(file, error) from error


def unusable(file: Path, error: OSError) -> SourceUnusable:
    """Return an error of the system as one of a source."""
    reason = reason_of(error)
    return SourceUnusable(file=str(file), reason=reason)

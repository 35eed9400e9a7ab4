"""Whose a file is, and what that user is called."""

from __future__ import annotations

import pwd
from pathlib import Path


def owner_of(path: Path) -> int:
    """Return whose a file is, or the nearest folder above it that is there.

    A file in a folder that may not be entered is the folder's owner's.
    """
    try:
        return path.stat().st_uid
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        if path == path.parent:
            raise
        return owner_of(path.parent)


def name_of(number: int) -> str:
    """Return a user's name; its number, if it has none."""
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)

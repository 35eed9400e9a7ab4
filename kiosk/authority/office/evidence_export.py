"""Evidence leaves the station: by an auditor, noted, into a file of its own."""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO

from kiosk.authority.office.desk import Desk, note
from kiosk.authority.office.operators import Action, require
from kiosk.core.errors import KioskError
from storage import audit


class NotExported(KioskError):
    """The file could not be written: `file`, `reason`."""

    code = "desk.not_exported"


def to_file(desk: Desk, path: Path, *, station: str | None = None) -> int:
    """Write a new file, readable by its owner only; return how many events it has.

    `station`: only that station's chain. NotInRole, NotExported.
    """
    require(desk.operator, Action.EXPORT)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as stream:
            count = _write(desk, stream, path.name, station)
            stream.flush()
            os.fsync(stream.fileno())
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise NotExported(file=str(path), reason=reason) from error
    return count


def to_stream(desk: Desk, stream: BinaryIO, *, station: str | None = None) -> int:
    """Write to a stream that is open; return how many events. NotInRole."""
    require(desk.operator, Action.EXPORT)
    return _write(desk, stream, "-", station)


def _write(desk: Desk, stream: BinaryIO, name: str, station: str | None) -> int:
    """Note it first: what left is told of, even if it left only in part."""
    data = {"file": name} if station is None else {"file": name, "station": station}
    note(desk, "audit.exported", data=data)
    return audit.export(desk.parts.registry.audit_events(station=station), stream)

"""Evidence leaves the station: by an auditor, noted, into a file of its own.

A checkpoint is signed first, so that the file can be judged up to its end.
"""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from kiosk.authority.office.desk import Desk, note
from kiosk.authority.office.operators import Action, require
from kiosk.core import private_files
from kiosk.core.errors import KioskError, reason_of
from storage import checkpoints, evidence_file, extracts, walk
from storage.checkpoints import LANE
from storage.records import AuditEvent


class NotExported(KioskError):
    """The file could not be written: `file`, `reason`."""

    code = "desk.not_exported"


class NoSuchStation(KioskError):
    """No station of that name has any evidence here: `station`."""

    code = "desk.no_such_station"


class MovedAway(KioskError):
    """A part of the evidence was moved to an archive: `count` events."""

    code = "desk.moved_away"


def to_file(desk: Desk, path: Path, *, station: str | None = None) -> int:
    """Write a new file, readable by its owner only; return how many events it has.

    `station`: only that station's chain. NotInRole, NoSuchStation, MovedAway,
    NotExported.
    """
    require(desk.operator, Action.EXPORT)
    _known(desk, station)
    try:
        with private_files.created(path) as stream:
            count = _write(desk, stream, path.name, station)
    except OSError as error:
        reason = reason_of(error)
        raise NotExported(file=str(path), reason=reason) from error
    return count


def to_stream(desk: Desk, stream: BinaryIO, *, station: str | None = None) -> int:
    """Write to a stream that is open; return how many events. As `to_file`."""
    require(desk.operator, Action.EXPORT)
    _known(desk, station)
    return _write(desk, stream, "-", station)


def _known(desk: Desk, station: str | None) -> None:
    if station is not None and station not in desk.parts.registry.run(
        lambda tx: tx.heads()
    ):
        raise NoSuchStation(station=station)


def _write(desk: Desk, stream: BinaryIO, name: str, station: str | None) -> int:
    """Note it first: what left is told of, even if it left only in part."""
    registry, vault, clock = desk.parts.registry, desk.parts.vault, desk.parts.clock
    if away := registry.moved_away():
        raise MovedAway(count=sum(head.seq for head in away.values()))
    data = {"file": name} if station is None else {"file": name, "station": station}
    note(desk, "audit.exported", data=data)
    signer = vault.signer()
    newest = registry.run(lambda tx: checkpoints.sign(tx, signer, clock.now()))
    if station is None:
        return evidence_file.write(registry.audit_events(), stream)
    added = _needed(desk, station)
    first = extracts.sign(
        signer, station=station, now=clock.now(), checkpoint=newest.seq, added=added
    )
    count = evidence_file.write(added, stream, first=first)
    for lane in (LANE, station):
        count += evidence_file.write(registry.audit_events(station=lane), stream)
    return count


def _needed(desk: Desk, station: str) -> list[AuditEvent]:
    """Return what other chains say of the keys that this station's writes rest on."""
    registry = desk.parts.registry
    written = {
        event.credential
        for event in registry.audit_events(station=station)
        if event.kind == "operation.writing"
    }
    return [
        event
        for event in walk.events(registry, kind="credential.key_recorded")
        if event.station != station and event.credential in written
    ]

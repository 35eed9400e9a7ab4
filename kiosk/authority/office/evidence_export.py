"""Evidence leaves the authority: for an auditor, noted, to where its caller wants it.

A checkpoint is signed first, so that the file can be judged up to its end.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import BinaryIO

from kiosk.authority.office.desk import Desk, note
from kiosk.authority.office.operators import Action, require
from kiosk.authority.office.values import (
    MovedAway,
    NoSuchStation,
)
from storage import checkpoints, evidence_file, extracts, walk
from storage.checkpoints import LANE
from storage.records import AuditEvent

Export = Callable[[BinaryIO], int]
"""Writes the evidence to a stream; returns how many events."""


def export(desk: Desk, name: str, station: str | None) -> Export:
    """Judge an export, and return what notes and writes it.

    `name`: what the copy is called, in the note. `station`: only that one's chain.
    NotInRole, NoSuchStation, MovedAway.
    """
    require(desk.operator, Action.EXPORT)
    if station is not None and station not in desk.parts.registry.run(
        lambda tx: tx.heads()
    ):
        raise NoSuchStation(station=station)
    if away := desk.parts.registry.moved_away():
        raise MovedAway(count=sum(head.seq for head in away.values()))
    return partial(_write, desk, name, station)


def _write(desk: Desk, name: str, station: str | None, stream: BinaryIO) -> int:
    """Note it first: what left is told of, even if it left only in part."""
    registry, vault, clock = desk.parts.registry, desk.parts.vault, desk.parts.clock
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

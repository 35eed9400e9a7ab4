"""Evidence leaves the authority: for an auditor, noted, to where its caller wants it.

A checkpoint is signed first, so that the file can be judged up to its end.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from functools import partial
from typing import BinaryIO

from kiosk.authority.office.desk import Desk, note
from kiosk.authority.office.errors import MovedAway, NoSuchStation
from kiosk.authority.office.operators import Action, require
from storage import checkpoints, evidence_file, extracts, walk
from storage.checkpoints import LANE
from storage.records import AuditEvent
from storage.signed_note import NoteSigner

Export = Callable[[BinaryIO], int]
"""Writes the evidence to a stream; returns how many events."""
Told = Callable[[int, int], None]
_TOLD_OF = 100
"""Events that are told of at once."""


def export(
    desk: Desk,
    name: str,
    station: str | None,
    told: Told = lambda _done, _events: None,
) -> Export:
    """Judge an export, and return what notes and writes it.

    `name`: what the copy is called, in the note. `station`: only that one's chains.
    `told` hears how many events are written, and of how many; what it raises ends the
    export. NotInRole, NoSuchStation, MovedAway.
    """
    require(desk.operator, Action.EXPORT)
    if station is not None and not desk.parts.registry.read(
        lambda view: view.events(station=station, limit=1)
    ):
        raise NoSuchStation(station=station)
    if away := desk.parts.registry.moved_away():
        raise MovedAway(count=sum(head.seq for head in away.values()))
    return partial(_write, desk, name, station, told)


def _write(
    desk: Desk, name: str, station: str | None, told: Told, stream: BinaryIO
) -> int:
    """Note it first: what left is told of, even if it left only in part."""
    registry, vault, clock = desk.parts.registry, desk.parts.vault, desk.parts.clock
    data = {"file": name} if station is None else {"file": name, "station": station}
    note(desk, "audit.exported", data=data)
    signer = vault.signer()
    newest = registry.run(lambda tx: checkpoints.sign(tx, signer, clock.now()))
    with registry.evidence_at_rest():
        if away := registry.moved_away():
            raise MovedAway(count=sum(head.seq for head in away.values()))
        return _copy(desk, signer, station, newest, told, stream)


def _copy(
    desk: Desk,
    signer: NoteSigner,
    station: str | None,
    newest: AuditEvent,
    told: Told,
    stream: BinaryIO,
) -> int:
    registry, clock = desk.parts.registry, desk.parts.clock
    heads = registry.read(lambda view: view.heads())
    if station is None:
        total = sum(head.seq for head in heads.values())
        events = _telling(registry.audit_events(), told, total)
        return evidence_file.write(events, stream)
    lanes = _lanes_of(desk, station)
    total = sum(heads[lane].seq for lane in (LANE, *lanes) if lane in heads)
    added = _needed(desk, lanes)
    first = extracts.sign(
        signer,
        station=station,
        lanes=lanes,
        now=clock.now(),
        checkpoint=newest.seq,
        added=added,
    )
    count = evidence_file.write(added, stream, first=first)
    for lane in (LANE, *lanes):
        events = _telling(registry.audit_events(lane=lane), told, total, count)
        count += evidence_file.write(events, stream)
    return count


def _telling(
    events: Iterable[AuditEvent], told: Told, total: int, before: int = 0
) -> Iterator[AuditEvent]:
    """Yield the events, and tell of each few behind those before."""
    for number, event in enumerate(events, before + 1):
        if not number % _TOLD_OF:
            told(number, total)
        yield event


def _lanes_of(desk: Desk, station: str) -> list[str]:
    """Return the chains that a station's events are links of: today's, and the one
    that was its own in a registry that had one for each.
    """
    heads = desk.parts.registry.read(lambda view: view.heads())
    lanes = dict.fromkeys((station, desk.parts.registry.lane_of(station)))
    return [lane for lane in lanes if lane in heads]


def _needed(desk: Desk, lanes: Collection[str]) -> list[AuditEvent]:
    """Return what other chains say of the keys that the writes in these rest on."""
    registry = desk.parts.registry
    written = {
        event.credential
        for lane in lanes
        for event in registry.audit_events(lane=lane)
        if event.kind == "operation.writing"
    }
    return [
        event
        for event in walk.events(registry, kind="credential.key_recorded")
        if event.lane not in lanes and event.credential in written
    ]

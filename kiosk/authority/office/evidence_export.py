"""Evidence leaves the authority: for an auditor, noted, to where its caller wants it.

A checkpoint is signed first, and every chain ends where it was then: the file can be
judged up to its end, whatever stations do while it is written.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import partial
from typing import BinaryIO

from kiosk.authority.office.desk import Desk, note
from kiosk.authority.office.errors import MovedAway, NoSuchStation
from kiosk.authority.office.operators import Action, require
from storage import checkpoints, evidence_file, extracts, walk
from storage.audit import OWN_MARK, Head, shared_lane
from storage.checkpoints import LANE
from storage.records import AuditEvent
from storage.registry import Registry
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
    if station is not None and not _has_done(desk, station):
        raise NoSuchStation(station=station)
    if away := desk.parts.registry.moved_away():
        raise MovedAway(count=sum(head.seq for head in away.values()))
    return partial(_write, desk, name, station, told)


def _has_done(desk: Desk, station: str) -> bool:
    """Say whether it is a station, and has done anything."""
    return not station.startswith(OWN_MARK) and bool(
        desk.parts.registry.read(lambda view: view.events(station=station, limit=1))
    )


def _write(
    desk: Desk, name: str, station: str | None, told: Told, stream: BinaryIO
) -> int:
    """Note it first: what left is told of, even if it left only in part."""
    registry, vault, clock = desk.parts.registry, desk.parts.vault, desk.parts.clock
    data = {"file": name} if station is None else {"file": name, "station": station}
    note(desk, "audit.exported", data=data)
    signer = vault.signer()
    now = clock.now()
    newest, ends = registry.run(
        lambda tx: (checkpoints.sign(tx, signer, now), tx.heads())
    )
    with registry.evidence_at_rest():
        if away := registry.moved_away():
            raise MovedAway(count=sum(head.seq for head in away.values()))
        return _copy(desk, signer, station, newest, ends, told, stream)


def _copy(
    desk: Desk,
    signer: NoteSigner,
    station: str | None,
    newest: AuditEvent,
    ends: Mapping[str, Head],
    told: Told,
    stream: BinaryIO,
) -> int:
    registry, clock = desk.parts.registry, desk.parts.clock
    if station is None:
        total = sum(head.seq for head in ends.values())
        events = walk.up_to(registry.audit_events(), ends)
        return evidence_file.write(_telling(events, told, total), stream)
    lanes = _lanes_of(registry, station, ends)
    total = sum(ends[lane].seq for lane in (LANE, *lanes))
    added = _needed(registry, lanes, ends)
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
        events = walk.up_to(registry.audit_events(lane=lane), ends)
        count += evidence_file.write(_telling(events, told, total, count), stream)
    return count


def _telling(
    events: Iterable[AuditEvent], told: Told, total: int, before: int = 0
) -> Iterator[AuditEvent]:
    """Yield the events, and tell of each few behind those before."""
    for number, event in enumerate(events, before + 1):
        if not number % _TOLD_OF:
            told(number, total)
        yield event


def _lanes_of(registry: Registry, station: str, ends: Mapping[str, Head]) -> list[str]:
    """Return the chains that a station's events are links of: today's, and those that
    they were links of before the registry was moved, its own or one that it shared.
    """
    lanes = (station, registry.lane_of(station), shared_lane(station))
    return [lane for lane in dict.fromkeys(lanes) if lane in ends]


def _needed(
    registry: Registry, lanes: Collection[str], ends: Mapping[str, Head]
) -> list[AuditEvent]:
    """Return what other chains say of the keys that the writes in these rest on."""
    written = {
        event.credential
        for lane in lanes
        for event in walk.up_to(registry.audit_events(lane=lane), ends)
        if event.kind == "operation.writing"
    }
    recorded = walk.events(registry, kind="credential.key_recorded")
    return [
        event
        for event in walk.up_to(recorded, ends)
        if event.lane not in lanes and event.credential in written
    ]

"""A registry moved into another store: all records, and every chain link by link.

Through the port alone, so from any store to any. It can be interrupted and begun again:
what is there already is compared and left. Records begin with version 1; nonces,
answers, sealing keys and tokens, which live for minutes and a day, stay behind, and
codes that were given out are void in the end, since somebody may still hold the old
store. Evidence that was archived is moved with the rest: an archive that is not named
is asked for. Nobody works with either store meanwhile.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from msgspec.structs import replace

from storage import audit, canonical, walk
from storage.audit import Head
from storage.errors import ChainBroken, EvidenceElsewhere, RecordMissing, StoresDiffer
from storage.records import (
    Approval,
    AuditEvent,
    Credential,
    Operation,
    StationRecord,
    Template,
)
from storage.registry import Registry, Tx
from storage.view import ByStart, View

SLIPS = ("certificate", "report")
"""Every kind of slip that there is."""
R = TypeVar("R", Credential, Operation, Approval, StationRecord)
_PAGE = 200
_EVENTS = 500
_TIDY = 20
"""Pages of events after which the new store may do what can wait."""


@dataclass(frozen=True, slots=True)
class Content:
    """What a registry holds, to be compared with another."""

    credentials: int
    records: str
    """SHA-256 over templates, credentials, operations, codes, stations and slips,
    versions aside."""
    heads: dict[str, Head]
    """The last link of each chain: its hash stands for all before."""

    @property
    def events(self) -> int:
        return sum(head.seq for head in self.heads.values())


Told = Callable[[], None]
"""Hears of each credential that is read with what is its own."""


def content(registry: Registry, told: Told = lambda: None) -> Content:
    """Read everything but the evidence's events. RegistryError."""
    digest, count = hashlib.sha256(), 0
    for template in _templates(registry):
        digest.update(canonical.encode(template))
    for station in walk.stations(registry):
        digest.update(canonical.encode(replace(station, version=0)))
    for kind in SLIPS:
        for slip in walk.slips(registry, kind):
            digest.update(canonical.encode(slip))
    for credential in walk.credentials(registry):
        count += 1
        digest.update(canonical.encode(replace(credential, version=0)))
        operations, approvals = registry.read(
            lambda view, key=credential.id: _of(view, key)  # type: ignore[misc]  # mypy cannot infer a lambda's default
        )
        for operation in operations:
            digest.update(canonical.encode(replace(operation, version=0)))
        for approval in approvals:
            digest.update(canonical.encode(replace(approval, version=0)))
        told()
    heads = registry.read(lambda view: view.heads())
    return Content(count, digest.hexdigest(), heads)


def verified(registry: Registry) -> Iterator[AuditEvent]:
    """Yield all events, each of which is the next link of its chain.

    ChainBroken; EvidenceElsewhere: the chains do not begin here.
    """
    _check_whole(registry)
    chains = audit.Chains()
    for event in registry.audit_events():
        if chains.follow(event):
            raise ChainBroken(station=event.lane, seq=event.seq)
        yield event


def move(source: Registry, target: Registry, *, now: float) -> Iterator[None]:
    """Move everything; yield once for each credential and each event.

    StoresDiffer: the target has something that the source has not. ChainBroken.
    EvidenceElsewhere, before anything is moved.
    """
    _check_whole(source)
    for template in _templates(source):
        target.run(lambda tx, it=template: _put_template(tx, it))  # type: ignore[misc]  # mypy cannot infer a lambda's default
    for station in walk.stations(source):
        target.run(lambda tx, it=station: _put_station(tx, it))  # type: ignore[misc]  # mypy cannot infer a lambda's default
    for kind in SLIPS:
        for slip in walk.slips(source, kind):
            target.run(lambda tx, it=slip: tx.save_slip(it))  # type: ignore[misc]  # mypy cannot infer a lambda's default
    for credential in walk.credentials(source):
        operations, approvals = source.read(
            lambda view, key=credential.id: _of(view, key)  # type: ignore[misc]  # mypy cannot infer a lambda's default
        )
        target.run(
            lambda tx, it=credential, ops=operations, codes=approvals: _put(  # type: ignore[misc]  # mypy cannot infer a lambda's defaults
                tx, it, ops, codes
            )
        )
        yield
    yield from _move_events(source, target, now)


def finish(
    source: Registry,
    target: Registry,
    *,
    station: str,
    now: float,
    told: Told = lambda: None,
) -> Content:
    """Compare both, and void what was given out. Return what both hold.

    StoresDiffer.
    """
    ours, theirs = content(source, told), content(target, told)
    for kind, is_same in (
        ("credentials", ours.credentials == theirs.credentials),
        ("records", ours.records == theirs.records),
        ("evidence", ours.heads == theirs.heads),
    ):
        if not is_same:
            raise StoresDiffer(kind=kind, key="")
    target.distrust(station=station, now=now, kind="registry.moved")
    return theirs


def _check_whole(registry: Registry) -> None:
    """Raise EvidenceElsewhere where the chains do not begin in what can be read."""
    if away := registry.moved_away():
        raise EvidenceElsewhere(count=sum(head.seq for head in away.values()))


def _move_events(source: Registry, target: Registry, now: float) -> Iterator[None]:
    there = target.read(lambda view: view.heads())
    for lane in there.keys() - source.read(lambda view: view.heads()).keys():
        raise StoresDiffer(kind="evidence", key=f"{lane} {there[lane].seq}")
    waiting: list[AuditEvent] = []
    pages = itertools.count(1)
    for event in verified(source):
        head = there.get(event.lane, Head(0, audit.GENESIS))
        if event.seq == head.seq and event.hash != head.hash:
            raise StoresDiffer(kind="evidence", key=f"{event.lane} {event.seq}")
        if event.seq > head.seq:
            waiting.append(event)
        if len(waiting) >= _EVENTS:
            _put_events(target, waiting)
            waiting = []
            if next(pages) % _TIDY == 0:
                while target.idle(now):
                    pass
        yield
    _put_events(target, waiting)


def _put_events(target: Registry, events: list[AuditEvent]) -> None:
    """Add them as they are. StoresDiffer: the chain there has come further since."""

    def add(tx: Tx) -> None:
        for event in events:
            try:
                tx.append(event)
            except ChainBroken as error:
                differ = {"kind": "evidence", "key": f"{event.lane} {event.seq}"}
                raise StoresDiffer(**differ) from error

    if events:
        target.run(add)


def _templates(registry: Registry) -> Iterator[Template]:
    """Yield every version of every template, by name."""
    after = ""
    while page := registry.read(
        lambda view, after=after: view.templates(limit=_PAGE, after=after)  # type: ignore[misc]  # mypy cannot infer a lambda's default
    ):
        for newest in page:
            for version in range(1, newest.version + 1):
                yield registry.read(
                    lambda view, name=newest.name, v=version: view.template(name, v)  # type: ignore[misc]  # mypy cannot infer a lambda's defaults
                )
        after = page[-1].name


def _of(view: View, credential: str) -> tuple[list[Operation], list[Approval]]:
    """Return a credential's operations, oldest first, and its codes by their ids."""
    operations: list[Operation] = []
    after: ByStart | None = None
    while page := view.operations(credential, limit=_PAGE, after=after):
        operations += page
        after = ByStart.of(page[-1])
    limit = _PAGE
    while len(approvals := view.approvals(credential, limit=limit)) == limit:
        limit *= 10
    return operations, sorted(approvals, key=lambda each: each.id)


def _put_template(tx: Tx, template: Template) -> None:
    try:
        known = tx.template(template.name, template.version)
    except RecordMissing:
        tx.save_template(replace(template, version=template.version - 1))
        return
    if known != template:
        raise StoresDiffer(kind="template", key=template.name)


def _put_station(tx: Tx, station: StationRecord) -> None:
    try:
        known = tx.station(station.id)
    except RecordMissing:
        tx.save_station(replace(station, version=0))
    else:
        _same(known, station, "station")


def _put(
    tx: Tx,
    credential: Credential,
    operations: list[Operation],
    approvals: list[Approval],
) -> None:
    """Save what is not there yet, a live operation last."""
    try:
        known = tx.credential(credential.id)
    except RecordMissing:
        tx.save_credential(replace(credential, version=0))
    else:
        _same(known, credential, "credential")
    for operation in sorted(operations, key=lambda each: each.ended_at is None):
        try:
            found = tx.operation(operation.id)
        except RecordMissing:
            tx.save_operation(replace(operation, version=0))
        else:
            _same(found, operation, "operation")
    for approval in approvals:
        try:
            code = tx.approval(approval.id)
        except RecordMissing:
            tx.save_approval(replace(approval, version=0))
        else:
            _same(code, approval, "approval")


def _same(there: R, here: R, kind: str) -> None:
    if replace(there, version=0) != replace(here, version=0):
        raise StoresDiffer(kind=kind, key=here.id)

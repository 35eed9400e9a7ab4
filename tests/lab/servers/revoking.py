"""An authority that revokes a station just before one of its calls is asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from msgspec.structs import replace as changed

from kiosk.authority.client.line import HttpAnswer
from kiosk.authority.ports import Authority
from kiosk.authority.required_ports import RequiredPorts
from kiosk.authority.service.callers import Verify
from kiosk.authority.stations.request import HttpRequest
from kiosk.authority.stations.roster import Roster
from kiosk.authority.stations.signing import Proven
from kiosk.core.clock import SystemClock
from lab.servers.counted import Asked, Counted
from lab.servers.served import worlds
from storage.records import StationRecord, StationStanding
from storage.registry import Registry, Tx


@dataclass
class Revoking(Counted):
    """A station is revoked at the call `at`."""

    revoke: Callable[[], None] = lambda: None

    def reach(self, parts: RequiredPorts, station: str) -> Authority:
        """`reaches.Reach` over HTTPS, of a station that is on record with its key."""
        self.revoke = lambda: _revoke(parts.registry, station)
        _enroll(parts.registry, station)
        return worlds().reach(parts, station, self.lines(), _judging(Roster()))

    def asks(self, call: Asked) -> HttpAnswer:
        if self.is_watching and call.number == self.at:
            self.revoke()
        return call.really()


def _judging(roster: Roster) -> Verify:
    """Return what asks the roster; its clock is the one that signs."""

    def judged(parts: RequiredPorts, request: HttpRequest) -> Proven:
        return roster.may_visit(replace(parts, clock=SystemClock()), request)

    return judged


def _enroll(registry: Registry, station: str) -> None:
    key = worlds().enrolled.public(station)
    record = StationRecord(
        id=station,
        name=station,
        role="self-service",
        algorithm=key.algorithm,
        public_key=key.raw,
        enrolled_at=0.0,
        enrolled_by="ada",
    )

    def save(tx: Tx) -> None:
        if all(it.id != station for it in tx.stations(limit=9)):
            tx.save_station(record)

    registry.run(save)


def _revoke(registry: Registry, station: str) -> None:
    def save(tx: Tx) -> None:
        known = tx.station(station)
        tx.save_station(changed(known, state=StationStanding.REVOKED))

    registry.run(save)

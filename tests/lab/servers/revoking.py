"""An authority that revokes a station just before one of its calls is asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from msgspec.structs import replace as changed

from kiosk.authority.client.line import HttpAnswer
from kiosk.authority.client.lines import Lines
from kiosk.authority.ports import Authority
from kiosk.authority.required_ports import RequiredPorts
from kiosk.authority.service.callers import Verify
from kiosk.authority.stations.request import HttpRequest
from kiosk.authority.stations.roster import Roster
from kiosk.authority.stations.signing import Proven
from kiosk.core.clock import SystemClock
from lab.servers.served import worlds
from storage.records import StationRecord, StationStanding
from storage.registry import Registry, Tx


@dataclass
class Revoking:
    """When a station is revoked. It never is, until a test says so."""

    at: int = -1
    """The call, counted from 0 since `begin`."""
    asked: int = 0
    is_watching: bool = False

    def begin(self, *_: object) -> None:
        self.is_watching, self.asked = True, 0

    def end(self) -> None:
        self.is_watching = False

    def reach(self, parts: RequiredPorts, station: str) -> Authority:
        """`reaches.Reach` over HTTPS, of a station that is on record with its key."""
        watching, registry = self, parts.registry
        _enroll(registry, station)

        class Watched(Lines):
            def ask(
                self,
                path: str,
                headers: Mapping[str, str],
                body: bytes,
                **seconds: Any,
            ) -> HttpAnswer:
                number = watching.asked
                watching.asked += 1
                if watching.is_watching and number == watching.at:
                    _revoke(registry, station)
                return super().ask(path, headers, body, **seconds)

        return worlds().reach(parts, station, Watched, _judging(Roster()))


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

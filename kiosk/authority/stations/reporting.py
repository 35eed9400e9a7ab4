"""What stations say of themselves, kept beside when they were last heard.

It is bounded by its form, shown to administrators and counted. Nothing is decided by
it: a station may say what it likes of itself.
"""

from __future__ import annotations

import re
from typing import Protocol

import msgspec
from msgspec.structs import replace

from kiosk.authority.errors import NotUnderstood, StationUnknown
from kiosk.authority.required_ports import RequiredPorts
from kiosk.authority.stations.limits import StationLimit
from kiosk.authority.stations.report_call import REPORT_SECONDS, ReportCall, Reported
from kiosk.authority.stations.request import HttpRequest
from kiosk.authority.stations.signing import Proven
from kiosk.authority.stations.standing import REPORTS, StationReport, seen
from storage import canonical
from storage.errors import RecordMissing
from storage.known_types import known
from storage.records import Slip, StationStanding
from storage.registry import Tx

SOONEST_SECONDS = REPORT_SECONDS / 3
"""What comes sooner after the last one is not kept: it would be a write each time."""
_KEY = re.compile("[!-~]{1,64}")
"""The station's own name for its request, as for each of its calls."""


class KnownStations(Protocol):
    """Who may report: every station of the fleet, whatever its role."""

    def may_report(self, parts: RequiredPorts, request: HttpRequest) -> Proven:
        """As `signing.verify`; RegistryError."""


class Reports:
    """Takes reports in. Any thread."""

    def __init__(self, known: KnownStations) -> None:
        self._known = known

    def take(
        self, parts: RequiredPorts, request: HttpRequest, limit: StationLimit
    ) -> bytes:
        """Keep what the station that signed `request` says; return what it hears.

        NotUnderstood, StationBusy; as `KnownStations.may_report`.
        """
        if _KEY.fullmatch(request.headers.get("idempotency-key", "")) is None:
            raise NotUnderstood
        station = self._known.may_report(parts, request).station
        try:
            said = msgspec.json.decode(request.body, type=known(ReportCall))
        except msgspec.DecodeError:
            raise NotUnderstood from None
        with limit.one_call(station):
            parts.registry.run(lambda tx: _keep(tx, station, said, parts.clock.now()))
        return msgspec.json.encode(Reported(again_after=REPORT_SECONDS))


def _keep(tx: Tx, station: str, said: ReportCall, now: float) -> None:
    """StationUnknown: it was revoked, or taken away, this moment."""
    try:
        known = tx.station(station)
    except RecordMissing:
        raise StationUnknown(station=station) from None
    if known.state is not StationStanding.ACTIVE:
        raise StationUnknown(station=station)
    found = tx.slips(REPORTS, of=station, limit=1)
    before = seen(known, found[0] if found else None).report
    if before is not None and abs(now - before.at) < SOONEST_SECONDS:
        return
    report = StationReport(
        at=now,
        reader=said.reader,
        middleware=said.middleware,
        clock_off=round(said.at - now, 1),
        failing=said.failing,
    )
    tx.save_station(replace(known, last_seen=now, program=said.program))
    text = canonical.encode(report).decode()
    tx.save_slip(Slip(kind=REPORTS, of=station, text=text))

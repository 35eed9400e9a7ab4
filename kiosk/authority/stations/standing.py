"""How a station stands, from what is on record of it: for people and figures alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum

import msgspec

from kiosk.authority.required_ports import RequiredPorts
from kiosk.authority.stations.report_call import ReaderStanding
from kiosk.config.sections.station import StationRole
from storage import walk
from storage.known_types import known
from storage.records import Slip, StationRecord, StationStanding
from storage.registry import Registry

REPORTS = "report"
"""The slips that hold what stations say of themselves."""

SILENT_SECONDS = 600.0
"""A kiosk that was not heard for so long needs somebody: it asks by itself."""


class FleetStanding(StrEnum):
    """One word for each station."""

    HEARD = "heard"
    SILENT = "silent"
    UNHEALTHY = "unhealthy"
    """It is heard, and says that something there is not as it should be."""
    REVOKED = "revoked"


class StationReport(msgspec.Struct, frozen=True, kw_only=True):
    """How a station says that it is. Its own words: shown, never decided by.

    Written by one program and read by another of any version: what that one does not
    know is not heard.
    """

    at: float
    """When it was heard, by the authority's clock."""
    reader: str
    """`report_call.ReaderStanding`."""
    middleware: tuple[str, ...] = ()
    """Names of the vendors' modules that were found there."""
    clock_off: float = 0.0
    """Seconds that its clock was ahead of the authority's."""
    failing: tuple[str, ...] = ()
    """Parts whose checks do not hold there."""


class SeenStation(StationRecord, frozen=True, kw_only=True):
    """A station on record, and what it said last of itself."""

    report: StationReport | None = None
    """None: it never told, or not so that this program understands it."""


def seen(station: StationRecord, slip: Slip | None) -> SeenStation:
    """Put a station and its slip together."""
    fields = {name: getattr(station, name) for name in station.__struct_fields__}
    return SeenStation(**fields, report=None if slip is None else _report(slip))


def all_seen(registry: Registry) -> Iterator[SeenStation]:
    """Yield every station, by id, with what it said last. RegistryError."""
    slips = walk.slips(registry, REPORTS)
    slip = next(slips, None)
    for station in walk.stations(registry):
        while slip is not None and slip.of < station.id:
            slip = next(slips, None)
        own = slip if slip is not None and slip.of == station.id else None
        yield seen(station, own)


def counted(parts: RequiredPorts) -> Mapping[str, int]:
    """Return how many stations stand how, each word of it. RegistryError."""
    now = parts.clock.now()
    counts = dict.fromkeys(map(str, FleetStanding), 0)
    for station in all_seen(parts.registry):
        counts[standing(station, now)] += 1
    return counts


def _report(slip: Slip) -> StationReport | None:
    try:
        return msgspec.json.decode(slip.text, type=known(StationReport))
    except msgspec.DecodeError:
        return None


def is_silent(station: StationRecord, now: float) -> bool:
    """Say whether a kiosk asks nothing that would ask: it is off, or cut off."""
    return (
        station.state is StationStanding.ACTIVE
        and station.role == StationRole.SELF_SERVICE
        and now - station.last_seen > SILENT_SECONDS
    )


def is_unhealthy(station: SeenStation) -> bool:
    """Say whether it last told that a check fails or that it has no reader."""
    told = station.report
    return (
        station.state is StationStanding.ACTIVE
        and told is not None
        and (
            bool(told.failing)
            or told.reader in (ReaderStanding.NONE, ReaderStanding.NO_SERVICE)
        )
    )


def standing(station: SeenStation, now: float) -> FleetStanding:
    """Return the word for it. A desk at which nobody works is silent, too."""
    if station.state is not StationStanding.ACTIVE:
        return FleetStanding.REVOKED
    if now - station.last_seen > SILENT_SECONDS:
        return FleetStanding.SILENT
    return FleetStanding.UNHEALTHY if is_unhealthy(station) else FleetStanding.HEARD

"""How a station stands, from what is on record of it: for people and figures alone."""

from __future__ import annotations

from enum import StrEnum

from kiosk.authority.stations.report_call import ReaderStanding
from kiosk.config.sections.station import StationRole
from storage.records import StationRecord, StationStanding

SILENT_SECONDS = 600.0
"""A kiosk that was not heard for so long needs somebody: it asks by itself."""


class FleetStanding(StrEnum):
    """One word for each station."""

    HEARD = "heard"
    SILENT = "silent"
    UNHEALTHY = "unhealthy"
    """It is heard, and says that something there is not as it should be."""
    REVOKED = "revoked"


def is_silent(station: StationRecord, now: float) -> bool:
    """Say whether a kiosk asks nothing that would ask: it is off, or cut off."""
    return (
        station.state is StationStanding.ACTIVE
        and station.role == StationRole.SELF_SERVICE
        and now - station.last_seen > SILENT_SECONDS
    )


def is_unhealthy(station: StationRecord) -> bool:
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


def standing(station: StationRecord, now: float) -> FleetStanding:
    """Return the word for it. A desk at which nobody works is silent, too."""
    if station.state is not StationStanding.ACTIVE:
        return FleetStanding.REVOKED
    if now - station.last_seen > SILENT_SECONDS:
        return FleetStanding.SILENT
    return FleetStanding.UNHEALTHY if is_unhealthy(station) else FleetStanding.HEARD

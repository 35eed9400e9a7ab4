"""Which stations operators work at, as whoever knows the stations tells."""

from __future__ import annotations

from typing import Protocol

from kiosk.authority.required_ports import RequiredPorts
from kiosk.authority.stations.request import HttpRequest
from kiosk.authority.stations.signing import Proven
from kiosk.config.sections.station import StationRole

OPERATING = (StationRole.HELPDESK, StationRole.ENROLLMENT)


class KnownDesks(Protocol):
    """The roster, or a folder of files. Any thread."""

    def may_operate(self, parts: RequiredPorts, request: HttpRequest) -> Proven:
        """Return the station at which an operator wants to work.

        As `signing.verify`; StationMayNot: holders stand there. FileErrors,
        RegistryError.
        """

    def operates(self, parts: RequiredPorts, station: str) -> StationRole:
        """Return what the operators of a station do, as it is now.

        StationUnknown: it is not known any more; StationMayNot. As above.
        """

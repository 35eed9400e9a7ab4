"""Who is asking: what the service needs to know of a station, and from whom."""

from __future__ import annotations

from typing import Protocol

from kiosk.authority.ports import Authority
from kiosk.authority.required_ports import RequiredPorts
from kiosk.authority.stations.request import HttpRequest


class Caller(Protocol):
    """A station that has signed a request."""

    @property
    def station(self) -> str:
        """Its name, as operations and evidence have it."""


class Verify(Protocol):
    """Says whose request it is. On a worker's thread."""

    def __call__(self, parts: RequiredPorts, request: HttpRequest) -> Caller:
        """AuthorityErrors: nobody's, or it may not; RegistryError."""


class AuthorityOf(Protocol):
    """Makes the port of one station for one call. On a worker's thread."""

    def __call__(self, parts: RequiredPorts, station: str, key: str) -> Authority:
        """Raises nothing."""

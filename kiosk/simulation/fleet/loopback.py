"""An authority that simulated stations ask over HTTPS on this machine's loopback.

The product's own server, signatures and client; certificate and keys are made in a
temporary folder and are gone with the block. Everything runs in this process, so
nothing is left when it ends, however it ends.
"""

from __future__ import annotations

import asyncio
import socket
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kiosk.authority.client.line import trusting
from kiosk.authority.client.lines import Lines, Sign
from kiosk.authority.client.remote import remote
from kiosk.authority.local import LocalAuthority
from kiosk.authority.ports import Authority
from kiosk.authority.required_ports import RequiredPorts
from kiosk.authority.service.app import Service, application
from kiosk.authority.service.server import Listening, server_of
from kiosk.authority.service.threads import Threads
from kiosk.authority.stations import signing
from kiosk.authority.stations.keys import Ed25519Key, StationPublicKey
from kiosk.authority.stations.request import HttpRequest
from kiosk.core.clock import SystemClock
from kiosk.core.entropy import SystemEntropy
from kiosk.core.errors import KioskError
from kiosk.simulation.fleet import certificates
from kiosk.simulation.fleet.certificates import HOST

_STARTS_SECONDS = 10.0


class LoopbackNotStarted(KioskError):
    """The authority did not begin to listen on this machine's loopback."""

    code = "rehearsal.loopback_not_started"


@dataclass(frozen=True, slots=True)
class LoopbackStation:
    """`callers.Caller`."""

    station: str


class LoopbackFleet:
    """The authority, and the stations that it knows."""

    def __init__(self, folder: Path) -> None:
        issuer, certificate, key = certificates.write(folder)
        self._context = trusting(issuer)
        self._clock = SystemClock()
        self._keys: dict[str, Ed25519Key] = {}
        self._lines: dict[str, Lines] = {}
        self._parts: RequiredPorts | None = None
        self._threads: Threads | None = None
        with socket.create_server((HOST, 0)) as probe:
            self._port = int(probe.getsockname()[1])
        self._listening = Listening(
            host=HOST, port=self._port, certificate_file=certificate, key_file=key
        )
        self._loop = asyncio.new_event_loop()
        self._server = server_of(self._asgi, self._listening)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self.asked = 0
        """How many signed requests it has judged."""

    @property
    def address(self) -> str:
        return f"https://{HOST}:{self._port}"

    async def _asgi(self, *told: Any) -> None:  # Any: as the server gives them
        """The application of the world that is played now."""
        await self._app(*told)

    def start(self) -> None:
        """Serve. LoopbackNotStarted."""
        self._thread.start()
        until = time.monotonic() + _STARTS_SECONDS
        while time.monotonic() < until:
            with suppress(OSError):
                socket.create_connection((HOST, self._port), 1).close()
                return
            time.sleep(0.01)
        raise LoopbackNotStarted

    def stop(self) -> None:
        """End it. Nobody waits for an answer any more."""
        for lines in self._lines.values():
            lines.close()
        self._loop.call_soon_threadsafe(self._server.stop)
        self._thread.join(5.0)
        if self._threads is not None:
            self._threads.close()

    def reach(self, parts: RequiredPorts, station: str) -> Authority:
        """Return a station's port of the authority that has these parts.

        A station that is new gets its key. One world is served at a time: another one
        takes its place.
        """
        if self._parts is not parts:
            self._host(parts)
        if station not in self._keys:
            self._keys[station] = Ed25519Key.made()
            self._lines[station] = Lines(
                [self.address], self._context, self._signer(station), self._clock
            )
        return remote(self._lines[station], SystemEntropy(), self._clock)

    # --- inside -----------------------------------------------------------------

    def _host(self, parts: RequiredPorts) -> None:
        self._parts = parts
        self._threads = Threads(lambda: parts, count=1, waiting=16)
        service = Service(
            threads=self._threads,
            verify=self._verified,
            authority_of=LocalAuthority,
            names=frozenset({f"{HOST}:{self._port}"}),
            entropy=SystemEntropy(),
        )
        self._app = application(service)

    def _verified(
        self,
        parts: RequiredPorts,  # noqa: ARG002 - its stations are not on record
        request: HttpRequest,
    ) -> LoopbackStation:
        self.asked += 1
        proven = signing.verify(request, self._key_of, self._clock)
        return LoopbackStation(proven.station)

    def _key_of(self, station: str) -> StationPublicKey | None:
        key = self._keys.get(station)
        return key.public if key else None

    def _signer(self, station: str) -> Sign:
        key = self._keys[station]

        def sign(request: HttpRequest) -> Mapping[str, str]:
            return signing.sign(request, station=station, key=key, clock=self._clock)

        return sign

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._server.serve())
        self._loop.close()


@contextmanager
def loopback_fleet() -> Iterator[LoopbackFleet]:
    """Serve for as long as the block lasts; its folder goes with it.

    LoopbackNotStarted.
    """
    with tempfile.TemporaryDirectory(prefix="pin-kiosk-fleet-") as folder:
        fleet = LoopbackFleet(Path(folder))
        fleet.start()
        try:
            yield fleet
        finally:
            fleet.stop()

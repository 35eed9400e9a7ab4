"""A real service on a loopback port, its certificate made for the run.

One server to a process of the test run; each world that is reached through it has an
application of its own behind it, found by a header.
"""

from __future__ import annotations

import asyncio
import itertools
import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from starlette.applications import Starlette
from starlette.types import Receive, Scope, Send

from kiosk.authority.client.line import trusting
from kiosk.authority.client.lines import Lines, Sign
from kiosk.authority.client.remote import remote
from kiosk.authority.local import LocalAuthority
from kiosk.authority.ports import Authority
from kiosk.authority.required_ports import RequiredPorts
from kiosk.authority.service.app import Service, application
from kiosk.authority.service.callers import Caller, Verify
from kiosk.authority.service.server import Listening, server_of
from kiosk.authority.service.threads import Threads
from kiosk.authority.stations import signing
from kiosk.authority.stations.keys import Ed25519Key, StationPublicKey
from kiosk.authority.stations.request import HttpRequest
from kiosk.core.clock import ManualClock, SystemClock
from kiosk.core.entropy import SystemEntropy
from lab.left_over import own_folder
from lab.servers.ports import free_port
from lab.servers.tls_servers import Issued, Wish, issue

_WORLD, _STATION = "x-test-world", "x-test-station"
_CLOCK = SystemClock()
_KEPT = 8
"""Worlds whose threads stay; a test has few."""


@dataclass(frozen=True)
class Named:
    """`callers.Caller`."""

    station: str


def by_header(parts: RequiredPorts, request: HttpRequest) -> Named:
    """Believe whoever says who he is: never in the product."""
    return Named(request.headers[_STATION])


class Enrolled:
    """Stations with their keys, each made when it is first heard of."""

    def __init__(self) -> None:
        self._keys: dict[str, Ed25519Key] = {}

    def signer(
        self, station: str, off: Callable[[], float] = lambda: 0.0, **more: str
    ) -> Sign:
        """Return what signs as that station, whose clock is `off` by so many seconds.

        `more` stands beside, unsigned.
        """
        key = self._keys.setdefault(station, Ed25519Key.made())
        besides = {name.replace("_", "-"): value for name, value in more.items()}

        def sign(request: HttpRequest) -> Mapping[str, str]:
            clock = ManualClock(_CLOCK.now() + off())
            signed = signing.sign(request, station=station, key=key, clock=clock)
            return {**signed, **besides}

        return sign

    def verify(self, parts: RequiredPorts, request: HttpRequest) -> Caller:
        return signing.verify(request, self._key_of, _CLOCK)

    def public(self, station: str) -> StationPublicKey:
        """Return the key of a station, made when it is first heard of."""
        return self._keys.setdefault(station, Ed25519Key.made()).public

    def _key_of(self, station: str) -> StationPublicKey | None:
        key = self._keys.get(station)
        return key.public if key is not None else None


def write_pair(folder: Path, made: Issued, name: str = "service") -> tuple[Path, Path]:
    """Write a certificate and its key as a service has them."""
    certificate, key = folder / f"{name}.pem", folder / f"{name}.key"
    certificate.write_bytes(made.pem)
    key.touch(0o600)
    key.write_bytes(
        made.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return certificate, key


@dataclass(frozen=True)
class Site:
    """A site's own issuer, and the certificate it gave the service."""

    folder: Path
    authority: Issued

    @classmethod
    def founded(cls, folder: Path) -> Site:
        authority = issue(Wish(common_name="the site's own", is_authority=True))
        (folder / "site.pem").write_bytes(authority.pem)
        return cls(folder, authority)

    @property
    def ca_file(self) -> Path:
        return self.folder / "site.pem"

    def listening(self, port: int, **wishes: object) -> Listening:
        wish = Wish(addresses=("127.0.0.1",), **wishes)  # type: ignore[arg-type]  # fields of it
        made = issue(wish, self.authority)
        certificate, key = write_pair(self.folder, made, f"service-{port}")
        return Listening(
            host="127.0.0.1", port=port, certificate_file=certificate, key_file=key
        )


class Serving:
    """A server on a thread of its own, for as long as the block lasts."""

    def __init__(self, app: object, listening: Listening) -> None:
        self._loop = asyncio.new_event_loop()
        self._server = server_of(app, listening)  # type: ignore[arg-type]  # an ASGI application
        self._listening = listening
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> Serving:
        self._thread.start()
        self._until_it_listens()
        return self

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._server.serve())

    def _until_it_listens(self) -> None:
        until = time.monotonic() + 10
        while time.monotonic() < until:
            try:
                place = self._listening.host, self._listening.port
                socket.create_connection(place, 1).close()
            except OSError:
                time.sleep(0.01)
            else:
                return
        raise TimeoutError

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._server.stop)
        self._thread.join(10)
        self._loop.close()

    def __enter__(self) -> Serving:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


class Worlds:
    """`ASGI` of every world that is reached over the one server."""

    def __init__(self) -> None:
        self._site = Site.founded(own_folder("pin-kiosk-served-"))
        self._port = free_port()
        self._numbers = itertools.count()
        self._apps: dict[str, tuple[Starlette, Threads]] = {}
        self._context = trusting(self._site.ca_file)
        self._lines: list[Lines] = []
        self.enrolled = Enrolled()
        Serving(self, self._site.listening(self._port)).start()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        app, _ = self._apps[headers[_WORLD.encode()].decode()]
        await app(scope, receive, send)

    def reach(
        self,
        parts: RequiredPorts,
        station: str,
        kind: type[Lines] = Lines,
        verify: Verify | None = None,
        off: Callable[[], float] = lambda: 0.0,
    ) -> Authority:
        """Serve that authority, and return the port of a station that asks it.

        `verify`: judges whose a request is, in the place of who has a key here. `off`:
        seconds by which the station's clock is wrong now.
        """
        world = str(next(self._numbers))
        threads = Threads(lambda: parts, count=1, waiting=8)
        service = Service(
            threads=threads,
            verify=verify or self.enrolled.verify,
            authority_of=LocalAuthority,
            names=frozenset({f"127.0.0.1:{self._port}"}),
            entropy=SystemEntropy(),
        )
        self._apps[world] = application(service), threads
        while len(self._apps) > _KEPT:
            del self._apps[next(iter(self._apps))]
        address = f"https://127.0.0.1:{self._port}"
        signer = self.enrolled.signer(station, off, x_test_world=world)
        lines = kind([address], self._context, signer, SystemClock())
        self._lines.append(lines)
        return remote(lines, SystemEntropy(), SystemClock())

    def let_go(self) -> None:
        """Close what the stations of this thread have open."""
        while self._lines:
            self._lines.pop().close()


@cache
def worlds() -> Worlds:
    return Worlds()


def over_https(parts: RequiredPorts, station: str) -> Authority:
    """`reaches.Reach` through TLS, HTTP and the service's own threads."""
    return worlds().reach(parts, station)

"""A serving process under load: `python -m scripts.bench._fleet_service FOLDER PORT N`.

Everything is the product's own: server, signatures, threads, authority, PostgreSQL with
checkpoints. The directory is simulated, unless a Samba was started. With `floor` as a
last word it does by hand what a call cannot do without: the signature, the body, its
transactions, the sealed PIN, the card's signature, and the domain where there is one.
What the slow hashes use is counted, and told at `/slow`.
"""

from __future__ import annotations

import sys
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import psycopg
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from kiosk.authority.local import LocalAuthority
from kiosk.authority.proof.checkpointed_registry import CheckpointedRegistry
from kiosk.authority.required_ports import RequiredPorts
from kiosk.authority.rules import pin_history
from kiosk.authority.service import process
from kiosk.authority.service.app import Service, signed_request
from kiosk.authority.service.server import Listening
from kiosk.authority.service.threads import Threads
from kiosk.authority.stations import signing
from kiosk.authority.stations.request import HttpRequest
from kiosk.core.clock import SystemClock
from kiosk.core.entropy import SystemEntropy
from kiosk.core.figures import UNTOLD
from kiosk.core.process_end import end_process
from kiosk.core.secret import Secret
from kiosk.figures.watched import WatchedRegistry
from scripts.bench import _fleet_by_hand
from scripts.bench._fleet_by_hand import (
    JUDGED,
    OPENED,
    WRITTEN,
    Body,
    LdapByHand,
    judge,
    open_pin,
)
from scripts.bench._fleet_domain import directory, ldap_settings
from scripts.bench._fleet_site import site, station_key, station_names
from storage.high_water import HighWaterMark
from storage.postgres.connection import connect
from storage.postgres_registry import PostgresRegistry

THREADS = 8


@dataclass(frozen=True)
class BenchStation:
    """`callers.Caller`."""

    station: str


def main(folder: Path, port: int, stations: int, *, is_floor: bool) -> None:
    """Serve until SIGTERM."""
    conninfo = (folder / "conninfo").read_text()
    keys = {name: station_key(name).public for name in station_names(stations)}
    clock = SystemClock()
    parts = site(stations).parts
    parts = replace(parts, directory=directory(folder, clock) or parts.directory)

    def verify(
        parts: RequiredPorts,  # noqa: ARG001 - the stations are not on record
        request: HttpRequest,
    ) -> BenchStation:
        return BenchStation(signing.verify(request, keys.get, clock).station)

    def opened() -> RequiredPorts:
        name = f"{port}-{threading.get_ident()}"
        registry = CheckpointedRegistry(
            WatchedRegistry(PostgresRegistry(conninfo), UNTOLD),
            vault=parts.vault,
            clock=clock,
            station="authority",
            mark=HighWaterMark(folder / f"{name}.seen", "world"),
        )
        return replace(parts, registry=registry)

    listening = Listening(
        host="127.0.0.1",
        port=port,
        certificate_file=folder / f"service-{port}.pem",
        key_file=folder / f"service-{port}.key",
    )
    service = Service(
        threads=Threads(opened, count=THREADS, waiting=256),
        verify=verify,
        authority_of=LocalAuthority,
        names=frozenset({f"127.0.0.1:{port}"}),
        entropy=SystemEntropy(),
    )
    made = process.ProcessParts(service=service, listening=listening, drain_seconds=0.0)
    more = [_slow(), *([_floor(service, conninfo, folder)] if is_floor else [])]
    process.run(made, lambda: made, more)


def _slow() -> Route:
    """How many milliseconds of a core the hashes of earlier PINs have used here."""
    used: list[float] = []
    digest = pin_history._digest  # noqa: SLF001 - only inside it is it told apart

    def counted(pin: Secret, salt: bytes) -> bytes:
        began = time.thread_time()
        made = digest(pin, salt)
        used.append(1000 * (time.thread_time() - began))
        return made

    pin_history._digest = counted  # noqa: SLF001 - as above

    async def slow(_: Request) -> Response:
        return Response(f"{sum(used)}")

    return Route("/slow", slow, methods=["POST"])


def _floor(service: Service, conninfo: str, folder: Path) -> Route:
    """A call that does what none can do without, and nothing of what a visit means."""
    mine = threading.local()
    accounts = _fleet_by_hand.accounts(folder)
    settings = ldap_settings(folder)

    def work(parts: RequiredPorts, signed: HttpRequest) -> None:
        station = service.verify(parts, signed).station
        call, commits = map(int, signed.query.split("."))
        if not hasattr(mine, "by_hand"):
            mine.by_hand = TransactionByHand(conninfo, threading.get_ident())
            if settings is not None:
                mine.domain = LdapByHand(settings)
        brought = msgspec.json.decode(signed.body, type=Body)
        mine.by_hand.read(station)
        if JUDGED[call]:
            judge(brought.signature)
        if OPENED[call]:
            open_pin(brought.sealed)
        if WRITTEN[call] and settings is not None:
            mine.domain.write(*accounts[station])
        for number in range(commits):
            mine.by_hand.commit(
                station, f"{signed.headers['idempotency-key']}-{number}"
            )

    async def floor(request: Request) -> Response:
        signed = await signed_request(request, service)
        await service.threads.run(lambda parts: work(parts, signed))
        return Response(
            b'{"answer":' + b'"x"' * 100 + b"}", media_type="application/json"
        )

    return Route("/floor", floor, methods=["POST"])


class TransactionByHand:
    """What a call that writes leaves: its answer, a saved operation, evidence."""

    def __init__(self, conninfo: str, number: int) -> None:
        self._connection: psycopg.Connection[tuple[object, ...]] = connect(conninfo)
        self._lane = f"hand-{number}"
        self._do(
            b"INSERT INTO evidence_head VALUES (%s, 0, '') ON CONFLICT DO NOTHING",
            [self._lane],
        )
        self._connection.commit()
        self._seq = 0

    def _do(self, statement: bytes, told: list[object]) -> None:
        self._connection.execute(statement, told)

    def read(self, station: str) -> None:
        self._do(
            b"SELECT c.document, k.authentication FROM credential c LEFT JOIN"
            b" certificate k ON k.credential = c.id WHERE c.id = %s",
            [f"credential-{station}"],
        )
        self._connection.commit()

    def commit(self, station: str, key: str) -> None:
        credential = f"credential-{station}"
        self._do(
            b"SELECT document FROM answer WHERE station = %s AND call = %s",
            [station, key],
        )
        self._do(b"SELECT document FROM credential WHERE id = %s", [credential])
        self._do(
            b"UPDATE credential SET document = document WHERE id = %s", [credential]
        )
        self._do(
            b"INSERT INTO answer VALUES (%s, %s, 1.0, %s)", [station, key, "x" * 300]
        )
        self._seq += 1
        self._do(
            b"UPDATE evidence_head SET seq = %s WHERE lane = %s",
            [self._seq, self._lane],
        )
        self._do(
            b"INSERT INTO evidence (lane, seq, at, kind, credential, operation,"
            b" document) VALUES (%s, %s, 1.0, 'x', %s, '', %s)",
            [self._lane, self._seq, credential, "x" * 400],
        )
        self._connection.commit()


if __name__ == "__main__":
    main(
        Path(sys.argv[1]),
        int(sys.argv[2]),
        int(sys.argv[3]),
        is_floor="floor" in sys.argv,
    )
    end_process(0)  # as `kiosk serve` ends: threads of the server's own still run

"""Stations of a fleet at work: how many visits a second, and how long each.

Each station is a thread with a simulated card that changes its PIN again and again: the
product's own visit, over HTTPS, at real serving processes on one PostgreSQL that waits
for its disk. Beside it, in the same run, the floor: by hand, with nothing of what a
visit means, the same number of signed calls over TLS and of transactions, the PIN
sealed and opened (HPKE), the card's signature made and judged, and, where there is a
real domain, the account read, its password set and tried.

`BENCH_STATIONS`, `BENCH_PROCESSES`, `BENCH_CREDENTIALS`, `BENCH_SECONDS` and
`BENCH_PIN_HISTORY` choose what is played; `BENCH_DIRECTORY=samba` puts a real domain
controller in the place of the simulated one, on the same cores; `BENCH_FLOOD=1` lets
one more machine send what it can meanwhile.
"""

from __future__ import annotations

import itertools
import logging
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from kiosk.authority.client.line import trusting
from kiosk.authority.client.lines import Lines, Sign
from kiosk.authority.client.remote import remote
from kiosk.authority.stations import signing
from kiosk.authority.stations.request import HttpRequest
from kiosk.core.clock import SystemClock
from kiosk.core.entropy import SystemEntropy
from kiosk.core.errors import KioskError
from kiosk.core.secret import Secret
from kiosk.core.workers import InlineWorker
from kiosk.simulation.cards.piv import SimulatedPivCard
from kiosk.simulation.cards.reader import SimulatedReaders
from kiosk.visit.run import Workplace
from kiosk.visit.views import Answers, FieldName, Outcome
from kiosk.visit.visit import Visit
from scripts.bench import Row
from scripts.bench._fleet_by_hand import call_body
from scripts.bench._fleet_domain import domain, family
from scripts.bench._fleet_site import PINS, site, station_key, station_names
from statemachine.operation import Kind
from storage.postgres_registry import PostgresRegistry

ON_REQUEST = True
TITLE = "A fleet: visits over HTTPS, on PostgreSQL"
STATIONS = int(os.environ.get("BENCH_STATIONS", "8"))
PROCESSES = int(os.environ.get("BENCH_PROCESSES", "1"))
CREDENTIALS = int(os.environ.get("BENCH_CREDENTIALS", "1000"))
SECONDS = float(os.environ.get("BENCH_SECONDS", "10"))
FLOOD = os.environ.get("BENCH_FLOOD", "") == "1"
OF_FLOOR = 0.6
P50_MS, VISITS = 60.0, 60.0
_OWN_CORES, VISITS_ON_THEIR_OWN = 2, 100.0
"""What two cores are to carry that generator and database are not on."""
_CALLS = (0, 1, 1, 3)
"""Transactions that write in each call of a change: open, prepare, authorise, write."""
_TICKS = os.sysconf("SC_CLK_TCK")
_SERVER = {
    "fsync": "on",
    "shared_buffers": "1GB",
    "max_wal_size": "4GB",
    "max_connections": "60",
}


@dataclass(slots=True)
class Played:
    """What came of some seconds of many stations."""

    seconds: float = 0.0
    took: list[float] = field(default_factory=list)
    """Milliseconds of each visit, without the time a person types."""
    others: list[str] = field(default_factory=list)
    """How visits ended that did not end well."""
    cores: dict[str, float] = field(default_factory=dict)
    """Core milliseconds per visit, by who used them."""
    commits: float = 0.0
    """Of the database, per visit."""
    slow: float = 0.0
    """Core milliseconds per visit, of the service's, that hashes of PINs used."""

    @property
    def rate(self) -> float:
        return len(self.took) / self.seconds

    def percentile(self, part: float) -> float:
        ordered = sorted(self.took)
        return ordered[min(len(ordered) - 1, int(part * len(ordered)))]

    def told(self, name: str) -> str:
        used = ", ".join(f"{who} {ms:.1f}" for who, ms in self.cores.items())
        return (
            f"{name}: {self.rate:.1f}/s, p50 {self.percentile(0.5):.1f},"
            f" p95 {self.percentile(0.95):.1f}, p99 {self.percentile(0.99):.1f} ms;"
            f" core-ms each: {used}; of the service's, scrypt"
            f" {self.slow:.1f}; commits each: {self.commits:.1f};"
            f" ended otherwise: {len(self.others)} {sorted(set(self.others))}"
        )


def run() -> list[Row]:
    """Play the visits and the floor, in turns; return how they compare."""
    logging.getLogger("kiosk").setLevel(logging.CRITICAL)  # not there yet: no news
    with _fleet() as fleet:
        print(fleet.floor().told("warming up"), file=sys.stderr)
        fleet.visits(3.0)
        fleet.analyze()
        floor, ours = fleet.floor(), fleet.visits(SECONDS)
        print(floor.told("floor"), file=sys.stderr)
        print(ours.told("visits"), file=sys.stderr)
        rows = [*_rows(floor, ours)]
        if FLOOD:
            with fleet.flood():
                flooded = fleet.visits(SECONDS)
            print(flooded.told("flooded"), file=sys.stderr)
            rows.append(
                Row(
                    what="95th percentile of the others while one floods",
                    ours=flooded.percentile(0.95),
                    other=ours.percentile(0.95),
                    other_is="without",
                    unit="ms",
                    target=2.0,
                )
            )
    return rows


def _rows(floor: Played, ours: Played) -> Iterator[Row]:
    what = f"{STATIONS} stations, {PROCESSES} processes, {CREDENTIALS:,} credentials"
    yield Row(
        what=f"processor time of a visit, all sides of it, {what}",
        ours=sum(ours.cores.values()),
        other=sum(floor.cores.values()),
        other_is="floor",
        unit="ms",
        target=1 / OF_FLOOR,
    )
    alone = ours.cores["service"]
    yield Row(
        what=(
            "the authority's processes alone; by that, computed, two cores of their own"
            f" carry {_OWN_CORES * 1000 / alone:.0f} a second"
        ),
        ours=alone,
        other=floor.cores["service"],
        other_is="floor",
        unit="ms",
        target=float("inf"),
        at_most=_OWN_CORES * 1000 / VISITS_ON_THEIR_OWN,
    )
    yield Row(
        what="time between two visits",
        ours=1000 / ours.rate,
        other=1000 / floor.rate,
        other_is="floor",
        unit="ms",
        target=float("inf"),
        at_most=1000 / VISITS,
    )
    yield Row(
        what="a visit, half of them",
        ours=ours.percentile(0.5),
        other=floor.percentile(0.5),
        other_is="floor",
        unit="ms",
        target=float("inf"),
        at_most=P50_MS,
    )


@contextmanager
def _fleet() -> Iterator[Fleet]:
    from lab.servers.ports import free_port
    from lab.servers.postgres import Server
    from lab.servers.served import Site

    server = Server(_SERVER)
    with (
        tempfile.TemporaryDirectory(prefix="bench-fleet-") as home,
        ExitStack() as moved,
    ):
        folder = Path(home)
        conninfo = server.conninfo(server.empty_database())
        (folder / "conninfo").write_text(conninfo)
        _fill(conninfo)
        registry = PostgresRegistry(conninfo)
        cards = site(STATIONS, registry).cards
        controller = moved.enter_context(domain(folder, STATIONS, registry))
        registry.close()
        with psycopg.connect(conninfo, autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE")
            connection.execute("CHECKPOINT")
        founded = Site.founded(folder)
        ports = [free_port() for _ in range(PROCESSES)]
        for port in ports:
            founded.listening(port)
        fleet = Fleet(folder, ports, cards, conninfo, controller)
        try:
            fleet.start()
            yield fleet
        finally:
            fleet.stop()
            server.remove()


def _fill(conninfo: str) -> None:
    os.environ.setdefault("BENCH_EVENTS", "1000")
    os.environ["BENCH_CREDENTIALS"] = str(CREDENTIALS)
    from scripts.bench import postgres

    postgres.fill(conninfo)


class Fleet:
    """Serving processes, and the stations that ask them."""

    def __init__(
        self,
        folder: Path,
        ports: list[int],
        cards: Mapping[str, SimulatedPivCard],
        conninfo: str,
        controller: int,
    ) -> None:
        """`controller`: the pid of the domain controller; 0: there is none."""
        self._controller = controller
        self._folder, self._ports, self._cards = folder, ports, cards
        self._conninfo = conninfo
        self._context = trusting(folder / "site.pem")
        self._processes: list[subprocess.Popen[bytes]] = []
        self._pins: dict[str, Iterator[tuple[str, str]]] = {}

    def start(self) -> None:
        for port in self._ports:
            command = [
                *(sys.executable, "-m", "scripts.bench._fleet_service"),
                *(str(self._folder), str(port), str(STATIONS), "floor"),
            ]
            self._processes.append(subprocess.Popen(command))
        for number, _ in enumerate(self._ports):
            self._until_it_answers(number)

    def stop(self) -> None:
        for process in self._processes:
            process.send_signal(signal.SIGTERM)
        for process in self._processes:
            process.wait(20)

    def floor(self) -> Played:
        return self._played(self._floor_calls, SECONDS / 2)

    def visits(self, seconds: float) -> Played:
        return self._played(self._visit, seconds)

    def analyze(self) -> None:
        """Let the database know its tables, as it does by itself within minutes.

        They were empty when their statements were planned.
        """
        with psycopg.connect(self._conninfo, autocommit=True) as connection:
            connection.execute("ANALYZE")

    @contextmanager
    def flood(self) -> Iterator[None]:
        """Let the last station ask without a pause, on many connections, meanwhile."""
        ending = threading.Event()
        name = station_names(STATIONS)[-1]

        def ask(number: int) -> None:
            lines = self._lines(name, number)
            headers = {"content-type": "application/json"}
            while not ending.is_set():
                key = SystemEntropy().bytes(16).hex()
                told = {**headers, "idempotency-key": key}
                lines.ask("/v1/visit/health", told, b'{"key":"x"}', within=5.0)
            lines.close()

        threads = [threading.Thread(target=ask, args=(it,)) for it in range(16)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            ending.set()
            for thread in threads:
                thread.join()

    # --- inside -----------------------------------------------------------------

    def _until_it_answers(self, number: int) -> None:
        until = time.monotonic() + 60
        while True:
            line = self._lines(station_names(1)[0], number)
            try:
                told = {"content-type": "application/json", "idempotency-key": "0"}
                line.ask("/floor?0.0", told, b"{}", within=1.0)
            except KioskError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.1)
            else:
                return
            finally:
                line.close()

    def _lines(self, name: str, number: int) -> Lines:
        """Return a station's connections; each begins at another process."""
        first = number % len(self._ports)
        ports = self._ports[first:] + self._ports[:first]
        addresses = [f"https://127.0.0.1:{port}" for port in ports]
        return Lines(addresses, self._context, signer(name), SystemClock())

    def _played(
        self, work: Callable[[str, Lines, Played], None], seconds: float
    ) -> Played:
        played, gate = Played(), threading.Barrier(STATIONS + 1)
        ending = threading.Event()

        def station(number: int, name: str) -> None:
            lines = self._lines(name, number)
            gate.wait()
            while not ending.is_set():
                work(name, lines, played)
            lines.close()

        threads = [
            threading.Thread(target=station, args=each)
            for each in enumerate(station_names(STATIONS))
        ]
        for thread in threads:
            thread.start()
        before, commits, slow = self._used(), self._commits(), self._slow()
        gate.wait()
        began = time.perf_counter()
        time.sleep(seconds)
        ending.set()
        for thread in threads:
            thread.join()
        played.seconds = time.perf_counter() - began
        count = max(1, len(played.took))
        after = self._used()
        played.cores = {it: 1000 * (after[it] - before[it]) / count for it in after}
        played.commits = (self._commits() - commits) / count
        played.slow = (self._slow() - slow) / count
        return played

    def _visit(self, name: str, lines: Lines, played: Played) -> None:
        pins = self._pins.setdefault(name, itertools.cycle(itertools.pairwise(_TURN)))
        old, new = next(pins)
        card = SimulatedReaders().insert(self._cards[name])
        authority = remote(lines, SystemEntropy(), SystemClock())
        place = Workplace(card=card, authority=authority, worker=InlineWorker())
        visit = Visit(place)
        began = time.perf_counter()
        visit.recognise()
        form = visit.begin(Kind.CHANGE)
        fields = {
            FieldName.OLD_PIN: Secret(old.encode()),
            FieldName.NEW_PIN: Secret(new.encode()),
        }
        result = visit.submit(form, Answers(fields, confirmed=True), lambda _: None)
        played.took.append(1000 * (time.perf_counter() - began))
        visit.close()
        if result.outcome is not Outcome.DONE:
            played.others.append(f"{result.outcome} {result.headline.key}")

    def _floor_calls(self, _: str, lines: Lines, played: Played) -> None:
        began = time.perf_counter()
        sealed = b""
        for number, commits in enumerate(_CALLS):
            key = SystemEntropy().bytes(16).hex()
            told = {"content-type": "application/json", "idempotency-key": key}
            body, sealed = call_body(number, sealed)
            answer = lines.ask(f"/floor?{number}.{commits}", told, body)
            if answer.status != 200:
                played.others.append(str(answer.status))
        played.took.append(1000 * (time.perf_counter() - began))

    def _used(self) -> dict[str, float]:
        """Return the seconds of a core that each has used."""
        own = os.times()
        served = sum(_seconds_of(process.pid) for process in self._processes)
        used = {
            "generator": own.user + own.system,
            "service": served,
            "database": sum(map(_seconds_of, self._database())),
        }
        if self._controller:
            used["controller"] = sum(map(_seconds_of, family(self._controller)))
        return used

    def _slow(self) -> float:
        """Return the milliseconds of a core that slow hashes have used."""
        told = {"content-type": "application/json", "idempotency-key": "0"}
        total = 0.0
        for number, _ in enumerate(self._ports):
            line = self._lines(station_names(1)[0], number)
            total += float(line.ask("/slow", told, b"{}").body)
            line.close()
        return total

    def _database(self) -> list[int]:
        with psycopg.connect(self._conninfo) as connection:
            rows = connection.execute("SELECT pid FROM pg_stat_activity").fetchall()
        return [int(row[0]) for row in rows]

    def _commits(self) -> float:
        with psycopg.connect(self._conninfo, autocommit=True) as connection:
            connection.execute("SELECT pg_stat_clear_snapshot()")
            row = connection.execute(
                "SELECT xact_commit FROM pg_stat_database WHERE datname ="
                " current_database()"
            ).fetchone()
        return float(row[0]) if row else 0.0


_TURN = (*PINS, PINS[0])


def signer(name: str) -> Sign:
    """Return what signs for a station."""
    key, clock = station_key(name), SystemClock()

    def sign(request: HttpRequest) -> Mapping[str, str]:
        return signing.sign(request, station=name, key=key, clock=clock)

    return sign


def _seconds_of(pid: int) -> float:
    try:
        told = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        return 0.0
    return (int(told[11]) + int(told[12])) / _TICKS

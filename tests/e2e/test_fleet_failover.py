"""The database's primary dies or is changed while two processes serve a fleet's visits.

Real serving processes, HTTPS and Patroni; cards and directory are simulated. Whatever
happens to the database: every visit that was told to be done is on record as done,
nothing is written twice for one proof, and what did not end well is seen not to have.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from lab.servers.patroni import Cluster, Node
from lab.servers.ports import free_port
from lab.servers.served import Site

from kiosk.authority.client.line import trusting
from kiosk.authority.client.lines import Lines
from kiosk.authority.client.remote import remote
from kiosk.core.clock import SystemClock
from kiosk.core.entropy import SystemEntropy
from kiosk.core.errors import KioskError
from kiosk.core.secret import Secret
from kiosk.core.workers import InlineWorker
from kiosk.simulation.cards.piv import SimulatedPivCard
from kiosk.simulation.cards.reader import SimulatedReaders
from kiosk.simulation.demo import pin_of
from kiosk.visit.by_kind import NotOffered
from kiosk.visit.run import Workplace
from kiosk.visit.views import Answers, FieldName, Outcome
from kiosk.visit.visit import Visit
from scripts.bench._fleet_site import PINS, site, station_names
from scripts.bench.fleet import signer
from statemachine.operation import Kind
from storage import audit
from storage.errors import RegistryError
from storage.postgres_registry import PostgresRegistry

pytestmark = [pytest.mark.slow]

STATIONS, PROCESSES = 4, 2
BEGINS_AT, ENDS_AT = 12, 60
"""Visits that are done when it happens, and when it is enough."""


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    running = Cluster()
    yield running
    running.close()


class VisitingStation:
    """One that changes the PIN of its card again and again, whatever comes."""

    def __init__(self, name: str, card: SimulatedPivCard, lines: Lines) -> None:
        self._name, self._card, self._lines = name, card, lines
        self.ended: Counter[str] = Counter()
        self.done: list[str] = []
        """The numbers of the visits that were told to be done."""

    def work(self, enough: threading.Event) -> None:
        while not enough.is_set():
            self.ended[self._visit()] += 1
        self._lines.close()

    def _visit(self) -> str:
        reader = SimulatedReaders()
        place = Workplace(
            card=reader.insert(self._card),
            authority=remote(self._lines, SystemEntropy(), SystemClock()),
            worker=InlineWorker(),
        )
        visit = Visit(place)
        try:
            home = visit.recognise()
            kind = next(it.kind for it in home.actions if it.reason is None)
            form = visit.begin(kind)
            present = pin_of(self._card)
            new = PINS[(PINS.index(present) + 1) % len(PINS)]
            typed = {
                it: Secret((present if it in _PRESENT else new).encode())
                for it in form.fields
            }
            result = visit.submit(form, Answers(typed, confirmed=True), lambda _: None)
        except (KioskError, RegistryError, NotOffered, StopIteration) as error:
            time.sleep(0.05)
            return type(error).__name__
        finally:
            visit.close()
        if result.outcome is Outcome.DONE and kind is Kind.CHANGE:
            self.done.append(result.event)
        return str(result.outcome)


_PRESENT = (FieldName.OLD_PIN, FieldName.CURRENT_PIN)


def server_killed(cluster: Cluster, node: Node) -> None:
    node.kill_server()


def switched_over(cluster: Cluster, node: Node) -> None:
    cluster.switch_over()


@pytest.mark.parametrize("happens", [server_killed, switched_over])
def test_no_visit_is_lost_and_none_is_told_wrongly(
    cluster: Cluster, tmp_path: Path, happens: Callable[[Cluster, Node], None]
) -> None:
    conninfo = cluster.conninfo()
    (tmp_path / "conninfo").write_text(conninfo)
    registry = PostgresRegistry(conninfo)
    cards = site(STATIONS, registry).cards
    registry.close()
    founded, ports = Site.founded(tmp_path), [free_port() for _ in range(PROCESSES)]
    processes = []
    for port in ports:
        founded.listening(port)
        command = [sys.executable, "-m", "scripts.bench._fleet_service", str(tmp_path)]
        processes.append(subprocess.Popen([*command, str(port), str(STATIONS)]))
    context = trusting(founded.ca_file)
    stations = []
    for number, name in enumerate(station_names(STATIONS)):
        address = f"https://127.0.0.1:{ports[number % PROCESSES]}"
        lines = Lines([address], context, signer(name), SystemClock())
        stations.append(VisitingStation(name, cards[name], lines))
    enough = threading.Event()
    threads = [threading.Thread(target=it.work, args=(enough,)) for it in stations]
    try:
        for thread in threads:
            thread.start()

        def done() -> int:
            return sum(len(each.done) for each in stations)

        cluster.until(lambda: done() >= BEGINS_AT, "the first visits")
        happens(cluster, cluster.leader())
        cluster.until(lambda: done() >= ENDS_AT, "the visits after it")
    finally:
        enough.set()
        for thread in threads:
            thread.join()
        for process in processes:
            process.send_signal(signal.SIGTERM)
        assert [process.wait(30) for process in processes] == [0, 0]

    cluster.leader()
    registry = PostgresRegistry(conninfo, patience=60.0)
    events = list(registry.audit_events())
    registry.close()
    assert audit.verify(events).is_sound
    ended = Counter(e.data["event"] for e in events if e.kind == "operation.done")
    told = [event for each in stations for event in each.done]
    assert len(set(told)) == len(told)
    assert all(ended[event] == 1 for event in told), cluster.told()
    authorised = Counter(
        e.operation for e in events if e.kind == "operation.authorised"
    )
    writing = Counter(e.operation for e in events if e.kind == "operation.writing")
    assert max(authorised.values()) == 1
    assert max(writing.values()) == 1
    assert set(writing) <= set(authorised)

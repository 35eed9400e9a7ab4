"""The primary dies, stops, is cut off or replaced in the middle of many operations.

Three nodes under Patroni with synchronous replication. Each operation is two commits of
a station that repeats a call until it is answered: a nonce is given; it is used up with
a code, the credential is saved, evidence is added. Somebody else tries every nonce and
every code again. Whatever happens to the database: what was answered is there, nothing
was accepted twice, and no operation is half done. Then whole visits, with a card and a
directory: each ends on a page that says what is so.
"""

from __future__ import annotations

import json
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from typing import TypeVar

import psycopg
import pytest
from lab.histories import History
from lab.liar import named
from lab.registries import approval, credential, draft
from lab.servers.patroni import Cluster, Node
from msgspec.structs import replace

from kiosk.authority.proof.evidence import unproven_writes
from kiosk.core.errors import KioskError
from kiosk.visit.views import Outcome
from storage import audit
from storage.errors import RecordMissing, RegistryError
from storage.postgres import schema
from storage.postgres_registry import PostgresRegistry
from storage.records import Nonce, NoncePurpose, Repeat
from storage.registry import Registry, Tx

pytestmark = [pytest.mark.long, pytest.mark.slow]

T = TypeVar("T")
STATIONS = 4
OPERATIONS = 1_000
BEGINS_AT = 300
"""How many are done when it happens."""
GIVES_UP_SECONDS = 240.0


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    running = Cluster()
    yield running
    running.close()


class Station:
    """One that does its part of the operations, on a thread of its own."""

    def __init__(self, conninfo: str, name: str) -> None:
        self._conninfo = conninfo
        self.name = name
        self._registry: Registry | None = None
        self.answered: list[str] = []
        self.lost: list[str] = []
        """What was answered and is not there any more."""
        self.twice: list[str] = []
        """What was accepted though it had been used."""

    def work(self, count: int) -> None:
        try:
            self._work(count)
        except RecordMissing as error:
            self.lost.append(str(error))
        if self._registry is not None:
            self._registry.close()

    def _work(self, count: int) -> None:
        for number in range(count):
            task = f"{self.name}-{number}"
            self._call(f"{task}-give", partial(give, task=task, station=self.name))
            told = self._call(f"{task}-use", partial(use, task=task, station=self.name))
            assert told == "used", task
            self.answered.append(task)
            again = self._call(
                f"{task}-steal", partial(use, task=task, station=self.name)
            )
            if again != "refused":
                self.twice.append(task)

    def _call(self, key: str, effect: Callable[[Tx], str]) -> str:
        """Ask until there is an answer, as a station does, by the same key."""

        def once(tx: Tx) -> str:
            before = tx.repeat(self.name, key)
            if before is not None:
                return str(json.loads(before.answer))
            told = effect(tx)
            tx.save_repeat(
                Repeat(
                    station=self.name,
                    key=key,
                    request=b"d",
                    answer=json.dumps(told),
                    at=0.0,
                )
            )
            return told

        until, last = time.monotonic() + GIVES_UP_SECONDS, None
        while time.monotonic() < until:
            try:
                if self._registry is None:
                    self._registry = PostgresRegistry(self._conninfo)
                return self._registry.run(once)
            except RecordMissing:
                raise  # it was answered that it is there
            except RegistryError as error:
                last = error
                if self._registry is not None:
                    self._registry.close()
                    self._registry = None
                time.sleep(0.05)
        raise TimeoutError(key) from last


def give(tx: Tx, task: str, station: str) -> str:
    nonce = Nonce(
        value=task.encode(),
        purpose=NoncePurpose.OPERATION,
        bound_to=task,
        station=station,
        expires_at=2e9,
    )
    tx.issue_nonce(nonce)
    tx.save_approval(approval(f"code-{task}", 1.0, credential=station, expires_at=2e9))
    return "given"


def use(tx: Tx, task: str, station: str) -> str:
    known = tx.credential(station)
    code = tx.approval(f"code-{task}")
    taken = tx.consume_nonce(
        task.encode(),
        purpose=NoncePurpose.OPERATION,
        bound_to=task,
        station=station,
        now=1.0,
    )
    if not taken or code.spent:
        return "refused"
    tx.save_approval(replace(code, spent=True))
    tx.save_credential(known)
    tx.audit(draft(station=station, kind="used", credential=station, operation=task))
    return "used"


# --- what happens ------------------------------------------------------------------


def server_killed(cluster: Cluster, node: Node) -> None:
    node.kill_server()


def host_dies(cluster: Cluster, node: Node) -> None:
    node.signal(signal.SIGKILL)
    cluster.leader(other_than=node)
    node.start()


def host_stops(cluster: Cluster, node: Node) -> None:
    node.signal(signal.SIGSTOP)
    cluster.leader(other_than=node)
    node.signal(signal.SIGCONT)


def cut_off(cluster: Cluster, node: Node) -> None:
    node.cut_off()
    cluster.leader(other_than=node)
    node.reconnect()


def switched_over(cluster: Cluster, node: Node) -> None:
    cluster.switch_over()


HAPPENINGS: dict[str, Callable[[Cluster, Node], None]] = {
    "switched over": switched_over,
    "server killed": server_killed,
    "host dies": host_dies,
    "host stops": host_stops,
    "cut off": cut_off,
}


@pytest.mark.parametrize("what", HAPPENINGS)
def test_nothing_that_was_answered_is_lost_and_nothing_is_accepted_twice(
    cluster: Cluster, what: str
) -> None:
    prefix = what.replace(" ", "-")
    conninfo = cluster.conninfo()
    registry = PostgresRegistry(conninfo)
    names = [f"{prefix}-k{number}" for number in range(STATIONS)]
    for name in names:
        registry.run(lambda tx, name=name: tx.save_credential(credential(name, name)))  # type: ignore[misc]  # mypy cannot infer a lambda's default
    registry.close()
    stations = [Station(conninfo, name) for name in names]
    threads = [
        threading.Thread(target=each.work, args=(OPERATIONS // STATIONS,))
        for each in stations
    ]
    for thread in threads:
        thread.start()
    leader = cluster.leader()
    cluster.until(
        lambda: sum(len(each.answered) for each in stations) >= BEGINS_AT, "work"
    )
    HAPPENINGS[what](cluster, leader)
    for thread in threads:
        thread.join()

    assert [it for each in stations for it in each.lost] == [], cluster.told()
    answered = [task for each in stations for task in each.answered]
    assert len(answered) == OPERATIONS, cluster.told()
    assert [task for each in stations for task in each.twice] == []
    cluster.leader()
    registry = PostgresRegistry(conninfo, patience=60.0)
    events = list(registry.audit_events())
    assert Counter(event.operation for event in events) == Counter(answered)
    assert audit.verify(events).is_sound
    versions = [
        registry.read(lambda it, name=name: it.credential(name).version)  # type: ignore[misc]  # mypy cannot infer a lambda's default
        for name in names
    ]
    assert sum(versions) == STATIONS + OPERATIONS
    registry.close()


# --- whole visits --------------------------------------------------------------------

VISITORS, VISITS = 3, 40


class Visitor:
    """One person who changes a PIN again and again, at a station with a card."""

    def __init__(self, conninfo: str) -> None:
        self._registry = PostgresRegistry(conninfo, patience=60.0)
        self._history = History(named("change"), self._registry)
        self._registry.close()
        self._registry = PostgresRegistry(conninfo)
        self._history.world.registry = self._registry
        self._history.world.restart()
        self.told: list[str] = []
        self.untrue: list[str] = []
        """What was shown and was not so."""

    def visit(self, times: int) -> None:
        for _ in range(times):
            result = self._answered(self._history.attempt)
            self.told.append(result.outcome if result else "nothing was shown")
            if result is not None and result.outcome is Outcome.DONE:
                if not self._answered(self._history.is_in_step):
                    self.untrue.append("done")
            else:
                self._answered(self._history.come_home)

    def end(self) -> None:
        """Hold what remains against what is always true."""
        events = list(self._registry.audit_events())
        assert audit.verify(events).is_sound
        assert unproven_writes(events) == []
        writings = [e for e in events if e.kind == "operation.writing"]
        assert len(self._history.domain.writes) <= len(writings)
        assert self._history.is_in_step()
        self._registry.close()

    def _answered(self, ask: Callable[[], T]) -> T:
        """Look again until there is a database to be seen."""
        until = time.monotonic() + GIVES_UP_SECONDS
        while True:
            try:
                return ask()
            except (RegistryError, KioskError, AssertionError):
                if time.monotonic() > until:
                    raise
                time.sleep(0.2)


@pytest.mark.parametrize("what", HAPPENINGS)
def test_every_visit_ends_done_refused_or_visibly_out_of_step(
    cluster: Cluster, what: str
) -> None:
    visitors = []
    for number in range(VISITORS):
        name = f"visits{number}"
        with psycopg.connect(cluster.conninfo(), autocommit=True) as owner:
            owner.execute(f"CREATE DATABASE {name}".encode())
        schema.upgraded(cluster.conninfo(name))
        visitors.append(Visitor(cluster.conninfo(name)))
    threads = [threading.Thread(target=each.visit, args=(VISITS,)) for each in visitors]
    leader = cluster.leader()
    for thread in threads:
        thread.start()
    cluster.until(
        lambda: sum(len(each.told) for each in visitors) >= VISITORS * 5, "visits"
    )
    HAPPENINGS[what](cluster, leader)
    for thread in threads:
        thread.join()

    told = Counter(outcome for each in visitors for outcome in each.told)
    assert told.total() == VISITORS * VISITS
    ended = {Outcome.DONE, Outcome.REFUSED, Outcome.ROLLED_BACK, Outcome.OUT_OF_STEP}
    assert set(told) <= ended
    assert told[Outcome.DONE] > VISITORS * VISITS // 2
    assert [each for visitor in visitors for each in visitor.untrue] == []
    cluster.leader()
    for visitor in visitors:
        visitor.end()

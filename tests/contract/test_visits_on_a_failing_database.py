"""Whole visits while the database fails: what is on the screen, and what is true then.

The card in somebody's hand does not wait for a database. Wherever it is lost, before a
commit arrives or after, for a moment or for good: the visit ends on a page that says
what is so, and at the next look card and password are the same, or out of step.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from lab.histories import History
from lab.liar import named
from lab.machine.small_disk import mounted
from lab.servers import postgres
from lab.servers.postgres_line import Line

from kiosk.simulation.world import World
from kiosk.visit.views import Outcome, Result
from storage.postgres import connection, schema
from storage.postgres_registry import PostgresRegistry

pytestmark = [pytest.mark.slow]

STORIES = ("change", "unblock", "finish")
PATIENCE = 0.3


@pytest.fixture
def line() -> Iterator[Line]:
    folder = postgres.own_folder("line")
    between = Line(postgres.server().folder / ".s.PGSQL.5432", folder / ".s.PGSQL.5432")
    between.folder = folder  # type: ignore[attr-defined]
    yield between
    between.close()


def over(line: Line, *, patience: float = PATIENCE) -> PostgresRegistry:
    """Return a registry in a database of its own, over that line."""
    own = str(line.folder)  # type: ignore[attr-defined]
    conninfo = postgres.server().database()
    there = conninfo.replace(str(postgres.server().folder), own)
    return PostgresRegistry(there, patience=patience)


def judged(history: History, result: Result | None) -> str:
    """Hold what was shown against what is true at the next look; name the outcome."""
    assert result is not None, "nothing was shown"
    if result.outcome is Outcome.REFUSED:
        assert result.headline.key.startswith("registry."), "the page says why"
    history.look()
    history.assert_invariants(result)
    history.come_home()
    assert history.is_in_step()
    return result.outcome


@pytest.mark.parametrize("stays_away", [False, True], ids=["for a moment", "for good"])
@pytest.mark.parametrize("where", ["cut_before", "cut_after"])
@pytest.mark.parametrize("story", STORIES)
def test_a_visit_that_loses_the_database_at_any_commit_ends_on_what_is_true(
    line: Line, story: str, where: str, *, stays_away: bool
) -> None:
    outcomes: Counter[str] = Counter()
    for spared in range(99):
        registry = over(line, patience=PATIENCE if stays_away else 60.0)
        history = History(named(story), registry)

        def cut(_world: World, spared: int = spared) -> None:
            line.spared, line.stays_cut = spared, stays_away
            setattr(line, where, b"COMMIT")

        result = history.attempt(cut)
        was_cut = not getattr(line, where)
        line.mended()
        outcomes[judged(history, result)] += 1
        registry.close()
        if not was_cut:
            break
    assert sum(outcomes.values()) > 4, "every commit of a visit was tried"
    assert outcomes[Outcome.DONE] >= 1
    if stays_away and story == "change":
        assert outcomes[Outcome.REFUSED] >= 2
        assert outcomes[Outcome.OUT_OF_STEP] >= 1
    if not stays_away:
        assert set(outcomes) == {Outcome.DONE}, "it is found again, and asked again"


@pytest.mark.parametrize("story", STORIES)
def test_a_visit_on_a_slow_database_is_done_and_only_takes_longer(
    line: Line, story: str
) -> None:
    registry = over(line)
    history = History(named(story), registry)
    line.lag = 0.02
    assert judged(history, history.attempt(lambda _: None)) == Outcome.DONE
    registry.close()


def test_a_visit_on_a_database_slower_than_anybody_waits_is_refused(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Slow at every answer, not away: it ends all the same, and before the card."""
    monkeypatch.setattr(connection, "ANSWER_SECONDS", 0.2)
    registry = over(line)
    history = History(named("change"), registry)

    def slow(_world: World) -> None:
        line.lag = 0.6

    result = history.attempt(slow)
    line.lag = 0.0
    assert judged(history, result) == Outcome.REFUSED
    registry.close()


# --- what a server may do -------------------------------------------------------------


class Failing:
    """A server of its own, with one registry, that fails as it is told."""

    def __init__(self) -> None:
        self.server = postgres.Server()
        self.database = self.server.empty_database()
        schema.upgraded(self.server.conninfo(self.database))
        self.registry = PostgresRegistry(
            self.server.conninfo(self.database), patience=PATIENCE
        )

    def ask(self, statement: str) -> None:
        self.server.ask(statement, self.database)

    def disconnect_all(self) -> None:
        self.server.ask(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )

    def close(self) -> None:
        self.registry.close()
        self.server.remove()


@pytest.fixture
def failing() -> Iterator[Failing]:
    made = Failing()
    yield made
    made.close()


def away(it: Failing) -> Callable[[], None]:
    it.server.stop(signal.SIGQUIT)
    return it.server.start


def read_only(it: Failing) -> Callable[[], None]:
    setting = f"ALTER DATABASE {it.database} SET default_transaction_read_only"
    it.server.ask(f"{setting} = on")
    it.disconnect_all()

    def end() -> None:
        it.server.ask(f"{setting} = off")
        it.disconnect_all()

    return end


def brought_forward(it: Failing) -> Callable[[], None]:
    it.ask("INSERT INTO registry_schema VALUES (99, 'd', '9.8.0', 99)")
    it.disconnect_all()
    return lambda: it.ask("DELETE FROM registry_schema WHERE number = 99")


def standing_still(it: Failing) -> Callable[[], None]:
    """As a machine does that swaps, or a disk that does not answer."""
    process = it.server.pid
    pids = subprocess.run(
        ["pgrep", "-P", str(process)], capture_output=True, text=True, check=True
    ).stdout.split()
    for pid in (*pids, str(process)):
        subprocess.run(["kill", "-STOP", pid], check=False)

    def end() -> None:
        for pid in (*pids, str(process)):
            subprocess.run(["kill", "-CONT", pid], check=False)

    return end


HAPPENINGS: dict[str, Callable[[Failing], Callable[[], None]]] = {
    "away": away,
    "read only": read_only,
    "of a later version": brought_forward,
    "standing still": standing_still,
}


@pytest.mark.parametrize("what", HAPPENINGS)
def test_a_visit_is_refused_while_the_database_is(
    failing: Failing, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing was changed anywhere, and the page says so."""
    monkeypatch.setattr(connection, "ANSWER_SECONDS", 0.5)
    failing.registry.close()  # the next connection has that patience
    history = History(named("change"), failing.registry)
    ends: list[Callable[[], None]] = []
    result = history.attempt(lambda _: ends.append(HAPPENINGS[what](failing)))
    ends[0]()
    assert judged(history, result) == Outcome.REFUSED


@pytest.fixture
def small_disk() -> Iterator[Path]:
    folder = postgres.own_folder("small")
    with mounted(folder, "size=24m,mode=0777"):
        yield folder
    shutil.rmtree(folder, ignore_errors=True)


def test_a_visit_is_refused_while_the_disk_is_full_and_goes_on_when_there_is_room(
    failing: Failing, small_disk: Path
) -> None:
    failing.registry.close()
    place = small_disk / "space"
    place.mkdir()
    shutil.chown(place, postgres.account().pw_uid)
    failing.server.ask(f"CREATE TABLESPACE small LOCATION '{place}'")
    failing.server.ask(f"ALTER DATABASE {failing.database} SET TABLESPACE small")
    history = History(named("change"), failing.registry)
    failing.ask("CREATE TABLE ballast (t text)")

    def fill(_world: World) -> None:
        conninfo = failing.server.conninfo(failing.database)
        with psycopg.connect(conninfo, autocommit=True) as connection:
            for size in (1_000_000, 8_000, 100):
                with pytest.raises(psycopg.errors.DiskFull):
                    ballast(connection, size)

    def ballast(connection: psycopg.Connection, size: int) -> None:
        for _ in range(10_000):
            connection.execute(
                "INSERT INTO ballast SELECT repeat(md5(random()::text), %s)",
                [size // 32],
            )

    result = history.attempt(fill)
    failing.ask("DROP TABLE ballast")
    assert judged(history, result) in (Outcome.REFUSED, Outcome.DONE)

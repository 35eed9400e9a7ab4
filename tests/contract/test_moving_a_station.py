"""A station that was its own authority becomes one of a fleet, and its own again.

Its registry goes to PostgreSQL and back under the same vault's key, its people keep
their cards, its evidence goes on; nothing that was given out before is good after.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from lab.histories import NEW, OLD, History, Story
from lab.liar import LIMITS
from lab.servers import postgres
from lab.servers.served import over_https

from kiosk.authority.errors import NotProven
from kiosk.authority.proof.evidence import unproven_writes
from kiosk.visit.views import Outcome
from statemachine.operation import Kind
from storage import audit, moving
from storage.postgres_registry import PostgresRegistry
from storage.records import ApprovalKind
from storage.registry import Registry
from storage.tinydb_registry import TinyDbRegistry

CHANGE = Story("change", Kind.CHANGE)
UNBLOCK = Story("unblock", Kind.UNBLOCK, tries=0)
THIRD = b"926535"


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[tuple[Registry, Registry, Registry]]:
    opened = (
        TinyDbRegistry(tmp_path / "own.journal"),
        PostgresRegistry(postgres.server().database()),
        TinyDbRegistry(tmp_path / "own again.journal"),
    )
    yield opened
    for each in opened:
        each.close()


def moved(history: History, source: Registry, target: Registry) -> None:
    now = history.world.clock.now()
    for _ in moving.move(source, target, now=now):
        pass
    moving.finish(source, target, station="kiosk-1", now=now)
    history.world.registry = target
    history.world.restart()


def test_a_station_joins_a_fleet_and_leaves_it_and_nothing_is_lost(
    stores: tuple[Registry, Registry, Registry], monkeypatch: pytest.MonkeyPatch
) -> None:
    own, fleet, own_again = stores
    history = History(CHANGE, own)
    result = history.attempt()
    assert result is not None
    assert result.outcome is Outcome.DONE
    links = {event.hash for event in own.audit_events()}

    moved(history, own, fleet)
    with monkeypatch.context() as patch:
        patch.setattr("kiosk.simulation.world.LocalAuthority", over_https)
        history.world.restart()
        history.visit_with(NEW, THIRD)
    assert history.card_pin() == THIRD
    assert history.is_in_step()

    moved(history, fleet, own_again)
    history.visit_with(THIRD, OLD)
    assert history.card_pin() == OLD
    assert history.is_in_step()

    events = list(own_again.audit_events())
    assert links <= {event.hash for event in events}
    assert audit.verify(events).is_sound
    assert not list(unproven_writes(events))
    assert [e.kind for e in events].count("registry.moved") == 2


@pytest.mark.parametrize("moves", [False, True])
def test_a_code_that_was_given_out_before_is_not_taken_after(
    stores: tuple[Registry, Registry, Registry], *, moves: bool
) -> None:
    own, fleet, _ = stores
    history = History(UNBLOCK, own)
    (name,) = history.world.holders
    code = history.world.release_code(name)
    if moves:
        moved(history, own, fleet)
    prepared = history.prepare(Kind.UNBLOCK, LIMITS)
    redeem = history.world.authority.port.redeem
    if not moves:
        redeem(prepared.operation, ApprovalKind.RELEASE, code)
        return
    with pytest.raises(NotProven):  # as every code that nobody has given out
        redeem(prepared.operation, ApprovalKind.RELEASE, code)

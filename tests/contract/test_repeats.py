"""Every call may come again, and has one effect and one answer: on every registry."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from lab.histories import NEW, STORIES, History, Story
from lab.registries import IMPLEMENTATIONS, SHARED
from lab.servers.reaches import reached_by
from lab.servers.repeated_visits import VISITS
from lab.servers.repeating import AGAIN, overtaken, reaching

from kiosk.authority.escrow import puks
from kiosk.authority.wire.calls import CALLS
from kiosk.simulation.world import World
from statemachine.operation import Kind
from storage.registry import Registry


class Store:
    """A registry, and another look at the same one."""

    def __init__(self, name: str, again: str, folder: Path) -> None:
        self.reach = reaching(AGAIN[again], self.again)
        self._open = IMPLEMENTATIONS[name]
        self._is_shared = name in SHARED
        self._folder = folder
        self.registry = self._open(folder)

    def again(self) -> Registry:
        return self._open(self._folder) if self._is_shared else self.registry


PLACES: dict[str, tuple[str, str]] = {
    f"{name}, {again}": (name, again)
    for name, again in (
        ("memory", "at once"),
        ("memory", "restarted"),
        *((name, "restarted") for name in SHARED),
        ("postgresql", "on another thread"),
    )
}
"""Where the second question is asked: every registry, and every way."""


@pytest.fixture(params=PLACES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    opened = Store(*PLACES[request.param], tmp_path)
    yield opened
    opened.registry.close()


def events(world: World) -> list[tuple[str, str]]:
    """What is on record, without what names it."""
    found = world.registry.audit_events()
    return [(event.kind, event.result) for event in found]


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_a_first_answer_that_is_lost_changes_nothing(
    store: Store, story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    once = History(story)
    once.attempt()
    reached_by(monkeypatch, store.reach)
    history = History(story, store.registry)
    result = history.attempt()
    assert result is not None
    assert history.is_in_step()
    assert history.card_pin() == (story.pin if story.kind is Kind.FINISH else NEW)
    assert len(history.world.directory.writes) == 1
    assert events(history.world) == events(once.world)


@pytest.mark.parametrize("visit", VISITS)
def test_what_goes_wrong_goes_wrong_once(
    store: Store, visit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    once = VISITS[visit]()
    reached_by(monkeypatch, store.reach)
    monkeypatch.setattr("kiosk.simulation.world.MemoryRegistry", lambda: store.registry)
    world = VISITS[visit]()
    assert world.registry is store.registry
    assert events(world) == events(once)
    assert world.authority.calls == once.authority.calls
    ours, theirs = world.credential("alice"), once.credential("alice")
    assert (ours.state, ours.sync, ours.sync_reason) == (
        theirs.state,
        theirs.sync,
        theirs.sync_reason,
    )
    assert puks.of(ours.escrow) == puks.of(theirs.escrow)


@pytest.mark.parametrize("name", IMPLEMENTATIONS)
@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_a_call_that_is_overtaken_by_itself_changes_nothing_more(
    story: Story, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    once = History(story)
    once.attempt()
    reached_by(monkeypatch, overtaken)
    registry = IMPLEMENTATIONS[name](tmp_path)
    history = History(story, registry)
    result = history.attempt()
    assert result is not None
    assert history.is_in_step()
    assert len(history.world.directory.writes) == 1
    assert events(history.world) == events(once.world)
    registry.close()


@pytest.mark.parametrize("visit", VISITS)
def test_what_goes_wrong_and_is_overtaken_goes_wrong_once(
    visit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    once = VISITS[visit]()
    reached_by(monkeypatch, overtaken)
    world = VISITS[visit]()
    assert events(world) == events(once)


def test_every_call_that_writes_is_repeated_here() -> None:
    made: set[str] = set()
    for story in STORIES:
        history = History(story)
        history.attempt()
        made.update(history.world.authority.calls)
    for visit in VISITS.values():
        made.update(visit().authority.calls)
    assert set(CALLS) - made == {"health", "outcome"}

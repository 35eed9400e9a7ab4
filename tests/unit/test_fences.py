"""A write is sent in time or never, and waited for no longer than it can last."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import pytest
from lab.domain.other_hands import Meddled, Moment
from lab.histories import NEW, OLD, PLAIN, STORIES, History, Story

from kiosk.authority.operation.authorised_time import WRITE_SECONDS
from kiosk.authority.operation.deadlines import Deadlines
from kiosk.core.clock import ManualClock
from kiosk.simulation.domain_faults import Frozen
from kiosk.simulation.interference import die
from kiosk.simulation.world import World
from kiosk.visit.views import Outcome
from statemachine.operation import Kind
from storage.registry import Registry, Tx

T = TypeVar("T")
DAY = 86_400.0


def stopped_for(seconds: float, *, wall: float) -> Callable[[World], None]:
    """Stop the process between its mark and the sending; the wall clock may be set."""

    def spoil(world: World) -> None:
        clock = world.clock
        assert isinstance(clock, ManualClock)

        def stop() -> None:
            clock.advance(seconds)
            clock.set_wall(wall)

        meddled = Meddled(world.directory, Moment.BEFORE, stop)
        object.__setattr__(world.parts, "directory", meddled)

    return spoil


@pytest.mark.parametrize(
    ("seconds", "wall"),
    [(6.0, 0.0), (90.0, 0.0), (90.0, -90.0), (DAY, -DAY), (DAY, DAY)],
)
@pytest.mark.parametrize("story", STORIES[:PLAIN], ids=lambda story: story.name)
def test_a_process_that_was_stopped_never_writes_late(
    story: Story, seconds: float, wall: float
) -> None:
    history = History(story)
    result = history.attempt(stopped_for(seconds, wall=wall))
    assert history.domain.writes == []
    assert result is not None
    told = {result.headline.key, *(fact.key for fact in result.facts)}
    assert "reason.authorisation_late" in told
    if story.kind in (Kind.CHANGE, Kind.ACTIVATE):
        assert result.outcome is Outcome.ROLLED_BACK
        assert history.card_pin() == story.pin


def test_one_that_was_stopped_for_a_moment_writes() -> None:
    history = History(STORIES[0])
    result = history.attempt(stopped_for(1.0, wall=0.0))
    assert result is not None
    assert result.outcome is Outcome.DONE


@pytest.mark.parametrize("wall", [-DAY, -30.0, DAY])
def test_an_authorisation_is_void_once_the_wall_clock_was_set(wall: float) -> None:
    """Nobody could say afterwards that the write came within its 60 seconds."""
    history = History(STORIES[0])

    def spoil(world: World) -> None:
        clock = world.clock
        assert isinstance(clock, ManualClock)
        world.authority.after("authorise", lambda: clock.set_wall(wall))

    history.attempt(spoil)
    assert history.domain.writes == []
    assert history.card_pin() == OLD


def test_a_clock_that_is_corrected_by_half_a_second_ends_nothing() -> None:
    history = History(STORIES[0])

    def spoil(world: World) -> None:
        clock = world.clock
        assert isinstance(clock, ManualClock)
        world.authority.after("authorise", lambda: clock.set_wall(-0.5))

    result = history.attempt(spoil)
    assert result is not None
    assert result.outcome is Outcome.DONE
    history.assert_invariants(result)


def test_an_authorisation_lasts_no_longer_by_a_clock_set_back() -> None:
    history = History(STORIES[0])

    def spoil(world: World) -> None:
        clock = world.clock
        assert isinstance(clock, ManualClock)

        def later() -> None:
            clock.advance(WRITE_SECONDS + 1)
            clock.set_wall(-WRITE_SECONDS)

        world.authority.before("write", later)

    result = history.attempt(spoil)
    assert result is not None
    assert result.outcome is Outcome.ROLLED_BACK
    assert history.domain.writes == []


class Held:
    """A registry whose next commit returns long after it was made."""

    def __init__(self, registry: Registry, stop: Callable[[], None]) -> None:
        self._registry = registry
        self._stop = stop

    def run(self, fn: Callable[[Tx], T]) -> T:
        try:
            return self._registry.run(fn)
        finally:
            self._stop()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._registry, name)


def test_an_authorisation_does_not_begin_when_its_commit_is_at_last_done() -> None:
    """Its 60 seconds are those of the record, which was made before."""
    history = History(STORIES[0])

    def spoil(world: World) -> None:
        clock, parts, registry = world.clock, world.parts, world.registry
        assert isinstance(clock, ManualClock)

        def stop() -> None:
            clock.advance(WRITE_SECONDS - 5)
            clock.set_wall(5 - WRITE_SECONDS)
            object.__setattr__(parts, "registry", registry)

        held = Held(registry, stop)
        world.authority.before(
            "authorise", lambda: object.__setattr__(parts, "registry", held)
        )
        world.authority.before("write", lambda: clock.advance(6.0))

    result = history.attempt(spoil)
    assert result is not None
    assert result.outcome is Outcome.ROLLED_BACK
    assert history.domain.writes == []


# --- waiting for another --------------------------------------------------------------


def left_writing() -> History:
    """A station died while its write was under way; the wall clock then went back."""
    history = History(STORIES[0])

    def spoil(world: World) -> None:
        history.domain.fail(Frozen(stays=True))
        meddled = Meddled(world.directory, Moment.BEFORE, die)
        object.__setattr__(world.parts, "directory", meddled)

    assert history.attempt(spoil) is None
    object.__setattr__(history.world.parts, "directory", history.domain)
    history.domain.heal()
    return history


@pytest.mark.parametrize("wall", [-DAY, 0.0])
def test_a_clock_set_back_lets_nobody_wait_longer_than_the_deadline(
    wall: float,
) -> None:
    history = left_writing()
    clock = history.world.clock
    assert isinstance(clock, ManualClock)
    clock.set_wall(wall)
    assert history.why_not(Kind.CHANGE) == "stop.another_is_writing"
    clock.advance(history.world.parts.write_deadline)
    assert history.why_not(Kind.CHANGE) == ""
    assert history.card_pin() == NEW
    assert history.home_screen() is Kind.FINISH


def test_what_was_long_ago_by_the_wall_clock_is_not_waited_for() -> None:
    history = left_writing()
    history.world.clock.sleep(3600.0)
    assert history.why_not(Kind.CHANGE) == ""


def test_only_so_many_operations_are_remembered() -> None:
    fences = Deadlines()
    for number in range(5000):
        fences.allow(f"op-{number}", 1.0)
        fences.seen_for(f"op-{number}", 1.0)
    assert fences.allowed_until("op-0") is None
    assert fences.allowed_until("op-4999") == 1.0

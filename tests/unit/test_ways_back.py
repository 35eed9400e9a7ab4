"""A card that says "done" and did nothing is found out by VERIFY, there and back."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from lab.histories import STORIES, History, Story

from kiosk.simulation.cards.faults import WrongStatus
from kiosk.simulation.domain_faults import WriteNo
from kiosk.simulation.world import World
from kiosk.visit.views import Outcome, Result
from statemachine.operation import Phase
from storage.records import Sync

SAYS_DONE = WrongStatus(ins=0x24, sw=0x9000)
FAILS = WrongStatus(ins=0x24, sw=0x6F00)
by_story = pytest.mark.parametrize("story", STORIES[:2], ids=lambda story: story.name)


def attempted(story: Story, spoil: Callable[[World], None]) -> tuple[History, Result]:
    history = History(story)
    result = history.attempt(spoil)
    assert result is not None
    return history, result


def phase(history: History) -> Phase:
    kinds = [event.kind for event in history.world.registry.audit_events()]
    return Phase(kinds[-1].removeprefix("operation."))


@by_story
def test_a_card_that_only_says_it_changed_gets_no_password(story: Story) -> None:
    history, result = attempted(
        story, lambda world: world.readers.faults.set(SAYS_DONE)
    )
    assert result.outcome is Outcome.OUT_OF_STEP
    assert "result.fact.card_uncertain" in {fact.key for fact in result.facts}
    assert history.world.directory.writes == []
    assert history.sync() is Sync.OUT_OF_STEP


@by_story
@pytest.mark.parametrize("fault", [SAYS_DONE, FAILS], ids=["says done", "fails"])
def test_a_way_back_that_did_not_happen_is_out_of_step(
    story: Story, fault: WrongStatus
) -> None:
    def spoil(world: World) -> None:
        world.directory.fail(WriteNo(why="no_right"))
        world.authority.after("write", lambda: world.readers.faults.set(fault))

    history, result = attempted(story, spoil)
    assert result.outcome is Outcome.OUT_OF_STEP
    assert history.card_pin() != story.pin
    assert history.sync() is Sync.OUT_OF_STEP
    assert phase(history) is Phase.OUT_OF_STEP


@by_story
def test_a_way_back_that_happened_is_told_as_that(story: Story) -> None:
    history, result = attempted(
        story, lambda world: world.directory.fail(WriteNo(why="no_right"))
    )
    assert result.outcome is Outcome.ROLLED_BACK
    assert history.card_pin() == story.pin
    assert phase(history) is Phase.ROLLED_BACK

"""One fault at every boundary of every operation; the invariants hold after each."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from lab.histories import PLAIN, STORIES, History, Story

from kiosk.simulation.cards.faults import (
    AnyCardFault,
    Garbage,
    PullAfter,
    PullBefore,
    WrongStatus,
)
from kiosk.simulation.domain_faults import AnyFault, BindSays, DcDown, Frozen, WriteNo
from kiosk.simulation.interference import die
from kiosk.simulation.world import World
from kiosk.visit.views import Outcome
from statemachine.lifecycle import Event, State
from statemachine.operation import Kind
from storage.records import Keyless, Sync

by_story = pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
by_plain_story = pytest.mark.parametrize(
    "story", STORIES[:PLAIN], ids=lambda story: story.name
)
by_signed_story = pytest.mark.parametrize(
    "story",
    [story for story in STORIES if story.keyless is Keyless.OFF],
    ids=lambda story: story.name,
)


def apdus_of(story: Story) -> int:
    """How many APDUs the operation takes when nothing goes wrong."""
    history = History(story)
    result = history.attempt()
    assert result is not None
    assert result.outcome is Outcome.DONE
    return history.world.readers.faults.count


def spoiled_by(fault: AnyCardFault) -> Callable[[World], None]:
    """Let that go wrong with the card."""
    return lambda world: world.readers.faults.set(fault)


def steps_of(story: Story) -> list[str]:
    """The authority's steps when nothing goes wrong, from the typing on."""
    history = History(story)
    history.attempt()
    calls = history.world.authority.calls
    return calls[calls.index("prepare") :]


@by_story
def test_without_a_fault_card_and_directory_agree(story: Story) -> None:
    history = History(story)
    result = history.attempt()
    assert result is not None
    assert result.outcome is Outcome.DONE
    history.assert_invariants(result)
    assert history.is_in_step()
    assert len(history.world.directory.writes) == 1


@by_story
@pytest.mark.parametrize("fault", [PullBefore, PullAfter])
def test_the_card_is_pulled_at_every_apdu(
    story: Story, fault: type[PullBefore | PullAfter]
) -> None:
    for at in range(1, apdus_of(story) + 1):
        history = History(story)
        result = history.attempt(spoiled_by(fault(at=at)))
        history.look()
        history.assert_invariants(result)
        history.come_home()
        assert history.is_in_step(), f"pulled at {at}"


@by_story
def test_the_process_dies_around_every_step(story: Story) -> None:
    for step in dict.fromkeys(steps_of(story)):
        for when in ("before", "after"):
            history = History(story)

            def spoil(world: World, step: str = step, when: str = when) -> None:
                getattr(world.authority, when)(step, die)

            result = history.attempt(spoil)
            history.look()
            history.assert_invariants(result)
            history.come_home()
            assert history.is_in_step(), f"died {when} {step}"


@by_story
@pytest.mark.parametrize("event", [Event.SUSPEND, Event.REVOKE])
def test_the_card_is_held_around_every_step(story: Story, event: Event) -> None:
    for step in dict.fromkeys(steps_of(story)):
        history = History(story)

        def hold(world: World, step: str = step) -> None:
            world.authority.after(step, lambda: world.operate("alice", event))

        result = history.attempt(hold)
        history.assert_invariants(result)
        state = history.world.credential("alice").state
        assert state in (State.SUSPENDED, State.REVOKED)
        if event is Event.SUSPEND:
            history.world.operate("alice", Event.RESUME)
            history.come_home()
            assert history.is_in_step(), f"suspended after {step}"


@by_plain_story
@pytest.mark.parametrize("ins", [0x20, 0x24, 0x2C, 0x87, 0xA4, 0xCB, 0xF8])
@pytest.mark.parametrize("sw", [0x6F00, 0x6982, 0x6A80, 0x6A82])
def test_a_wrong_status_word_once(story: Story, ins: int, sw: int) -> None:
    history = History(story)
    result = history.attempt(spoiled_by(WrongStatus(ins=ins, sw=sw)))
    history.look()
    history.assert_invariants(result)
    history.come_home()
    assert history.is_in_step()


@by_story
def test_garbage_at_every_apdu(story: Story) -> None:
    for at in range(1, apdus_of(story) + 1):
        history = History(story)
        result = history.attempt(spoiled_by(Garbage(at=at)))
        history.look()
        history.assert_invariants(result)


@by_story
@pytest.mark.parametrize(
    "fault",
    [
        WriteNo(why="policy"),
        WriteNo(why="no_right"),
        Frozen(applied=False),
        Frozen(applied=True),
        BindSays(result="wrong_password"),
        BindSays(result="no_answer"),
        BindSays(result="must_change"),
        DcDown(),
    ],
    ids=repr,
)
def test_the_directory_fails(story: Story, fault: AnyFault) -> None:
    history = History(story)
    result = history.attempt(lambda world: world.directory.fail(fault))
    history.assert_invariants(result)
    history.look()
    history.assert_invariants(result)
    history.come_home()
    assert history.is_in_step()


@by_story
def test_the_directory_goes_away_between_authorisation_and_write(story: Story) -> None:
    history = History(story)
    result = history.attempt(
        lambda world: world.authority.before(
            "write", lambda: world.directory.fail(DcDown())
        )
    )
    history.assert_invariants(result)
    assert history.world.directory.writes == []
    history.come_home()
    assert history.is_in_step()


@by_story
def test_an_authorisation_that_is_a_minute_old_writes_nothing(story: Story) -> None:
    history = History(story)
    result = history.attempt(
        lambda world: world.authority.before("write", lambda: world.clock.sleep(61.0))
    )
    assert history.world.directory.writes == []
    kinds = [event.kind for event in history.world.registry.audit_events()]
    assert "operation.writing" not in kinds, "a write was begun"
    history.assert_invariants(result)
    history.come_home()
    assert history.is_in_step()


@by_signed_story
def test_a_nonce_that_is_too_old_is_refused(story: Story) -> None:
    history = History(story)
    result = history.attempt(
        lambda world: world.authority.before(
            "authorise", lambda: world.clock.sleep(121.0)
        )
    )
    assert history.world.directory.writes == []
    history.assert_invariants(result)


def test_a_late_answer_of_an_older_operation_changes_nothing() -> None:
    history = History(STORIES[0])

    def overtake(world: World) -> None:
        def newer() -> None:
            inner = world.visit(world.readers.insert(history.holder.made.card))
            inner.recognise()

        world.authority.before("write", newer)

    result = history.attempt(overtake)
    assert history.world.directory.writes == []
    history.assert_invariants(result)
    assert history.sync() is Sync.OUT_OF_STEP
    history.come_home()
    assert history.is_in_step()


_OUTCOMES = {
    WriteNo(why="policy"): (Outcome.ROLLED_BACK, Outcome.OUT_OF_STEP),
    WriteNo(why="no_right"): (Outcome.ROLLED_BACK, Outcome.OUT_OF_STEP),
    Frozen(applied=False): (Outcome.OUT_OF_STEP, Outcome.OUT_OF_STEP),
    Frozen(applied=True): (Outcome.DONE, Outcome.DONE),
    BindSays(result="wrong_password"): (Outcome.OUT_OF_STEP, Outcome.OUT_OF_STEP),
    BindSays(result="no_answer"): (Outcome.DONE, Outcome.DONE),
    BindSays(result="must_change"): (Outcome.DONE, Outcome.DONE),
    DcDown(): (Outcome.REFUSED, Outcome.REFUSED),
}
"""Fault → outcome where there is a way back (change, activate), and where not."""


@by_story
@pytest.mark.parametrize("fault", _OUTCOMES, ids=repr)
def test_what_the_person_is_told_when_the_directory_fails(
    story: Story, fault: AnyFault
) -> None:
    history = History(story)
    result = history.attempt(lambda world: world.directory.fail(fault))
    with_way_back, without = _OUTCOMES[fault]
    can_go_back = story.kind in (Kind.CHANGE, Kind.ACTIVATE)
    assert result is not None
    assert result.outcome is (with_way_back if can_go_back else without)

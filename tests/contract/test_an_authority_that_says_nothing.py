"""Every process of the authority takes calls and answers none, from each call of each
visit on: how long the person waits, what is said, and whether the card is held.

A process that is stopped does just that; real ones are stopped in
tests/e2e/test_stopped_authorities.py.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

import pytest
from lab.histories import STORIES, History, Story
from lab.liar import named
from lab.servers.away import Silent
from lab.servers.reaches import reached_by

from kiosk.authority.client.lines import STEP_SECONDS
from kiosk.authority.errors import AuthorityAway
from kiosk.authority.local import LocalAuthority
from kiosk.authority.values import WriteVerdict
from kiosk.core.errors import Message
from kiosk.core.workers import InlineWorker, PendingJob
from kiosk.simulation.cards.reader import SimulatedReaders
from kiosk.simulation.domain_faults import WriteNo
from kiosk.visit.views import Outcome, Result
from storage.records import Sync

T = TypeVar("T")
AFTER_THE_CARD = ("/card_changed", "/authorise", "/puk_plan", "/puk_replaced")
"""Calls of a visit that has come so far that only the password is missing."""
CARD_IS_UNCERTAIN = Message("result.fact.card_uncertain")


def silent_from_each_call(
    monkeypatch: pytest.MonkeyPatch, story: Story
) -> list[tuple[str, Silent, Result]]:
    """Let it say nothing from the first call on, from the second on, and so on.

    Returns the first call that was not answered, with what came of the visit.
    """
    came: list[tuple[str, Silent, Result]] = []
    for number in itertools.count():
        silent = Silent(at=number, is_heard=True)
        reached_by(monkeypatch, silent.reach)
        history = History(story)
        result = history.attempt(silent.begin)
        silent.end()
        assert result is not None, "the person is told how it ended"
        history.look()
        history.assert_invariants(result)
        if silent.asked <= number:
            assert result.outcome is Outcome.DONE
            return came
        came.append((silent.first, silent, result))
        history.come_home()
        assert history.is_in_step()
    raise AssertionError


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_nobody_waits_longer_than_one_call_may_take(
    monkeypatch: pytest.MonkeyPatch, story: Story
) -> None:
    """Whichever call it is: what comes after it is not asked, or not waited for."""
    for first, silent, _ in silent_from_each_call(monkeypatch, story):
        assert silent.waited <= STEP_SECONDS, first


@pytest.mark.parametrize("story", STORIES[:5], ids=lambda story: story.name)
def test_no_more_is_said_of_a_write_without_an_answer_than_is_known(
    monkeypatch: pytest.MonkeyPatch, story: Story
) -> None:
    """The card has its new PIN, and was seen to; of the password nobody knows."""
    at_write = [
        result
        for first, _, result in silent_from_each_call(monkeypatch, story)
        if first.endswith("/write")
    ]
    (result,) = at_write
    assert result.outcome is Outcome.OUT_OF_STEP
    assert Message(AuthorityAway.code) in result.facts
    card = "card_unchanged" if story.name == "finish" else "card_changed"
    assert Message(f"result.fact.{card}") in result.facts
    assert CARD_IS_UNCERTAIN not in result.facts
    assert not [it for it in result.facts if it.key.startswith("result.fact.password")]


@pytest.mark.parametrize("story", STORIES[:2], ids=lambda story: story.name)
def test_a_card_that_was_changed_back_is_said_to_have_been(
    monkeypatch: pytest.MonkeyPatch, story: Story
) -> None:
    """The directory has refused, and the card was seen to have its old PIN again: so
    much is known, though the authority does not hear of it.
    """
    silent = Silent(at=3, is_heard=False)
    reached_by(monkeypatch, silent.reach)
    history = History(story)
    history.domain.fail(WriteNo(why="no_right"))
    result = history.attempt(silent.begin)
    silent.end()
    assert silent.first.endswith("/rolled_back")
    assert result is not None
    assert result.outcome is Outcome.ROLLED_BACK
    for known in ("card_restored", "password_unchanged", "not_noted"):
        assert Message(f"result.fact.{known}") in result.facts
    history.assert_invariants(result)
    history.look()
    assert history.sync() is not Sync.IN_STEP, "and its own mark says no more than that"
    history.come_home()
    assert history.is_in_step()


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_a_card_that_was_seen_to_have_its_new_pin_is_not_said_to_be_uncertain(
    monkeypatch: pytest.MonkeyPatch, story: Story
) -> None:
    """Nor the password, before anybody asked for it to be written."""
    for first, _, result in silent_from_each_call(monkeypatch, story):
        if result.outcome is not Outcome.OUT_OF_STEP or first.endswith("/write"):
            continue
        has_new = Message("result.fact.card_changed") in result.facts
        assert has_new is first.endswith(AFTER_THE_CARD), first
        assert Message("result.fact.password_unchanged") in result.facts


# --- who waits for the end -----------------------------------------------------------


@dataclass
class NeverDone(PendingJob[T]):
    """A job that nobody does; it remembers for how long somebody waited for it."""

    waits: list[float | None] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def wait(self, seconds: float | None = None) -> bool:
        self.waits.append(seconds)
        return False


class BusyOnceSilent(InlineWorker):
    """A worker whose thread is kept by a call that is not answered."""

    def __init__(self) -> None:
        self.silent: Silent | None = None
        self.left: list[NeverDone[object]] = []

    def submit(self, job: Callable[[], T]) -> PendingJob[T]:
        if self.silent is None or not self.silent.waited:
            return super().submit(job)
        self.left.append(NeverDone())
        return self.left[-1]  # type: ignore[return-value]  # it never has a value


@pytest.mark.parametrize("story", STORIES[:5], ids=lambda story: story.name)
def test_the_end_is_told_and_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, story: Story
) -> None:
    worker = BusyOnceSilent()
    silent = worker.silent = Silent(at=1, is_heard=True)
    reached_by(monkeypatch, silent.reach)
    history = History(story)
    monkeypatch.setattr(history.world, "_authority_worker", worker)
    result = history.attempt(silent.begin)
    silent.end()
    assert result is not None
    (end,) = worker.left
    assert end.waits == [0]


class HeardAtTheEnd(PendingJob[T]):
    """What comes of it is there when a call's time is over, and no sooner."""

    def wait(self, seconds: float | None = None) -> bool:
        return super().wait(seconds) and (seconds is None or seconds > STEP_SECONDS)


class LateOnceSilent(InlineWorker):
    """A worker that hears how a call ended when its time is over."""

    def __init__(self, silent: Silent) -> None:
        self._silent = silent

    def submit(self, job: Callable[[], T]) -> PendingJob[T]:
        late: PendingJob[T] = HeardAtTheEnd()
        late.run(job)
        return late if self._silent.first else super().submit(late.result)


def test_while_a_card_is_held_it_is_said_that_nobody_answers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Not that the answer was slow, and the card to be inserted again: in that kiosk
    nothing can be done now.
    """
    silent = Silent(at=1, is_heard=False)
    reached_by(monkeypatch, silent.reach)
    history = History(named("finish"))
    monkeypatch.setattr(history.world, "_authority_worker", LateOnceSilent(silent))
    result = history.attempt(silent.begin)
    silent.end()
    assert silent.first.endswith("/authorise")
    assert result is not None
    assert result.headline == Message(AuthorityAway.code)


# --- the card ------------------------------------------------------------------------


def is_held(readers: SimulatedReaders) -> bool:
    """Say whether another program could not have the card now."""
    (slot,) = readers._slots.values()
    free: list[bool] = []

    def another() -> None:
        free.append(slot.transaction.acquire(blocking=False))
        if free[0]:
            slot.transaction.release()

    thread = threading.Thread(target=another)
    thread.start()
    thread.join()
    return not free[0]


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_the_card_is_let_go_before_the_password_is_written(
    monkeypatch: pytest.MonkeyPatch, story: Story
) -> None:
    held: list[bool] = []
    write = LocalAuthority.write

    def looks(self: LocalAuthority, operation: str, sealed: bytes) -> WriteVerdict:
        assert isinstance(history.world.readers, SimulatedReaders)
        held.append(is_held(history.world.readers))
        return write(self, operation, sealed)

    monkeypatch.setattr(LocalAuthority, "write", looks)
    history = History(story)
    result = history.attempt()
    assert result is not None
    assert result.outcome is Outcome.DONE
    assert held == [False]

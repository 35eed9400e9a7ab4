"""A card is held no longer than its holder can be asked to wait, whoever is slow."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn, TypeVar

import pytest
from lab.histories import NEW, OLD, STORIES, History, Story

from kiosk.authority.errors import AuthorityAway, ProofFailed
from kiosk.authority.values import PukPlan, PukTry, Release
from kiosk.core.secret import Secret
from kiosk.core.workers import PendingJob
from kiosk.simulation.world import World
from kiosk.visit.run import Run
from kiosk.visit.views import Outcome
from statemachine.lifecycle import Event
from statemachine.operation import Kind, Phase
from storage.records import Sync

T = TypeVar("T")
CHANGE = next(story for story in STORIES if story.kind is Kind.CHANGE)
ACTIVATE = next(story for story in STORIES if story.kind is Kind.ACTIVATE)
UNBLOCK = next(story for story in STORIES if story.kind is Kind.UNBLOCK)


class SlowJob(PendingJob[T]):
    """A job of the authority whose answer is late, or never comes."""

    __slots__ = ("_begun", "_job", "_late", "answer")

    def __init__(self, job: Callable[[], T], late: Callable[[], bool]) -> None:
        super().__init__()
        self._job, self._late, self._begun = job, late, False
        self.answer: T | None = None

    def wait(self, seconds: float | None = None) -> bool:
        if self._late():
            return False  # as long as it was waited for
        self._carry_out()
        return True

    def result(self) -> T:
        self._carry_out()
        return super().result()

    def come_at_last(self) -> None:
        """Nobody waits any more, and the worker gets to it."""
        self._carry_out()

    def _carry_out(self) -> None:
        if not self._begun:
            self._begun = True
            self.run(self._job)


class Held(History):
    """A history that knows whether somebody has the card, and how often they had."""

    is_held = False
    sessions = 0


class SlowWorker:
    """The authority's worker: late with the calls that are named."""

    def __init__(self, history: Held, *calls: int) -> None:
        self.calls, self._late_at, self._history = 0, calls, history
        self.held: list[bool] = []
        """For each call, whether a transaction with the card was open."""
        self.answers: list[object] = []
        self.late: list[SlowJob[Any]] = []

    def submit(self, job: Callable[[], T]) -> PendingJob[T]:
        for earlier in self.late:
            earlier.come_at_last()  # one after the other, as they were asked
        self.calls += 1
        self.held.append(self._history.is_held)
        is_late = self.calls in self._late_at

        def seen() -> T:
            slow.answer = job()
            self.answers.append(slow.answer)
            return slow.answer

        slow: SlowJob[T] = SlowJob(seen, lambda: is_late)
        if is_late:
            self.late.append(slow)
        return slow

    @staticmethod
    def secrets_of(answer: object) -> list[Secret]:
        """Every secret in what the authority has handed out."""
        match answer:
            case Release():
                return [it for it in (answer.transport,) if it is not None] + (
                    [] if answer.puk is None else [answer.puk.secret]
                )
            case PukTry():
                return [answer.secret]
            case PukPlan():
                return [answer.old, answer.new]
            case _:
                return []


@contextmanager
def watched(history: Held) -> Iterator[None]:
    session = Run.session

    @contextmanager
    def seen(run: Run):  # type: ignore[no-untyped-def]  # as the one it stands around
        with session(run) as opened:
            history.is_held = True
            history.sessions += 1
            try:
                yield opened
            finally:
                history.is_held = False

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Run, "session", seen)
        yield


def worked(
    story: Story, late_at: int, arrange: Callable[[World], None] | None = None
) -> tuple[Held, SlowWorker, Outcome | None]:
    history = Held(story)
    worker = SlowWorker(history, late_at)

    history.world._authority_worker = worker
    with watched(history):
        result = history.attempt(arrange)
    return history, worker, result.outcome if result else None


def calls_of(story: Story) -> list[bool]:
    return worked(story, 0)[1].held


def authorise_of(story: Story) -> int:
    """The one call that a change makes while it has the card."""
    (authorise,) = [at for at, is_held in enumerate(calls_of(story), 1) if is_held]
    return authorise


def test_a_proof_that_is_judged_late_lets_the_card_go_and_goes_on() -> None:
    """The card is opened again, identified, and changed: the same end."""
    history, worker, outcome = worked(CHANGE, authorise_of(CHANGE))
    assert outcome is Outcome.DONE
    assert history.card_pin() == NEW
    assert history.is_in_step()
    assert worker.held == [False, False, True, True, False]
    steps = ["open", "prepare", "authorise", "card_changing", "write"]
    assert history.world.authority.calls == steps
    assert history.sessions == 2, "the card was not let go"


def test_a_proof_that_is_judged_late_and_is_none_is_told_as_that() -> None:
    """Not by what follows from it: the operation that it was for has ended."""
    history = Held(CHANGE)
    history.world._authority_worker = SlowWorker(history, authorise_of(CHANGE))
    with watched(history):
        result = history.attempt(
            lambda world: world.authority.before(
                "authorise", lambda: world.clock.sleep(121.0)
            )
        )
    assert result is not None
    assert result.outcome is Outcome.REFUSED
    assert result.headline.key == ProofFailed.code
    assert history.card_pin() == OLD
    assert history.sessions == 1


def test_an_authority_that_was_waited_for_in_vain_is_not_waited_for_at_the_end() -> (
    None
):
    """It is told, so that it knows when it is there again."""
    history, proof = Held(CHANGE), authorise_of(CHANGE)
    worker = SlowWorker(history, proof)
    history.world._authority_worker = worker
    waited: list[float | None] = []
    wait = SlowJob.wait

    def seen(job: SlowJob[Any], seconds: float | None = None) -> bool:
        if worker.calls > proof:
            waited.append(seconds)
        return wait(job, seconds)

    def away() -> NoReturn:
        raise AuthorityAway

    with watched(history), pytest.MonkeyPatch.context() as patch:
        patch.setattr(SlowJob, "wait", seen)
        result = history.attempt(lambda it: it.authority.before("authorise", away))
    assert result is not None
    assert result.headline.key == AuthorityAway.code
    assert history.world.authority.calls[-1] == "refuse"
    assert waited == [0]


MEANWHILE: dict[str, tuple[str, Callable[[World], None]]] = {
    "suspended": ("stop.suspended", lambda it: it.operate("alice", Event.SUSPEND)),
    "revoked": ("stop.revoked", lambda it: it.operate("alice", Event.REVOKE)),
    "over": ("reason.authorisation_late", lambda it: it.clock.sleep(61.0)),
}


@pytest.mark.parametrize("story", [CHANGE, ACTIVATE], ids=lambda each: each.name)
@pytest.mark.parametrize("meanwhile", MEANWHILE)
def test_what_has_happened_since_the_proof_is_asked_before_the_card_is_changed(
    story: Story, meanwhile: str
) -> None:
    reason, act = MEANWHILE[meanwhile]

    def arrange(world: World) -> None:
        world.authority.after("authorise", lambda: act(world))

    history, _, outcome = worked(story, authorise_of(story), arrange)
    assert outcome is Outcome.REFUSED
    assert history.card_pin() == story.pin
    (operation,) = history.world.registry.read(
        lambda view: view.operations(history.holder.credential, limit=2)
    )
    assert (operation.phase, operation.reason) == (Phase.REFUSED, reason)
    assert history.world.directory.writes == []


def test_what_the_authority_does_not_say_again_in_time_is_no_yes() -> None:
    """The card was let go, opened again, and held: no answer, and nothing is sent."""
    history = Held(CHANGE)
    worker = SlowWorker(history, authorise_of(CHANGE), authorise_of(CHANGE) + 1)
    history.world._authority_worker = worker
    with watched(history):
        result = history.attempt()
    assert result is not None
    assert result.outcome is Outcome.REFUSED
    assert history.card_pin() == OLD


@pytest.mark.parametrize("story", [CHANGE, UNBLOCK], ids=lambda each: each.name)
def test_no_answer_while_the_card_is_held_ends_the_visit_and_nothing_is_hidden(
    story: Story,
) -> None:
    held = calls_of(story)
    for at, is_held in enumerate(held, 1):
        if not is_held:
            continue
        history, _, outcome = worked(story, at)
        history.look()
        if outcome is Outcome.DONE:
            assert history.is_in_step()
        elif history.sync() is Sync.IN_STEP:
            assert history.agrees(), at
        history.come_home()
        assert history.is_in_step(), at


def test_what_was_not_heard_is_no_success() -> None:
    """The first answer that an unblock waits for with the card in its hands."""
    held = calls_of(UNBLOCK)
    first = held.index(True) + 1
    history, _, outcome = worked(UNBLOCK, first)
    assert outcome is Outcome.REFUSED
    assert history.card_pin() == OLD
    operation = history.world.registry.run(
        lambda tx: tx.live_operations(history.holder.credential)
    )
    assert all(each.phase is Phase.PREPARED for each in operation) or not operation


HANDS_OUT = [
    story
    for story in STORIES
    if story.name in ("activate by code", "unblock", "unblock, no 9E")
]


@pytest.mark.parametrize("story", HANDS_OUT, ids=lambda each: each.name)
def test_a_secret_that_is_handed_out_when_nobody_waits_is_wiped(story: Story) -> None:
    """Whichever call it was that came too late, and the visit that went on as well."""
    late_ones = 0
    for at in range(1, len(calls_of(story)) + 1):
        _, worker, _ = worked(story, at)
        for job in worker.late:
            job.come_at_last()
            late_ones += len(worker.secrets_of(job.answer))
        assert not any(it for each in worker.answers for it in worker.secrets_of(each))
    assert late_ones, "nothing was handed out late"

"""Who waits for a password that takes long to be set is told so, and whether the card
is needed meanwhile: it is, where it would be changed back.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import pytest
from lab.histories import STORIES, History, Story

from kiosk.core.workers import InlineWorker, PendingJob
from kiosk.faces.visit_wording import of_step
from kiosk.visit.run import LONG_SECONDS
from kiosk.visit.views import Outcome, Progress, StepState, VisitStep
from kiosk.visit.visit import Visit
from statemachine.operation import Kind

T = TypeVar("T")
PASSWORD = VisitStep.PASSWORD


class LateJob(PendingJob[T]):
    """It is not done yet when somebody looks for the first time."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[float | None] = []

    def wait(self, seconds: float | None = None) -> bool:
        self.waits.append(seconds)
        return super().wait(seconds) and len(self.waits) > 1


class SlowWorker(InlineWorker):
    """Its answers come late, once it is told."""

    def __init__(self) -> None:
        self.is_slow = False
        self.late: list[LateJob[object]] = []

    def submit(self, job: Callable[[], T]) -> PendingJob[T]:
        if not self.is_slow:
            return super().submit(job)
        late: LateJob[T] = LateJob()
        late.run(job)
        self.late.append(late)  # type: ignore[arg-type]  # only its waits are read
        return late


def steps_of(
    monkeypatch: pytest.MonkeyPatch, story: Story, *, is_slow: bool
) -> tuple[list[Progress], SlowWorker]:
    """Let the answer to the write come late; return what the person saw happen."""
    worker, seen = SlowWorker(), []
    history = History(story)
    monkeypatch.setattr(history.world, "_authority_worker", worker)
    submit = Visit.submit

    def watched(visit: Visit, form: object, answers: object, _: object) -> object:
        def emit(progress: Progress) -> None:
            seen.append(progress)
            if progress.step is PASSWORD and is_slow:
                worker.is_slow = progress.state is StepState.RUNNING

        return submit(visit, form, answers, emit)  # type: ignore[arg-type]  # as given

    monkeypatch.setattr(Visit, "submit", watched)
    result = history.attempt()
    assert result is not None
    assert result.outcome is Outcome.DONE
    return [it for it in seen if it.step is PASSWORD], worker


@pytest.mark.parametrize("story", STORIES[:5], ids=lambda story: story.name)
def test_it_is_said_after_two_seconds(
    monkeypatch: pytest.MonkeyPatch, story: Story
) -> None:
    steps, worker = steps_of(monkeypatch, story, is_slow=True)
    may_go = story.kind in (Kind.UNBLOCK, Kind.FINISH)
    assert steps == [
        Progress(PASSWORD, StepState.RUNNING),
        Progress(PASSWORD, StepState.LONG, card_may_go=may_go),
        Progress(PASSWORD, StepState.DONE),
    ]
    (late,) = worker.late
    assert late.waits == [LONG_SECONDS, None][: len(late.waits)]
    assert LONG_SECONDS == 2.0
    says = "not needed any more" if may_go else "Please leave the card in"
    assert says in of_step(steps[1])


def test_nobody_is_told_where_it_is_quick(monkeypatch: pytest.MonkeyPatch) -> None:
    steps, _ = steps_of(monkeypatch, STORIES[0], is_slow=False)
    assert [it.state for it in steps] == [StepState.RUNNING, StepState.DONE]

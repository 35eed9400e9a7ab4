"""What a person sees of each step: that it runs, and how it ended."""

from __future__ import annotations

import pytest
from lab.histories import NEW, OLD, History
from lab.liar import named

from kiosk.core.secret import Secret
from kiosk.visit.views import Answers, FieldName, Progress, StepState, VisitStep
from statemachine.operation import Kind


@pytest.mark.parametrize(
    ("typed", "ends"),
    [
        (OLD, [StepState.DONE] * 5),
        (b"846257", [StepState.DONE, StepState.FAILED]),
    ],
    ids=["right", "wrong"],
)
def test_a_step_is_shown_as_it_ended(typed: bytes, ends: list[StepState]) -> None:
    history = History(named("change"))
    visit = history.world.visit(history.world.readers.insert(history.holder.made.card))
    visit.recognise()
    seen: list[Progress] = []
    values = {FieldName.OLD_PIN: Secret(typed), FieldName.NEW_PIN: Secret(NEW)}
    visit.submit(visit.begin(Kind.CHANGE), Answers(values), seen.append)
    ended = [each for each in seen if each.state is not StepState.RUNNING]
    assert [each.state for each in ended] == ends
    assert [each.step for each in ended] == [
        VisitStep.CHECK,
        VisitStep.PROVE,
        VisitStep.AUTHORISE,
        VisitStep.CARD,
        VisitStep.PASSWORD,
    ][: len(ends)]

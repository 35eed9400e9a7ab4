"""A finish whose PIN breaks a rule: it can stay nowhere, so it is changed instead."""

from __future__ import annotations

from dataclasses import replace

from lab.histories import NEW, History
from lab.liar import named

from kiosk.core.secret import Secret
from kiosk.faces.visit_wording import again_key
from kiosk.visit.views import Answers, FieldName, Outcome
from statemachine.operation import Kind

WEAK = b"123456"


def test_who_cannot_finish_with_a_pin_that_breaks_a_rule_chooses_another() -> None:
    """Another program has set it: the same form would say the same for ever."""
    history = History(replace(named("finish"), pin=WEAK))
    visit = history.world.visit(history.world.readers.insert(history.holder.made.card))
    visit.recognise()
    typed = {FieldName.CURRENT_PIN: Secret(WEAK)}
    result = visit.submit(visit.begin(Kind.FINISH), Answers(typed), lambda step: None)
    assert result.headline.key == "authority.rules_broken"
    assert [each.key for each in result.advice] == ["result.advice.change_or_retype"]
    assert again_key(result) == "tui.action.change"
    assert result.again is not None
    visit.recognise()
    typed = {FieldName.OLD_PIN: Secret(WEAK), FieldName.NEW_PIN: Secret(NEW)}
    result = visit.submit(visit.begin(result.again), Answers(typed), lambda step: None)
    assert result.outcome is Outcome.DONE
    assert history.is_in_step()

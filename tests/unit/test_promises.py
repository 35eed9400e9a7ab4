"""What a form announced is what happens, or nothing does and it is shown anew."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
from lab.histories import NEW, OLD, PLAIN, STORIES, History, Story
from msgspec.structs import replace

from kiosk.core.secret import Secret
from kiosk.visit.views import Answers, FieldName, Form, Outcome, Result
from kiosk.visit.visit import Visit
from statemachine.lifecycle import State
from statemachine.operation import Kind
from storage.records import Sync
from storage.registry import Tx

CHANGE, FINISH = STORIES[0], STORIES[4]
THEIRS = b"Helpdesk-4711"


class Reader:
    """A person who has read a form and has yet to fill it in."""

    def __init__(self, history: History) -> None:
        self.history = history
        world = history.world
        world.readers.pull()
        self.visit: Visit = world.visit(world.readers.insert(history.holder.made.card))
        self.visit.recognise()
        self.form: Form = self.visit.begin(history.story.kind)

    def fill_in(self) -> Result:
        values = {name: self.history._typed(name) for name in self.form.fields}
        answers = Answers(values, confirmed=True)
        return self.visit.submit(self.form, answers, lambda progress: None)

    def follows(self) -> bool:
        return self.form.password_follows

    def look_again(self) -> None:
        self.form = self.visit.begin(self.form.kind)


def account_is(**changes: bool) -> Callable[[History], None]:
    return lambda history: history.domain.change_account(
        history.holder.account_guid, **changes
    )


def gone(history: History) -> None:
    history.domain.remove_account(history.holder.account_guid)


def template_is(**changes: object) -> Callable[[History], None]:
    def change(history: History) -> None:
        def save(tx: Tx) -> None:
            saved = tx.save_template(replace(tx.template("staff"), **changes))
            credential = tx.credential(history.holder.credential)
            tx.save_credential(replace(credential, template_version=saved.version))

        history.world.registry.run(save)

    return change


def stricter(history: History) -> None:
    history.domain.policy = dataclasses.replace(history.domain.policy, minimum_length=8)


def set_elsewhere(history: History) -> None:
    history.domain.change_elsewhere(history.holder.account_guid, Secret(THEIRS))


def ticked(history: History) -> None:
    history.domain.require_smart_card(history.holder.account_guid, dc="dc1.ad.test")
    account_is(smart_card_required=False)(history)


def finished_elsewhere(history: History) -> None:
    """Another station brought both together while this one showed a form."""

    def save(tx: Tx) -> None:
        credential = tx.credential(history.holder.credential)
        tx.save_credential(replace(credential, sync=Sync.NOT_SYNCHRONISED))

    history.world.registry.run(save)


MEANWHILE: dict[str, Callable[[History], None]] = {
    "disabled": account_is(enabled=False),
    "expired": account_is(expired=True),
    "made an administrator": account_is(privileged=True),
    "smart card required": account_is(smart_card_required=True),
    "deleted": gone,
    "self-service switched off": template_is(self_service=False),
    "rules made stricter": stricter,
    "password set by somebody": set_elsewhere,
    "smart card required, and not": ticked,
}


@pytest.mark.parametrize("meanwhile", MEANWHILE.values(), ids=MEANWHILE)
@pytest.mark.parametrize("story", STORIES[:PLAIN], ids=lambda story: story.name)
def test_what_changed_since_the_form_was_shown_stops_everything(
    story: Story, meanwhile: Callable[[History], None]
) -> None:
    history = History(story)
    reader = Reader(history)
    meanwhile(history)
    before = history.card_pin()
    result = reader.fill_in()
    assert result.outcome is Outcome.REFUSED
    assert history.card_pin() == before, "the card changed alone"
    assert history.domain.writes == []


@pytest.mark.parametrize(
    "meanwhile",
    [account_is(enabled=False), account_is(privileged=True), gone],
    ids=["disabled", "administrator", "deleted"],
)
def test_the_form_is_shown_anew_and_then_the_card_alone_may_change(
    meanwhile: Callable[[History], None],
) -> None:
    history = History(CHANGE)
    reader = Reader(history)
    meanwhile(history)
    result = reader.fill_in()
    assert result.headline.key == "authority.not_as_announced"
    assert result.again is Kind.CHANGE
    reader.look_again()
    assert reader.form.confirm is not None
    assert reader.form.confirm.key == "confirm.card_only"
    assert reader.fill_in().outcome is Outcome.CARD_ONLY
    assert history.card_pin() == NEW


def test_only_the_card_was_confirmed_so_the_password_is_not_set() -> None:
    history = History(CHANGE)
    account_is(enabled=False)(history)
    reader = Reader(history)
    assert not reader.follows()
    account_is(enabled=True)(history)
    assert reader.fill_in().outcome is Outcome.REFUSED
    assert history.card_pin() == OLD
    assert history.domain.writes == []
    reader.look_again()
    assert reader.follows()
    assert reader.fill_in().outcome is Outcome.DONE
    assert history.is_in_step()


def test_another_reason_than_the_one_that_was_read_is_read_first() -> None:
    history = History(CHANGE)
    account_is(enabled=False)(history)
    reader = Reader(history)
    account_is(enabled=True, privileged=True)(history)
    assert reader.fill_in().outcome is Outcome.REFUSED
    assert history.card_pin() == OLD


@pytest.mark.parametrize("story", STORIES[:PLAIN], ids=lambda story: story.name)
def test_a_password_set_while_the_form_was_open_is_asked_about(story: Story) -> None:
    history = History(story)
    reader = Reader(history)
    set_elsewhere(history)
    assert reader.fill_in().headline.key == "authority.not_as_announced"
    with Secret(THEIRS) as theirs:
        assert history.domain.binds(history.holder.account_guid, theirs)
    reader.look_again()
    assert reader.form.confirm is not None
    assert reader.form.confirm.key == "confirm.changed_elsewhere"
    assert reader.fill_in().outcome is Outcome.DONE
    assert history.is_in_step()


def test_it_is_asked_about_each_time_it_is_set() -> None:
    history = History(CHANGE)
    set_elsewhere(history)
    reader = Reader(history)
    assert reader.form.confirm is not None
    set_elsewhere(history)
    assert reader.fill_in().outcome is Outcome.REFUSED
    assert history.card_pin() == OLD


def test_a_case_that_another_station_ended_is_not_finished_once_more() -> None:
    history = History(CHANGE)
    set_elsewhere(history)
    reader = Reader(history)
    finished_elsewhere(history)
    assert reader.fill_in().outcome is Outcome.REFUSED
    assert history.domain.writes == []


def test_a_password_set_after_the_card_has_changed_is_not_overwritten() -> None:
    """Between the card and the write: the card goes back, and the person is asked."""
    history = History(CHANGE)
    reader = Reader(history)
    history.world.authority.before("write", lambda: set_elsewhere(history))
    result = reader.fill_in()
    assert result.outcome is Outcome.ROLLED_BACK
    assert "reason.changed_elsewhere" in {fact.key for fact in result.facts}
    assert history.card_pin() == OLD
    assert history.domain.writes == []
    assert history.sync() is Sync.OUT_OF_STEP


def test_one_set_in_the_middle_of_a_finish_is_not_overwritten_but_asked_about() -> None:
    history = History(FINISH)
    reader = Reader(history)
    history.world.authority.after("authorise", lambda: set_elsewhere(history))
    assert reader.fill_in().outcome is not Outcome.DONE
    assert history.domain.writes == []
    again = Reader(history)
    assert again.form.confirm is not None
    assert again.form.confirm.key == "confirm.changed_elsewhere"
    assert again.fill_in().outcome is Outcome.DONE


OTHERWISE: dict[str, dict[str, Any]] = {
    "nothing to be confirmed": {"confirm": None},
    "only the card": {"password_follows": False},
    "other rules": {"rules": None},
    "another action": {"kind": Kind.FINISH},
}


@pytest.mark.parametrize("otherwise", OTHERWISE)
def test_a_face_cannot_hand_in_a_form_that_was_not_shown(otherwise: str) -> None:
    """Not even one that says less: what had to be confirmed was not asked."""
    history = History(CHANGE)
    set_elsewhere(history)
    reader = Reader(history)
    assert reader.form.confirm is not None
    forged = dataclasses.replace(reader.form, **OTHERWISE[otherwise])
    typed = {
        FieldName.OLD_PIN: Secret(OLD),
        FieldName.CURRENT_PIN: Secret(OLD),
        FieldName.NEW_PIN: Secret(NEW),
    }
    answers = Answers(typed, confirmed=otherwise != "nothing to be confirmed")
    result = reader.visit.submit(forged, answers, lambda progress: None)
    assert result.headline.key == "authority.not_as_announced"
    assert history.card_pin() == OLD
    assert history.domain.writes == []


def test_rules_that_became_stricter_are_shown_before_anything_is_typed_again() -> None:
    history = History(CHANGE)
    reader = Reader(history)
    history.domain.policy = dataclasses.replace(
        history.domain.policy, minimum_length=len(NEW) + 1
    )
    result = reader.fill_in()
    assert result.headline.key == "authority.not_as_announced"
    assert result.again is Kind.CHANGE
    reader.look_again()
    assert reader.form.rules is not None
    assert reader.form.rules.minimum == len(NEW) + 1


def _stand(history: History, state: State) -> None:
    registry, which = history.world.registry, history.holder.credential
    registry.run(
        lambda tx: tx.save_credential(replace(tx.credential(which), state=state))
    )


@pytest.mark.parametrize("state", [State.SUSPENDED, State.BLOCKED])
def test_a_form_is_not_shown_anew_whose_action_is_not_offered_any_more(
    state: State,
) -> None:
    """Of a blocked card another one is."""
    history = History(CHANGE)
    reader = Reader(history)
    _stand(history, state)
    result = reader.fill_in()
    assert result.outcome is Outcome.REFUSED
    assert result.again is None
    assert history.card_pin() == OLD

"""What a visit refuses by itself never reaches the card: no try, no PUK, no change.

A face shows the rules and what has to be confirmed; a visit believes none. Where only
the card changes, no authority is asked about its new PIN.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import pytest
from lab.cards.admin_key_person import ONLINE, PHONE, Person
from lab.histories import NEW, OLD, STORIES, History, Story
from lab.liar import named

from kiosk.core.secret import Secret
from kiosk.simulation.cards.options import of_yubikey
from kiosk.visit.by_kind import NotOffered
from kiosk.visit.station_of_parts import StationOfParts
from kiosk.visit.views import Answers, FieldName, Form, Outcome, Result, VisitPort
from kiosk.visit.visit import Visit
from statemachine.operation import Kind
from storage.records import Sync, UnblockMethod

if TYPE_CHECKING:
    from typing import Any

    from kiosk.cards.ports import Monitor
    from kiosk.visit.station import FaceSettings

WEAK = b"123456"
NEW_PINS = [each for each in STORIES if each.kind is not Kind.FINISH]
by_story = pytest.mark.parametrize("story", NEW_PINS, ids=lambda story: story.name)


@dataclass
class Somebody:
    """Whose card is in, and whose form is shown."""

    history: History
    visit: Visit
    form: Form

    def hands_in(self, new: bytes, *, confirmed: bool = True, **typed: bytes) -> Result:
        values = {name: self.history._typed(name) for name in self.form.fields}
        values[FieldName.NEW_PIN] = Secret(new)
        values |= {FieldName(name): Secret(value) for name, value in typed.items()}
        answers = Answers(values, confirmed=confirmed)
        return self.visit.submit(self.form, answers, lambda progress: None)


def somebody(story: Story, *, card_alone: bool = False) -> Somebody:
    history = History(story)
    if card_alone:
        guid = history.holder.account_guid
        history.domain.change_account(guid, enabled=False)
    card = history.world.readers.insert(history.holder.made.card)
    visit = history.world.visit(card)
    visit.recognise()
    return Somebody(history, visit, visit.begin(story.kind))


def left(history: History) -> tuple[bytes, int, int]:
    card = history.holder.made.card
    return history.card_pin(), card.pin_tries_left, card.puk_tries_left


def phases(history: History) -> list[str]:
    kinds = [each.kind for each in history.world.registry.audit_events()]
    return [each for each in kinds if each.startswith("operation.")]


@by_story
@pytest.mark.parametrize("card_alone", [False, True], ids=["both", "the card alone"])
def test_a_pin_that_breaks_a_rule_never_reaches_the_card(
    story: Story, *, card_alone: bool
) -> None:
    who = somebody(story, card_alone=card_alone)
    before = left(who.history)
    result = who.hands_in(WEAK)
    assert result.outcome is Outcome.REFUSED
    assert result.headline.key == "authority.rules_broken"
    assert left(who.history) == before
    kinds = [each.kind for each in who.history.world.registry.audit_events()]
    assert not {"escrow.puk_sent", "escrow.puk_typed", "escrow.released"} & set(kinds)
    assert phases(who.history)[-1] == "operation.refused"


@pytest.mark.parametrize("way", [ONLINE, PHONE])
def test_nor_does_one_that_an_administrator_key_would_set(way: UnblockMethod) -> None:
    person = Person(way)
    form = person.form()
    before = list(person.chip.commands)
    typed = {
        "release_code" if way is ONLINE else "admin_response": (
            person.world.release_code("alice")
            if way is ONLINE
            else person.answered(form)
        )
    }
    values = {FieldName(name): value for name, value in typed.items()}
    values[FieldName.NEW_PIN] = Secret(b"123456")
    result = person.visit.submit(form, Answers(values), lambda step: None)
    assert result.headline.key == "authority.rules_broken"
    assert person.chip.commands[len(before) :] == [], "it was asked nothing"


def test_a_pin_that_is_the_old_one_again_is_none() -> None:
    who = somebody(named("change"), card_alone=True)
    result = who.hands_in(OLD, old_pin=OLD)
    assert result.headline.key == "authority.rules_broken"
    assert phases(who.history)[-1] == "operation.refused"


def test_a_finish_by_a_pin_that_breaks_a_rule_asks_the_card_nothing() -> None:
    """It would become the password."""
    who = somebody(named("finish"))
    who.history.world.readers.faults.set()
    result = who.hands_in(NEW, current_pin=WEAK)
    assert result.headline.key == "authority.rules_broken"
    assert who.history.world.readers.faults.count == 0


@by_story
def test_what_has_to_be_confirmed_is_not_done_unconfirmed(story: Story) -> None:
    """That only the card will change."""
    who = somebody(story, card_alone=True)
    before = left(who.history)
    result = who.hands_in(NEW, confirmed=False)
    assert result.headline.key == "visit.not_confirmed"
    assert left(who.history) == before
    assert phases(who.history) == [], "nothing was begun"


def test_a_password_of_others_is_not_overwritten_unconfirmed() -> None:
    history = History(named("change"))
    with Secret(b"Helpdesk-4711") as theirs:
        history.domain.change_elsewhere(history.holder.account_guid, theirs)
    visit = history.world.visit(history.world.readers.insert(history.holder.made.card))
    visit.recognise()
    who = Somebody(history, visit, visit.begin(Kind.CHANGE))
    assert who.form.confirm is not None
    assert who.hands_in(NEW, confirmed=False).headline.key == "visit.not_confirmed"
    assert history.domain.writes == []
    assert history.card_pin() == OLD


def test_a_form_of_what_is_not_offered_is_not_shown() -> None:
    history = History(named("change"))
    visit = history.world.visit(history.world.readers.insert(history.holder.made.card))
    visit.recognise()
    for kind in (Kind.FINISH, Kind.ACTIVATE):
        with pytest.raises(NotOffered):
            visit.begin(kind)


class Opening:
    """A station whose visit begins when its card is recognised."""

    def __init__(self, history: History) -> None:
        world = history.world
        card = world.readers.insert(history.holder.made.card)
        station = StationOfParts(
            cast("FaceSettings", None), cast("Monitor", None), cast("Any", None)
        )
        self.visit = station.visit(card)


@pytest.mark.parametrize("opening", [False, True], ids=["a visit", "a station's"])
def test_what_is_handed_in_before_a_card_is_known_is_wiped(*, opening: bool) -> None:
    history = History(named("change"))
    form = somebody(named("change")).form
    visit: VisitPort = (
        Opening(history).visit
        if opening
        else history.world.visit(history.world.readers.insert(history.holder.made.card))
    )
    typed = {FieldName.OLD_PIN: Secret(OLD), FieldName.NEW_PIN: Secret(NEW)}
    with pytest.raises(NotOffered):
        visit.submit(form, Answers(typed), lambda progress: None)
    assert not any(typed.values())


# --- what is true after an end -----------------------------------------------------


def test_what_the_card_refused_is_ended_at_once() -> None:
    """Not at the next look: nothing of it goes on."""
    who = somebody(named("change"))
    result = who.hands_in(NEW, old_pin=b"999111")
    assert result.headline.key == "card.wrong_pin"
    registry, which = who.history.world.registry, who.history.holder.credential
    assert registry.read(lambda view: view.live_operations(which)) == []
    assert phases(who.history)[-1] == "operation.refused"


def test_a_form_after_a_wrong_pin_shows_the_counter_as_it_is_now() -> None:
    who = somebody(named("change"))
    assert who.form.tries.left == 3
    who.hands_in(NEW, old_pin=b"999111")
    assert who.visit.begin(Kind.CHANGE).tries.left == 2


@by_story
def test_where_only_the_card_changes_that_is_on_record_at_once(story: Story) -> None:
    who = somebody(story, card_alone=True)
    result = who.hands_in(NEW)
    assert result.outcome is Outcome.CARD_ONLY
    assert who.history.card_pin() == NEW
    assert who.history.sync() is Sync.NOT_SYNCHRONISED
    assert phases(who.history)[-1] == "operation.done"


# --- what the card tells of its PUK -------------------------------------------------

HOLDERS = dataclasses.replace(
    named("unblock, holder's PUK"), options=of_yubikey(5_417_533)
)


@pytest.mark.parametrize(("tries", "needs_code"), [(3, False), (2, False), (1, True)])
def test_a_holders_last_try_at_a_puk_needs_a_code_where_the_card_tells_of_it(
    tries: int, *, needs_code: bool
) -> None:
    history = History(HOLDERS)
    history.holder.made.card.set_tries(pin=0, puk=tries)
    visit = history.world.visit(history.world.readers.insert(history.holder.made.card))
    visit.recognise()
    fields = visit.begin(Kind.UNBLOCK).fields
    assert (FieldName.RELEASE_CODE in fields) is needs_code


def test_a_puk_that_the_card_says_is_blocked_opens_nothing() -> None:
    history = History(HOLDERS)
    history.holder.made.card.set_tries(pin=0, puk=0)
    assert history.why_not(Kind.UNBLOCK) == "refusal.no_unblock_way"

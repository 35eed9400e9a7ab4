"""What the screen says first of a card that comes in, and what it recommends."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import cast

import pytest
from lab.histories import History
from lab.liar import named
from msgspec.structs import replace as changed

from kiosk.authority.values import OpenedCredential
from kiosk.core.errors import Message
from kiosk.simulation.cards.options import PivOptions
from kiosk.visit.forms import is_by_telephone
from kiosk.visit.views import FieldName, Home
from statemachine.lifecycle import Event, State
from statemachine.operation import Kind
from storage.records import Sync, UnblockMethod

GREETED = [
    ("change", 3, Sync.IN_STEP, "active", Kind.CHANGE),
    ("change", 2, Sync.IN_STEP, "active", Kind.CHANGE),
    ("change", 1, Sync.IN_STEP, "one_try_left", Kind.UNBLOCK),
    ("change", 0, Sync.IN_STEP, "blocked", Kind.UNBLOCK),
    ("change", 3, Sync.OUT_OF_STEP, "out_of_step", Kind.FINISH),
    ("change", 1, Sync.OUT_OF_STEP, "one_try_left", Kind.UNBLOCK),
    ("change", 0, Sync.OUT_OF_STEP, "blocked", Kind.UNBLOCK),
    ("change", 3, Sync.NOT_SYNCHRONISED, "active", Kind.CHANGE),
    ("activate", 3, Sync.NEVER, "issued", Kind.ACTIVATE),
    ("activate", 1, Sync.NEVER, "one_try_left", None),
    ("activate", 0, Sync.NEVER, "blocked", Kind.UNBLOCK),
]


def greeted(history: History) -> Home:
    card = history.world.readers.insert(history.holder.made.card)
    return history.world.visit(card).recognise()


def recommended(home: Home) -> Kind | None:
    return next((each.kind for each in home.actions if each.recommended), None)


@pytest.mark.parametrize(("story", "tries", "sync", "says", "kind"), GREETED)
@pytest.mark.parametrize("proves_itself", [True, False], ids=["9E", "no 9E"])
def test_a_card_is_greeted_with_what_is_most_urgent(
    *,
    story: str,
    tries: int,
    sync: Sync,
    says: str,
    kind: Kind | None,
    proves_itself: bool,
) -> None:
    """Whether or not it can prove that it is blocked."""
    history = History(replace(named(story), sync=sync, proves_itself=proves_itself))
    history.holder.made.card.set_tries(pin=tries)
    home = greeted(history)
    if story == "activate" and tries == 0 and not proves_itself:
        says = "issued"  # the registry does not take a copy's word for it
    assert home.headline.key == f"home.headline.{says}"
    assert recommended(home) is kind


def test_a_card_that_tells_no_counter_is_greeted_as_any_other() -> None:
    silent = PivOptions(empty_verify=0x6985)
    home = greeted(History(replace(named("change"), options=silent)))
    assert home.tries.left is None
    assert home.headline.key == "home.headline.active"
    assert recommended(home) is Kind.CHANGE


def test_a_card_that_is_blocked_on_record_is_to_be_unblocked_whatever_it_tells() -> (
    None
):
    """It cannot prove that it was unblocked elsewhere."""
    story = replace(named("change"), state=State.BLOCKED, tries=3, proves_itself=False)
    home = greeted(History(story))
    assert home.headline.key == "home.headline.blocked"
    assert recommended(home) is Kind.UNBLOCK


@pytest.mark.parametrize(
    ("story", "says"), [("change", "password_follows"), ("finish", "finish_follows")]
)
def test_a_form_says_whose_password_follows_and_what_the_card_takes(
    story: str, says: str
) -> None:
    """A finish chooses no PIN: there are no rules to be shown."""
    history = History(named(story))
    card = history.world.readers.insert(history.holder.made.card)
    visit = history.world.visit(card)
    visit.recognise()
    form = visit.begin(named(story).kind)
    assert form.old_limits == (6, 8)
    assert form.notices == (Message(f"notice.{says}", {"account": "alice@ad.test"}),)
    assert (form.rules is None) is (story == "finish")


def test_an_activation_that_broke_off_asks_for_its_code_again() -> None:
    history = History(replace(named("activate"), sync=Sync.OUT_OF_STEP))
    history.world.registry.run(
        lambda tx: tx.save_credential(
            changed(
                tx.credential(history.holder.credential), activation_interrupted=True
            )
        )
    )
    card = history.world.readers.insert(history.holder.made.card)
    visit = history.world.visit(card)
    visit.recognise()
    fields = visit.begin(Kind.ACTIVATE).fields
    assert fields == (FieldName.ACTIVATION_CODE, FieldName.NEW_PIN)


@pytest.mark.parametrize(
    ("kind", "broke_off", "by_telephone"),
    [
        (Kind.UNBLOCK, False, True),
        (Kind.ACTIVATE, True, True),
        (Kind.ACTIVATE, False, False),
        (Kind.CHANGE, False, False),
    ],
)
def test_the_telephone_answers_where_a_pin_is_set_anew(
    kind: Kind, *, broke_off: bool, by_telephone: bool
) -> None:
    case = SimpleNamespace(
        activation_by_reset=broke_off, unblock_method=UnblockMethod.ADMIN_KEY_PHONE
    )
    assert is_by_telephone(cast("OpenedCredential", case), kind) is by_telephone


@pytest.mark.parametrize("event", [Event.SUSPEND, Event.REVOKE])
@pytest.mark.parametrize("sync", [Sync.IN_STEP, Sync.OUT_OF_STEP])
def test_a_card_that_is_held_is_greeted_with_that_alone(
    event: Event, sync: Sync
) -> None:
    history = History(replace(named("change"), sync=sync))
    history.world.operate("alice", event)
    home = greeted(history)
    state = history.world.credential("alice").state
    assert home.headline.key == f"home.headline.{state}"
    assert recommended(home) is None

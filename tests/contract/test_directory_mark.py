"""The directory's own mark of a password, of every `Directory`: every hand moves it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from lab.domain.directories import FIRST_PIN, Condition, Hands, Person
from lab.domain.directory_acts import (
    SECOND_PIN,
    account_of,
    refusal_of,
    reset,
    sign_in,
)

from kiosk.directory.values import BindResult, PwdReplicationMark


def mark_of(hands: Hands, person: Person) -> PwdReplicationMark:
    mark = account_of(hands, person).mark
    assert mark is not None
    return mark


def origin(hands: Hands) -> str:
    with hands.directory.connect() as dc:
        return dc.origin()


def test_our_write_moves_it_by_one_and_is_signed_by_that_dc(hands: Hands) -> None:
    person = hands.person()
    before = mark_of(hands, person)
    reset(hands, person, SECOND_PIN)
    after = mark_of(hands, person)
    assert after.password.version == before.password.version + 1
    assert after.moved.version == before.moved.version + 1
    assert after.password.origin == after.moved.origin == origin(hands)
    assert after.password.usn == after.moved.usn > before.password.usn


def test_the_same_password_once_more_moves_it_too(hands: Hands) -> None:
    person = hands.person()
    before = mark_of(hands, person).password.version
    reset(hands, person, FIRST_PIN)
    assert mark_of(hands, person).password.version == before + 1


@pytest.mark.parametrize(
    "hand",
    [
        lambda hands, person: hands.change_elsewhere(person, SECOND_PIN),
        lambda hands, person: hands.reset_and_must_change(person, SECOND_PIN),
        lambda hands, person: hands.own_change(person, FIRST_PIN, SECOND_PIN),
        lambda hands, person: hands.require_smart_card(person),
    ],
    ids=["a reset", "a reset, must change", "its owner", "smart card required"],
)
def test_every_other_hand_moves_it(
    hands: Hands, hand: Callable[[Hands, Person], None]
) -> None:
    person = hands.person()
    before = mark_of(hands, person)
    hand(hands, person)
    assert mark_of(hands, person).password.version == before.password.version + 1


def test_a_reset_that_must_be_changed_leaves_no_time_to_compare(hands: Hands) -> None:
    person = hands.person()
    hands.reset_and_must_change(person, SECOND_PIN)
    assert account_of(hands, person).pwd_last_set == 0


def test_requiring_a_smart_card_moves_the_mark_and_not_the_time(hands: Hands) -> None:
    person = hands.person()
    before = account_of(hands, person)
    hands.require_smart_card(person)
    after = account_of(hands, person)
    assert after.pwd_last_set == before.pwd_last_set
    assert before.mark
    assert after.mark
    assert after.mark.moved == before.mark.moved
    assert after.mark.password != before.mark.password


def test_must_change_alone_leaves_the_password_as_it_is(hands: Hands) -> None:
    person = hands.person()
    before = mark_of(hands, person)
    hands.must_change(person)
    assert mark_of(hands, person).password == before.password
    assert sign_in(hands, person, FIRST_PIN) is BindResult.MUST_CHANGE


def test_a_wrong_password_a_refusal_and_a_move_leave_it(hands: Hands) -> None:
    person = hands.person()
    before = mark_of(hands, person).password
    sign_in(hands, person, SECOND_PIN)
    refusal_of(hands, person, "1")
    hands.move(person)
    assert mark_of(hands, person).password == before


def test_where_it_may_not_be_read_that_is_told_and_the_rest_is_there(
    hands: Hands,
) -> None:
    person = hands.person(Condition.MUST_CHANGE)
    with hands.hidden(person, "replPropertyMetaData"):
        account = account_of(hands, person)
        assert account.mark is None
        assert account.pwd_last_set == 0
    assert account_of(hands, person).mark is not None

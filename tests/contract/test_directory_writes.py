"""What every `Directory` does with a password: the simulated one, and a Samba AD."""

from __future__ import annotations

import pytest
from lab.domain.directories import FIRST_PIN, PIN_POLICY, Condition, Hands
from lab.domain.directory_acts import (
    SECOND_PIN,
    THIRD_PIN,
    account_of,
    refusal_of,
    reset,
    sign_in,
)

from kiosk.core.secret import Secret
from kiosk.directory.errors import OutcomeUnknown, ReadFailed, SentTooLate, WriteRefused
from kiosk.directory.values import BindResult, Semantics, WriteRefusal

# --- writing -----------------------------------------------------------------


def test_a_pin_becomes_the_password(hands: Hands) -> None:
    person = hands.person()
    before = account_of(hands, person).pwd_last_set
    reset(hands, person, SECOND_PIN)
    assert account_of(hands, person).pwd_last_set > before
    assert sign_in(hands, person, SECOND_PIN) is BindResult.OK


@pytest.mark.parametrize(
    "password", ['quo"ted"', "über-straße", "12345€", "pass🔑🔑", "a\\b*c(d)", "9" * 64]
)
def test_any_character_is_taken_as_it_is(hands: Hands, password: str) -> None:
    person = hands.person()
    reset(hands, person, password)
    assert sign_in(hands, person, password) is BindResult.OK


def test_a_pin_that_is_too_short_is_refused_and_changes_nothing(hands: Hands) -> None:
    person = hands.person()
    before = account_of(hands, person).pwd_last_set
    refused = refusal_of(hands, person, "12345")
    assert refused.why is WriteRefusal.POLICY
    assert refused.data["hex"] == "0000052D"
    assert refused.data["result"] in (19, 53)
    assert account_of(hands, person).pwd_last_set == before
    assert sign_in(hands, person, FIRST_PIN) is BindResult.OK


def test_length_is_counted_in_characters(hands: Hands) -> None:
    person = hands.person()
    assert refusal_of(hands, person, "€€€€€").why is WriteRefusal.POLICY
    reset(hands, person, "€€€€€€")


def test_digits_alone_are_refused_where_complexity_is_wanted(hands: Hands) -> None:
    person = hands.person(Condition.ORDINARY)
    assert refusal_of(hands, person, "97531864").why is WriteRefusal.POLICY
    reset(hands, person, "Nine-75318")
    assert sign_in(hands, person, "Nine-75318") is BindResult.OK


def test_a_reset_does_not_ask_the_history(hands: Hands) -> None:
    person = hands.person()
    reset(hands, person, SECOND_PIN)
    reset(hands, person, SECOND_PIN)
    reset(hands, person, FIRST_PIN)
    assert sign_in(hands, person, FIRST_PIN) is BindResult.OK


def test_where_the_history_cannot_be_honoured_that_is_told_and_nothing_is_sent(
    hands: Hands,
) -> None:
    """Debian 12's Samba has no policy hints; the simulated domain has if told so."""
    person = hands.person()
    with hands.directory.connect() as dc, Secret(SECOND_PIN.encode()) as new:
        assert not dc.honours_history()
        account = dc.account(person.guid)
        with pytest.raises(WriteRefused) as refused:
            dc.set_password(account, new, Semantics.POLICY_HINTS)
        assert refused.value.data["result"] == 12
        assert dc.account(person.guid).pwd_last_set == account.pwd_last_set
    assert sign_in(hands, person, FIRST_PIN) is BindResult.OK


def test_the_same_write_unlocks(hands: Hands) -> None:
    person = hands.person(Condition.LOCKED)
    reset(hands, person, SECOND_PIN)
    assert not account_of(hands, person).locked
    assert sign_in(hands, person, SECOND_PIN) is BindResult.OK


def test_a_refused_value_does_not_unlock(hands: Hands) -> None:
    person = hands.person(Condition.LOCKED)
    assert refusal_of(hands, person, "1").why is WriteRefusal.POLICY
    assert account_of(hands, person).locked


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        (Condition.DISABLED, BindResult.DISABLED),
        (Condition.EXPIRED, BindResult.ACCOUNT_EXPIRED),
        (Condition.MUST_CHANGE, BindResult.OK),
        (Condition.SMART_CARD, BindResult.OK),
    ],
)
def test_the_password_is_set_whatever_the_account_may_do_with_it(
    hands: Hands, condition: Condition, said: BindResult
) -> None:
    person = hands.person(condition)
    reset(hands, person, SECOND_PIN)
    assert sign_in(hands, person, SECOND_PIN) is said


def test_an_account_that_is_not_delegated_is_refused(hands: Hands) -> None:
    person = hands.person(Condition.ELSEWHERE)
    refused = refusal_of(hands, person, SECOND_PIN)
    assert refused.why is WriteRefusal.NO_RIGHT
    assert refused.data["result"] == 50
    assert sign_in(hands, person, FIRST_PIN) is BindResult.OK


def test_a_privileged_account_is_refused_as_protected(hands: Hands) -> None:
    refused = refusal_of(hands, hands.administrator(), "Very-Strong-4711")
    assert refused.why is WriteRefusal.PROTECTED


def test_an_account_that_went_away_meanwhile_is_gone(hands: Hands) -> None:
    person = hands.person()
    with hands.directory.connect() as dc, Secret(SECOND_PIN.encode()) as new:
        account = dc.account(person.guid)
        hands.remove(person)
        with pytest.raises(WriteRefused) as refused:
            dc.set_password(account, new)
    assert refused.value.why is WriteRefusal.GONE


def test_a_write_that_is_too_late_is_not_sent(hands: Hands) -> None:
    person = hands.person()
    before = account_of(hands, person)
    with hands.directory.connect() as dc, Secret(SECOND_PIN.encode()) as new:
        account = dc.account(person.guid)
        with pytest.raises(SentTooLate):
            dc.set_password(account, new, until=-1.0)
        assert dc.account(person.guid).mark == before.mark
        dc.set_password(account, new)
    assert sign_in(hands, person, SECOND_PIN) is BindResult.OK


# --- verifying ---------------------------------------------------------------


def test_a_wrong_password_is_told(hands: Hands) -> None:
    assert sign_in(hands, hands.person(), SECOND_PIN) is BindResult.WRONG_PASSWORD


def test_an_empty_password_signs_in_nobody(hands: Hands) -> None:
    assert sign_in(hands, hands.person(), "") is BindResult.WRONG_PASSWORD


def test_who_was_moved_signs_in_as_the_account_is_called_now(hands: Hands) -> None:
    person = hands.person()
    before = account_of(hands, person)
    hands.move(person)
    after = account_of(hands, person)
    with hands.directory.connect() as dc, Secret(FIRST_PIN.encode()) as pin:
        assert dc.verify_password(before, pin) is BindResult.WRONG_PASSWORD
        assert dc.verify_password(after, pin) is BindResult.OK


def test_a_password_that_must_be_changed_is_told(hands: Hands) -> None:
    person = hands.person(Condition.MUST_CHANGE)
    assert sign_in(hands, person, FIRST_PIN) is BindResult.MUST_CHANGE


def test_requiring_a_smart_card_leaves_a_password_that_nobody_knows(
    hands: Hands,
) -> None:
    person = hands.person(Condition.SMART_CARD)
    assert sign_in(hands, person, FIRST_PIN) is BindResult.WRONG_PASSWORD


def test_a_locked_account_says_so_whatever_is_typed(hands: Hands) -> None:
    person = hands.person(Condition.LOCKED)
    assert sign_in(hands, person, FIRST_PIN) is BindResult.LOCKED
    assert sign_in(hands, person, SECOND_PIN) is BindResult.LOCKED


def test_each_wrong_password_counts_once_until_a_right_one(hands: Hands) -> None:
    person = hands.person()
    for _ in range(2):
        for _ in range(PIN_POLICY.lockout_threshold - 1):
            sign_in(hands, person, SECOND_PIN)
        assert sign_in(hands, person, FIRST_PIN) is BindResult.OK
    for _ in range(PIN_POLICY.lockout_threshold):
        assert not account_of(hands, person).locked
        sign_in(hands, person, SECOND_PIN)
    assert account_of(hands, person).locked


def test_the_password_before_the_last_still_signs_in_for_a_while(
    hands: Hands,
) -> None:
    person = hands.person()
    reset(hands, person, SECOND_PIN)
    assert sign_in(hands, person, FIRST_PIN) is BindResult.OK
    reset(hands, person, THIRD_PIN)
    assert sign_in(hands, person, SECOND_PIN) is BindResult.OK
    assert sign_in(hands, person, FIRST_PIN) is BindResult.WRONG_PASSWORD


def test_a_change_elsewhere_shows_in_the_time_of_the_last_change(
    hands: Hands,
) -> None:
    person = hands.person()
    before = account_of(hands, person).pwd_last_set
    hands.change_elsewhere(person, SECOND_PIN)
    assert account_of(hands, person).pwd_last_set > before


# --- no answer ---------------------------------------------------------------


def test_a_write_without_an_answer_is_unknown_and_may_have_happened(
    hands: Hands,
) -> None:
    person = hands.person()
    before = account_of(hands, person).pwd_last_set
    with hands.distant() as (directory, unanswered):
        with directory.connect() as dc, Secret(SECOND_PIN.encode()) as new:
            account = dc.account(person.guid)
            with unanswered(), pytest.raises(OutcomeUnknown) as unknown:
                dc.set_password(account, new)
            assert unknown.value.data == {"dc": dc.name}
        hands.eventually(lambda: account_of(hands, person).pwd_last_set > before)
    assert sign_in(hands, person, SECOND_PIN) is BindResult.OK


def test_a_write_to_a_dc_that_died_is_unknown_and_may_not_have_happened(
    hands: Hands,
) -> None:
    person = hands.person()
    before = account_of(hands, person).pwd_last_set
    with hands.directory.connect() as dc, Secret(SECOND_PIN.encode()) as new:
        account = dc.account(person.guid)
        with hands.dead(), pytest.raises(OutcomeUnknown):
            dc.set_password(account, new)
    assert account_of(hands, person).pwd_last_set == before
    assert sign_in(hands, person, FIRST_PIN) is BindResult.OK


def test_a_dc_that_died_answers_no_question_either(hands: Hands) -> None:
    person = hands.person()
    with hands.directory.connect() as dc, Secret(FIRST_PIN.encode()) as pin:
        account = dc.account(person.guid)
        with hands.dead():
            with pytest.raises(ReadFailed) as failed:
                dc.account(person.guid)
            assert failed.value.data == {"dc": dc.name, "reason": "no_answer"}
            with pytest.raises(ReadFailed):
                dc.find(person.name)
            with pytest.raises(ReadFailed):
                dc.password_policy(account)
            assert dc.verify_password(account, pin) is BindResult.NO_ANSWER

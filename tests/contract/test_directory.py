"""What every `Directory` keeps to: the simulated one, and ours on a real Samba AD."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest
from lab.directories import (
    DOMAIN_POLICY,
    FIRST_PIN,
    PIN_POLICY,
    Condition,
    Hands,
    Person,
    SambaHands,
    SimulatedHands,
)

from kiosk.directory.ports import (
    Account,
    AccountMissing,
    BindResult,
    OutcomeUnknown,
    PolicyUnreadable,
    ReadFailed,
    Unreachable,
    WriteRefusal,
    WriteRefused,
)
from kiosk.secret import Secret

SECOND_PIN = "975318"
THIRD_PIN = "864209"


@pytest.fixture(params=["simulated", pytest.param("samba", marks=pytest.mark.samba)])
def hands(request: pytest.FixtureRequest, tmp_path: Path) -> Hands:
    if request.param == "simulated":
        return SimulatedHands()
    return SambaHands(request.getfixturevalue("samba"), tmp_path)


def account_of(hands: Hands, person: Person) -> Account:
    with hands.directory.connect() as dc:
        return dc.account(person.guid)


def find(hands: Hands, name: str) -> Account:
    with hands.directory.connect() as dc:
        return dc.find(name)


def reset(hands: Hands, person: Person, password: str) -> None:
    with hands.directory.connect() as dc, Secret(password.encode()) as new:
        dc.set_password(dc.account(person.guid), new)


def sign_in(hands: Hands, person: Person, password: str) -> BindResult:
    with hands.directory.connect() as dc, Secret(password.encode()) as tried:
        return dc.verify_password(dc.account(person.guid), tried)


def refusal_of(hands: Hands, person: Person, password: str) -> WriteRefused:
    with pytest.raises(WriteRefused) as refused:
        reset(hands, person, password)
    return refused.value


# --- finding -----------------------------------------------------------------


def test_an_account_is_found_by_its_guid(hands: Hands) -> None:
    person = hands.person()
    account = account_of(hands, person)
    assert account.guid == person.guid
    assert account.sam_account_name == person.name
    assert account.user_principal_name == person.upn


def test_an_account_is_found_by_each_of_its_names_in_any_case(hands: Hands) -> None:
    person = hands.person()
    for name in (person.name, person.upn, person.upn.upper(), person.name.upper()):
        assert find(hands, name).guid == person.guid


def test_a_name_with_characters_of_the_query_language_is_found(hands: Hands) -> None:
    person = hands.person(called="O'Neil (Bob) & Söhne")
    assert find(hands, person.name).guid == person.guid
    assert find(hands, person.upn).guid == person.guid


def test_a_guid_still_finds_an_account_that_was_renamed_and_moved(
    hands: Hands,
) -> None:
    person, other = hands.person(), hands.person()
    hands.rename(person, "Somebody Else")
    hands.move(other)
    assert account_of(hands, person).dn.startswith("CN=Somebody Else,OU=Staff")
    assert "OU=Elsewhere" in account_of(hands, other).dn


def test_a_renamed_account_can_be_reset_with_the_facts_read_before(
    hands: Hands,
) -> None:
    person = hands.person()
    with hands.directory.connect() as dc, Secret(SECOND_PIN.encode()) as new:
        account = dc.account(person.guid)
        hands.rename(person, "Renamed Meanwhile")
        dc.set_password(account, new)
    assert sign_in(hands, person, SECOND_PIN) is BindResult.OK


@pytest.mark.parametrize(
    "pattern",
    ["*", "{0}*", "{0}\x00", "{0}\n", "{0})(objectClass=*", "\\2a", "", "{0}\u202e"],
)
def test_a_name_is_never_a_pattern(hands: Hands, pattern: str) -> None:
    person = hands.person()
    with pytest.raises(AccountMissing):
        find(hands, pattern.format(person.name))


@pytest.mark.parametrize("guid", [str(uuid.UUID(int=7)), "no guid", "", "*"])
def test_a_guid_that_nobody_has_finds_nobody(hands: Hands, guid: str) -> None:
    with hands.directory.connect() as dc, pytest.raises(AccountMissing):
        dc.account(guid)


def test_a_removed_account_is_missing(hands: Hands) -> None:
    person = hands.person()
    hands.remove(person)
    with pytest.raises(AccountMissing):
        account_of(hands, person)
    with pytest.raises(AccountMissing):
        find(hands, person.name)


# --- facts -------------------------------------------------------------------


def flags(account: Account) -> set[Condition]:
    told = {
        Condition.DISABLED: not account.enabled,
        Condition.LOCKED: account.locked,
        Condition.EXPIRED: account.expired,
        Condition.SMART_CARD: account.smart_card_required,
        Condition.ADMINISTRATOR: account.privileged,
        Condition.MUST_CHANGE: account.pwd_last_set == 0,
    }
    return {condition for condition, is_so in told.items() if is_so}


def test_nothing_is_the_matter_with_an_ordinary_account(hands: Hands) -> None:
    assert flags(account_of(hands, hands.person())) == set()


@pytest.mark.parametrize(
    "condition",
    [
        Condition.DISABLED,
        Condition.LOCKED,
        Condition.EXPIRED,
        Condition.SMART_CARD,
        Condition.ADMINISTRATOR,
        Condition.MUST_CHANGE,
    ],
)
def test_what_is_the_matter_is_told_and_nothing_else(
    hands: Hands, condition: Condition
) -> None:
    assert flags(account_of(hands, hands.person(condition))) == {condition}


# --- policy ------------------------------------------------------------------


def test_the_fine_grained_policy_of_a_person_is_read(hands: Hands) -> None:
    person = hands.person()
    with hands.directory.connect() as dc:
        assert dc.password_policy(dc.account(person.guid)) == PIN_POLICY


def test_without_one_the_policy_of_the_domain_applies(hands: Hands) -> None:
    person = hands.person(Condition.ORDINARY)
    with hands.directory.connect() as dc:
        assert dc.password_policy(dc.account(person.guid)) == DOMAIN_POLICY


def test_a_policy_that_may_not_be_read_is_never_guessed(hands: Hands) -> None:
    person = hands.person()
    with hands.without_policy_rights().connect() as dc:
        account = dc.account(person.guid)
        with pytest.raises(PolicyUnreadable) as hidden:
            dc.password_policy(account)
    assert hidden.value.data == {"policy": "pin-users"}


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


# --- verifying ---------------------------------------------------------------


def test_a_wrong_password_is_told(hands: Hands) -> None:
    assert sign_in(hands, hands.person(), SECOND_PIN) is BindResult.WRONG_PASSWORD


def test_an_empty_password_signs_in_nobody(hands: Hands) -> None:
    assert sign_in(hands, hands.person(), "") is BindResult.WRONG_PASSWORD


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
    with hands.directory.connect() as dc, Secret(SECOND_PIN.encode()) as new:
        account = dc.account(person.guid)
        with hands.frozen(), pytest.raises(OutcomeUnknown) as unknown:
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


# --- which dc ----------------------------------------------------------------


def test_the_first_dc_that_answers_is_taken(hands: Hands) -> None:
    directory, _, second = hands.second_of_two()
    with directory.connect() as dc:
        assert dc.name == second


def test_a_dc_that_is_asked_for_by_name_is_not_replaced(hands: Hands) -> None:
    directory, first, second = hands.second_of_two()
    with pytest.raises(Unreachable) as unreachable, directory.connect(first):
        pass
    assert unreachable.value.data == {"dcs": first, "reason": "refused"}
    with directory.connect(second) as dc:
        assert dc.name == second


def test_when_none_answers_all_are_named(hands: Hands) -> None:
    with (
        hands.dead(),
        pytest.raises(Unreachable) as unreachable,
        hands.directory.connect(),
    ):
        pass
    assert unreachable.value.data["reason"] == "refused"

"""What every `Directory` tells: the simulated one, and ours on a real Samba AD."""

from __future__ import annotations

import uuid

import pytest
from lab.domain.directories import DOMAIN_POLICY, PIN_POLICY, Condition, Hands
from lab.domain.directory_acts import (
    SECOND_PIN,
    account_of,
    find,
    sign_in,
)

from kiosk.core.secret import Secret
from kiosk.directory.errors import (
    AccountMissing,
    PolicyUnreadable,
    ReadFailed,
    Unreachable,
)
from kiosk.directory.values import Account, BindResult

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
    hands.rename(person, f"Somebody Else {person.name}")
    hands.move(other)
    assert account_of(hands, person).dn.startswith(
        f"CN=Somebody Else {person.name},OU=Staff"
    )
    assert "OU=Elsewhere" in account_of(hands, other).dn


def test_a_renamed_account_can_be_reset_with_the_facts_read_before(
    hands: Hands,
) -> None:
    person = hands.person()
    with hands.directory.connect() as dc, Secret(SECOND_PIN.encode()) as new:
        account = dc.account(person.guid)
        hands.rename(person, f"Renamed Meanwhile {person.name}")
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


@pytest.mark.parametrize(
    "attribute",
    ["tokenGroups", "adminCount", "accountExpires", "userAccountControl", "pwdLastSet"],
)
def test_an_account_of_which_too_little_may_be_read_is_not_one_to_touch(
    hands: Hands, attribute: str
) -> None:
    person = hands.person()
    with hands.hidden(person, attribute), hands.directory.connect() as dc:
        with pytest.raises(ReadFailed) as failed:
            dc.account(person.guid)
        assert failed.value.data["reason"] == "hidden"
        assert failed.value.data["attribute"] == attribute
    with hands.directory.connect() as dc:
        assert not dc.account(person.guid).privileged

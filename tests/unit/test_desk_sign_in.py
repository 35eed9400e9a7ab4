"""How an operator signs in at the desk, and when that ends."""

from __future__ import annotations

import pytest
from lab.desk.office import PASSWORD, PIN, Office, signed_in

from kiosk.config import OperatorRole
from kiosk.desk.tables import Look
from kiosk.simulation.domain_faults import DcDown
from statemachine.lifecycle import State

pytestmark = pytest.mark.usefixtures("here_and_relayed")


@pytest.fixture
def office() -> Office:
    return Office()


def test_an_operator_signs_in_with_their_own_card(office: Office) -> None:
    office.insert(office.holder("hanna"))
    office.submit({"pin": PIN})
    assert office.page.name == "menu"
    assert office.page.operator == "Hanna Example"
    (event,) = office.events("operator.signed_in")
    assert event["how"] == "card"
    assert event["roles"] == OperatorRole.HELPDESK


def test_the_session_ends_when_the_operators_card_leaves(office: Office) -> None:
    insertion = office.insert(office.holder("hanna"))
    office.submit({"pin": PIN})
    office.pull(insertion)
    assert office.page.name == "sign_in"
    assert office.page.operator == ""
    assert office.notice == "desk.card_left"


def test_a_wrong_pin_signs_nobody_in_and_costs_one_try(office: Office) -> None:
    holder = office.holder("hanna")
    office.insert(holder)
    office.submit({"pin": b"000111"})
    assert office.notice == "card.wrong_pin"
    assert office.page.operator == ""
    assert holder.made.card.pin_tries_left == 2


def test_the_last_try_is_never_spent_on_signing_in(office: Office) -> None:
    holder = office.holder("hanna")
    holder.made.card.set_tries(pin=1)
    office.insert(holder)
    office.submit({"pin": PIN})
    assert office.notice == "refusal.one_try_left"
    assert holder.made.card.pin_tries_left == 1


@pytest.mark.parametrize("state", [State.ISSUED, State.SUSPENDED, State.REVOKED])
def test_only_an_active_card_signs_in(office: Office, state: State) -> None:
    office.insert(office.holder("hanna", state=state))
    office.submit({"pin": PIN})
    assert office.notice == "enrollment.card_not_active"


def test_a_signature_by_another_key_signs_nobody_in(office: Office) -> None:
    holder = office.holder("hanna")
    other = office.holder("olga")
    holder.made.card.keys[0x9A] = other.made.card.keys[0x9A]
    office.insert(holder)
    office.submit({"pin": PIN})
    assert office.notice == "authority.proof_failed"
    assert office.page.operator == ""


def test_who_is_in_no_group_has_no_role(office: Office) -> None:
    office.person("bob")
    office.sign_in("bob")
    assert office.notice == "enrollment.no_role"
    (event,) = office.events("operator.sign_in_refused")
    assert event["actor"] == "bob@ad.test"


def test_a_wrong_password_says_no_more_than_an_unknown_name(office: Office) -> None:
    office.sign_in("hanna", b"wrong")
    assert office.notice == "enrollment.wrong_password"
    office.submit({"password": PASSWORD}, account="nobody")
    assert office.notice == "enrollment.wrong_password"


def test_without_the_sites_consent_only_cards_sign_in() -> None:
    office = Office(with_account=False)
    assert office.page.choices == ()
    office.choose("account")
    office.submit({"password": PASSWORD}, account="hanna")
    assert office.notice == "enrollment.card_only"


def test_who_loses_the_role_while_signed_in_is_signed_out() -> None:
    office = signed_in("hanna")
    office.domain.set_groups(
        next(p.guid for p in office._people("hanna")),
    )
    office.choose("list:suspended")
    assert office.page.name == "sign_in"
    assert office.notice == "enrollment.no_role"


def test_who_loses_the_role_does_not_go_on_looking() -> None:
    """What is typed is looked for at once, and a page read anew: that is no step."""
    office = signed_in("hanna")
    (hanna,) = office._people("hanna")
    office.domain.set_groups(hanna.guid)
    office.world.clock.sleep(61)
    office.page = office.desk.look(Look(term="alice"))
    assert office.page.name == "sign_in"
    assert office.notice == "enrollment.no_role"


def test_what_is_on_record_can_be_looked_at_while_the_directory_is_away() -> None:
    office = signed_in("hanna")
    office.domain.fail(DcDown(dc="dc1.ad.test"))
    office.world.clock.sleep(61)
    office.page = office.desk.look(Look(term="alice"))
    assert office.rows() == ["Alice Example"]


@pytest.mark.parametrize("changed", [{"enabled": False}, {"expired": True}])
def test_an_account_that_may_not_sign_in_anywhere_does_not_here(
    office: Office, changed: dict[str, bool]
) -> None:
    """The card and its PIN are as they were; the domain let the person go."""
    hanna = office.holder("hanna")
    office.domain.change_account(hanna.account_guid, **changed)
    office.insert(hanna)
    office.submit({"pin": PIN})
    assert office.notice == "enrollment.account_not_usable"
    assert office.page.operator == ""
    assert office.events("operator.signed_in") == []


@pytest.mark.parametrize("changed", [{"enabled": False}, {"expired": True}])
def test_whom_the_domain_lets_go_while_signed_in_is_signed_out(
    changed: dict[str, bool],
) -> None:
    office = signed_in("hanna")
    (hanna,) = office._people("hanna")
    office.domain.change_account(hanna.guid, **changed)
    office.choose("list:suspended")
    assert office.page.name == "sign_in"
    assert office.notice == "enrollment.no_role"

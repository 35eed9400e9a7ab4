"""A credential at the desk: what may be done with it, and by whom."""

from __future__ import annotations

import pytest
from lab.desk.office import PASSWORD, Office, signed_in

from kiosk.authority.office.operators import Action
from kiosk.core.secret import Secret
from statemachine.lifecycle import State

pytestmark = pytest.mark.usefixtures("here_and_relayed")


def test_every_action_is_there_and_each_refused_one_says_why() -> None:
    office = signed_in("hanna")
    office.open("alice")
    assert office.refusal("suspend") == ""
    assert (office.refusal("resume") or "").startswith("refusal.")
    assert office.refusal("retire") is None
    assert office.refusal("finish") == "enrollment.nothing_to_close"
    assert office.refusal("answer") == "enrollment.no_phone_way"


def test_suspend_and_resume_with_a_reason() -> None:
    office = signed_in("hanna")
    office.open("alice")
    office.choose("suspend")
    office.submit(reason="  ")
    assert office.notice == "desk.reason_needed"
    office.submit(reason="card mislaid")
    assert office.page.name == "credential"
    assert office.world.credential("alice").state is State.SUSPENDED
    (event,) = office.events("lifecycle.suspend")
    assert event["reason"] == "card mislaid"
    assert event["actor"] == "hanna@ad.test"


def test_revoking_reminds_of_the_password() -> None:
    office = signed_in("hanna")
    office.open("alice")
    office.choose("revoke")
    office.submit(reason="lost")
    assert office.notice == "enrollment.revoked_advice"
    assert office.world.credential("alice").state is State.REVOKED


def test_nobody_acts_on_their_own_card() -> None:
    office = Office()
    office.holder("hanna")
    office.sign_in("hanna")
    office.open("hanna")
    assert office.refusal("suspend") == "refusal.own_card"
    office.choose("release")
    office.submit()
    assert office.notice == "refusal.own_card"


def test_a_second_operator_agrees_to_what_the_site_wants_two_for() -> None:
    office = signed_in("hanna", second_for=(Action.REVOKE,))
    office.open("alice")
    office.choose("revoke")
    office.submit(reason="stolen")
    assert office.notice == "enrollment.second_needed"
    assert office.world.credential("alice").state is State.ACTIVE
    office.submit({"second_secret": PASSWORD}, reason="stolen", second_account="ada")
    assert office.world.credential("alice").state is State.REVOKED
    (event,) = office.events("lifecycle.revoke")
    assert event["second"] == "ada@ad.test"


@pytest.mark.parametrize("second", ["hanna", "olga", "alice"])
def test_the_second_is_another_person_of_the_same_right(second: str) -> None:
    office = signed_in("hanna", second_for=(Action.REVOKE,))
    office.open("alice")
    office.choose("revoke")
    office.submit({"second_secret": PASSWORD}, reason="stolen", second_account=second)
    assert office.world.credential("alice").state is State.ACTIVE


def test_old_passwords_that_a_device_still_tries_are_seen() -> None:
    office = signed_in("hanna")
    guid = office.world.holders["alice"].account_guid
    with office.domain.connect() as dc, Secret(b"old one") as old:
        account = dc.account(guid)
        for _ in range(3):
            dc.verify_password(account, old)
    office.open("alice")
    office.choose("watch")
    assert "3 wrong passwords on dc1.ad.test" in office.text()
    office.domain.change_account(guid, locked=True)
    office.choose("again")
    assert "The account is locked" in office.text()

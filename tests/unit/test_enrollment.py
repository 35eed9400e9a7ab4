"""Operators act under their own name, within their role, never on their own card."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from lab.desk.site import STAFF, Site
from msgspec.structs import replace

from kiosk.authority.errors import Refused
from kiosk.authority.office import holder_codes, lifecycle_events, operators
from kiosk.authority.office.credential_view import credentials, view
from kiosk.authority.office.desk import find
from kiosk.authority.office.errors import NoSuchCredential, SeveralCredentials
from kiosk.authority.office.operators import Action, NotAnOperator, NotInRole, SignedIn
from kiosk.config import Operator, OperatorRole
from kiosk.directory.errors import DirectoryError
from kiosk.simulation.domain_faults import DcDown
from statemachine.lifecycle import Event, State
from statemachine.operation import Kind
from storage.records import (
    ApprovalKind,
    AuditDraft,
    Credential,
    Escrow,
    FirstPin,
    Keyless,
    PublicKey,
    UnblockMethod,
)


@pytest.fixture
def site() -> Site:
    return Site()


# --- who acts ----------------------------------------------------------------


def test_only_a_login_that_the_configuration_names_is_an_operator() -> None:
    ann = Operator(login="ann", account="ann@x", role=OperatorRole.HELPDESK)
    found = operators.signed_in([ann], "ann")
    assert (found.account, found.roles) == ("ann@x", frozenset({OperatorRole.HELPDESK}))
    with pytest.raises(NotAnOperator) as caught:
        operators.signed_in([ann], "bob")
    assert caught.value.data == {"login": "bob"}


def test_the_login_is_that_of_the_session_and_not_of_the_user_it_became(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = tmp_path / "loginuid"
    session.write_text("0")
    monkeypatch.setattr(operators, "LOGIN_UID", session)
    monkeypatch.setattr("os.getuid", lambda: 1)
    assert operators.login_name() == "root"


@pytest.mark.parametrize("content", ["4294967295", "", None])
def test_without_a_login_session_the_user_of_the_process_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str | None
) -> None:
    session = tmp_path / "loginuid"
    if content is not None:
        session.write_text(content)
    monkeypatch.setattr(operators, "LOGIN_UID", session)
    import pwd

    assert operators.login_name() == pwd.getpwuid(os.getuid()).pw_name


@pytest.mark.parametrize(
    ("role", "may"),
    [
        (OperatorRole.AUDITOR, "look export"),
        (OperatorRole.HELPDESK, "look release suspend resume revoke close"),
        (OperatorRole.OFFICER, "look issue import retire"),
        (
            OperatorRole.ADMINISTRATOR,
            "look issue import retire release suspend resume revoke close "
            "export templates stations",
        ),
    ],
)
def test_a_role_includes_its_actions_and_no_other(role: OperatorRole, may: str) -> None:
    operator = SignedIn(login="x", account="x@y", roles=frozenset({role}))
    for action in Action:
        if action in may.split():
            operators.require(operator, action)
        else:
            with pytest.raises(NotInRole):
                operators.require(operator, action)


# --- which credential --------------------------------------------------------


@pytest.mark.parametrize("term", ["c1", "piv:guid:C1", "ANN@ad.test", "ann example"])
def test_a_credential_is_found_by_id_card_account_or_holder(
    site: Site, term: str
) -> None:
    site.card()
    assert find(site.desk(OperatorRole.HELPDESK), term).id == "c1"


def test_two_that_fit_are_both_named(site: Site) -> None:
    site.card("c1")
    site.card("c2")
    with pytest.raises(SeveralCredentials) as caught:
        find(site.desk(OperatorRole.HELPDESK), "ann@ad.test")
    assert caught.value.data["ids"] == "c1, c2"


def test_a_retired_one_is_not_meant_where_there_is_another(site: Site) -> None:
    site.card("c1", state=State.RETIRED)
    site.card("c2")
    desk = site.desk(OperatorRole.HELPDESK)
    assert find(desk, "ann@ad.test").id == "c2"
    assert find(desk, "c1").id == "c1"


def test_what_is_not_there_is_told(site: Site) -> None:
    with pytest.raises(NoSuchCredential):
        find(site.desk(OperatorRole.HELPDESK), "nobody")


# --- hold, resume, end -------------------------------------------------------


def test_suspended_and_resumed_a_card_is_what_it_was(site: Site) -> None:
    card = site.card(state=State.BLOCKED)
    desk = site.desk(OperatorRole.HELPDESK)
    assert (
        lifecycle_events.act(desk, Action.SUSPEND, card, "lost?").state
        is State.SUSPENDED
    )
    assert (
        lifecycle_events.act(desk, Action.RESUME, card, "found").state is State.BLOCKED
    )


def test_an_act_is_audited_with_the_operator_and_the_reason(site: Site) -> None:
    card = site.card()
    lifecycle_events.act(
        site.desk(OperatorRole.HELPDESK), Action.REVOKE, card, "stolen"
    )
    event = list(site.registry.audit_events())[-1]
    assert (event.kind, event.actor) == ("lifecycle.revoke", "helpdesk@ad.test")
    assert event.data == {"from": "active", "to": "revoked", "reason": "stolen"}


def test_an_act_that_no_edge_allows_is_refused_and_audited(site: Site) -> None:
    card = site.card(state=State.REVOKED)
    desk = site.desk(OperatorRole.HELPDESK)
    with pytest.raises(Refused) as caught:
        lifecycle_events.act(desk, Action.SUSPEND, card, "x")
    assert caught.value.reason.key == "refusal.revoked"
    assert site.last_audit() == (
        "lifecycle.suspend_refused",
        "helpdesk@ad.test",
        "c1",
        "refusal.revoked",
    )


def test_an_act_outside_the_role_changes_nothing(site: Site) -> None:
    card = site.card()
    with pytest.raises(NotInRole):
        lifecycle_events.act(site.desk(OperatorRole.OFFICER), Action.REVOKE, card, "x")
    assert site.state() is State.ACTIVE


@pytest.mark.parametrize("account", ["ann@ad.test", "ANN@AD.TEST", "ann"])
def test_nobody_acts_on_their_own_card_by_whatever_name(
    site: Site, account: str
) -> None:
    card = site.card(account="AD\\ann" if account == "ann" else "ann@ad.test")
    desk = site.desk(OperatorRole.HELPDESK, account)
    with pytest.raises(Refused) as caught:
        lifecycle_events.act(desk, Action.SUSPEND, card, "x")
    assert caught.value.reason.key == "refusal.own_card"
    assert site.state() is State.ACTIVE


def test_taking_away_works_while_the_directory_is_down(site: Site) -> None:
    card = site.card()
    site.domain.fail(DcDown())
    lifecycle_events.act(
        site.desk(OperatorRole.HELPDESK), Action.REVOKE, card, "stolen"
    )
    assert site.state() is State.REVOKED


def test_giving_back_waits_until_the_directory_can_say_whose_card_it_is(
    site: Site,
) -> None:
    card = site.card(state=State.SUSPENDED, suspended_from=State.ACTIVE)
    site.domain.fail(DcDown())
    with pytest.raises(DirectoryError):
        lifecycle_events.act(site.desk(OperatorRole.HELPDESK), Action.RESUME, card, "x")
    assert site.state() is State.SUSPENDED


# --- codes -------------------------------------------------------------------


def test_a_release_code_is_given_and_audited_but_never_stored(site: Site) -> None:
    card = site.card(state=State.BLOCKED)
    given = holder_codes.give(
        site.desk(OperatorRole.HELPDESK), card, ApprovalKind.RELEASE
    )
    text = given.code.reveal().decode()
    assert len(text) == 9
    assert site.last_audit()[:2] == ("approval.release_issued", "helpdesk@ad.test")
    assert text not in repr(list(site.registry.audit_events()))
    (approval,) = site.registry.run(lambda tx: tx.approvals("c1", limit=100))
    assert text not in repr(approval)


@pytest.mark.parametrize(
    ("state", "key"),
    [
        (State.SUSPENDED, "refusal.suspended"),
        (State.REVOKED, "refusal.revoked"),
        (State.RETIRED, "refusal.retired"),
    ],
)
def test_no_release_for_a_card_that_may_not_be_unblocked(
    site: Site, state: State, key: str
) -> None:
    card = site.card(state=state)
    with pytest.raises(Refused) as caught:
        holder_codes.give(site.desk(OperatorRole.HELPDESK), card, ApprovalKind.RELEASE)
    assert caught.value.reason.key == key
    assert site.last_audit()[0] == "approval.release_refused"


def test_no_release_for_a_card_that_was_held_since_it_was_looked_at(site: Site) -> None:
    seen = site.card(state=State.BLOCKED)
    helpdesk = site.desk(OperatorRole.HELPDESK)
    lifecycle_events.act(helpdesk, Action.SUSPEND, seen, "lost")
    with pytest.raises(Refused) as caught:
        holder_codes.give(helpdesk, seen, ApprovalKind.RELEASE)
    assert caught.value.reason.key == "refusal.suspended"


def test_no_release_where_nothing_is_in_escrow(site: Site) -> None:
    card = site.card(escrow=Escrow())
    with pytest.raises(Refused) as caught:
        holder_codes.give(site.desk(OperatorRole.HELPDESK), card, ApprovalKind.RELEASE)
    assert caught.value.reason.key == "refusal.no_unblock_way"


def test_no_release_where_the_template_unblocks_otherwise(site: Site) -> None:
    site.template(replace(STAFF, version=1, unblock=(UnblockMethod.HOLDER_PUK,)))
    card = site.card(template_version=2)
    with pytest.raises(Refused) as caught:
        holder_codes.give(site.desk(OperatorRole.HELPDESK), card, ApprovalKind.RELEASE)
    assert caught.value.reason.key == "enrollment.no_release_way"


def test_a_release_may_stand_in_for_the_signature_of_a_keyless_card(site: Site) -> None:
    site.template(replace(STAFF, version=1, keyless=Keyless.WITH_RELEASE, unblock=()))
    card = site.card(template_version=2, escrow=Escrow(), migrated=True)
    given = holder_codes.give(
        site.desk(OperatorRole.HELPDESK), card, ApprovalKind.RELEASE
    )
    assert len(given.code) == 9


def test_no_release_for_an_issued_card_that_could_prove_that_it_is_blocked(
    site: Site,
) -> None:
    proves = PublicKey(
        slot="9E", algorithm="P-256", spki=b"spki", certificate=b"certificate"
    )
    card = site.card(state=State.ISSUED, card_authentication_key=proves)
    with pytest.raises(Refused) as caught:
        holder_codes.give(site.desk(OperatorRole.HELPDESK), card, ApprovalKind.RELEASE)
    assert caught.value.reason.key == "refusal.issued"


def test_nobody_releases_their_own_card(site: Site) -> None:
    card = site.card()
    desk = site.desk(OperatorRole.HELPDESK, "ann@ad.test")
    with pytest.raises(Refused) as caught:
        holder_codes.give(desk, card, ApprovalKind.RELEASE)
    assert caught.value.reason.key == "refusal.own_card"


def issued_with_code(site: Site, by: str) -> Credential:
    site.template(replace(STAFF, version=1, first_pin=FirstPin.ACTIVATION_CODE))
    card = site.card(template_version=2, state=State.ISSUED, pin_changed_at=None)
    draft = AuditDraft(
        at=1.0, station="desk-1", kind="lifecycle.issue", actor=by, credential="c1"
    )
    site.registry.run(lambda tx: tx.audit(draft))
    return card


def test_an_activation_code_never_lets_the_last_try_at_a_puk_be_spent(
    site: Site,
) -> None:
    """Only a release does, from somebody who was told of it."""
    card = issued_with_code(site, "officer@ad.test")
    helpdesk = site.desk(OperatorRole.HELPDESK)
    holder_codes.give(helpdesk, card, ApprovalKind.ACTIVATION, last_try=True)
    (code,) = site.registry.read(lambda view: view.approvals(card.id, limit=10))
    assert not code.last_try


def test_whoever_issued_a_card_does_not_see_its_activation_code(site: Site) -> None:
    card = issued_with_code(site, by="administrator@ad.test")
    with pytest.raises(Refused) as caught:
        holder_codes.give(
            site.desk(OperatorRole.ADMINISTRATOR), card, ApprovalKind.ACTIVATION
        )
    assert caught.value.reason.key == "enrollment.issuer_sees_no_code"


def test_another_operator_gives_the_activation_code_for_the_templates_days(
    site: Site,
) -> None:
    card = issued_with_code(site, by="officer@ad.test")
    holder_codes.give(site.desk(OperatorRole.HELPDESK), card, ApprovalKind.ACTIVATION)
    (approval,) = site.registry.run(lambda tx: tx.approvals("c1", limit=100))
    assert approval.expires_at - approval.issued_at == 14 * 86_400


def test_no_activation_code_once_the_first_pin_is_set(site: Site) -> None:
    issued_with_code(site, by="officer@ad.test")
    card = site.registry.run(
        lambda tx: tx.save_credential(
            replace(tx.credential("c1"), state=State.ACTIVE, pin_changed_at=2.0)
        )
    )
    with pytest.raises(Refused) as caught:
        holder_codes.give(
            site.desk(OperatorRole.HELPDESK), card, ApprovalKind.ACTIVATION
        )
    assert caught.value.reason.key == "refusal.already_activated"


# --- look --------------------------------------------------------------------


def test_a_view_says_why_each_action_is_refused(site: Site) -> None:
    card = site.card(state=State.SUSPENDED, suspended_from=State.ACTIVE)
    seen = view(site.desk(OperatorRole.AUDITOR), card)
    held = seen.holder_may[Kind.CHANGE]
    assert held is not None
    assert held.key == "refusal.suspended"
    assert seen.operator_may[Event.RESUME] is None
    assert seen.operator_may[Event.SUSPEND] is not None


def test_a_view_shows_codes_only_while_they_can_be_used(site: Site) -> None:
    card = site.card()
    holder_codes.give(site.desk(OperatorRole.HELPDESK), card, ApprovalKind.RELEASE)
    desk = site.desk(OperatorRole.AUDITOR)
    assert len(view(desk, card).codes) == 1
    site.clock.advance(601)
    assert view(desk, card).codes == ()


def test_a_view_tells_the_history_of_that_credential_alone(site: Site) -> None:
    one, two = site.card("c1"), site.card("c2")
    desk = site.desk(OperatorRole.HELPDESK)
    lifecycle_events.act(desk, Action.SUSPEND, one, "x")
    lifecycle_events.act(desk, Action.SUSPEND, two, "y")
    assert [event.kind for event in view(desk, one).history] == ["lifecycle.suspend"]


def test_credentials_are_listed_by_state(site: Site) -> None:
    site.card("c1")
    site.card("c2", state=State.BLOCKED)
    desk = site.desk(OperatorRole.AUDITOR)
    assert [each.id for each in credentials(desk, state=State.BLOCKED)] == ["c2"]
    assert len(list(credentials(desk))) == 2

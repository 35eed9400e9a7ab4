"""People are told apart by their objectGUID: names are given to others in time."""

from __future__ import annotations

from dataclasses import replace

import pytest
from lab.desk.site import Site

from kiosk.authority.errors import Refused
from kiosk.authority.office import importing, lifecycle_events
from kiosk.authority.office.card_values import CardImport, ImportWay
from kiosk.authority.office.desk import Desk, agree, has_done, is_own_card
from kiosk.authority.office.operators import Action, SignedIn
from kiosk.config import OperatorRole
from kiosk.directory.errors import DirectoryError
from kiosk.simulation.domain_faults import DcDown
from storage.records import AuditEvent, Credential

HELPDESK = OperatorRole.HELPDESK


@pytest.fixture
def site() -> Site:
    return Site()


def person(site: Site, name: str) -> SignedIn:
    """Somebody of the helpdesk who has signed in with their card."""
    with site.domain.connect() as dc:
        account = dc.find(name)
    roles = frozenset({HELPDESK})
    return SignedIn(account=account.user_principal_name, roles=roles, guid=account.guid)


def at_desk(site: Site, name: str) -> Desk:
    desk = site.desk(HELPDESK)
    both = frozenset({Action.REVOKE, Action.RELEASE})
    return replace(desk, operator=person(site, name), second_for=both)


def revoke(desk: Desk, card: Credential, second: SignedIn) -> None:
    lifecycle_events.act(desk, Action.REVOKE, card, "stolen", second)


def rename(site: Site, name: str, new: str) -> None:
    with site.domain.connect() as dc:
        guid = dc.find(name).guid
    site.domain.change_account(
        guid, user_principal_name=f"{new}@ad.test", sam_account_name=new
    )


def test_a_renamed_holder_is_no_second_operator_for_her_own_card(site: Site) -> None:
    card = site.card()
    rename(site, "ann", "anna")
    with pytest.raises(Refused) as refused:
        revoke(at_desk(site, "helpdesk"), card, person(site, "anna"))
    assert refused.value.reason.key == "enrollment.second_is_involved"


def test_first_and_second_are_two_people_whatever_they_are_called(site: Site) -> None:
    desk = at_desk(site, "helpdesk")
    rename(site, "helpdesk", "desk-lead")
    with pytest.raises(Refused):
        revoke(desk, site.card(), person(site, "desk-lead"))


def test_a_renamed_holder_is_told_that_it_is_her_own_card(site: Site) -> None:
    card = site.card()
    rename(site, "ann", "anna")
    desk = at_desk(site, "anna")
    assert is_own_card(desk, card)
    with pytest.raises(Refused) as refused:
        lifecycle_events.act(desk, Action.SUSPEND, card, "lost?")
    assert refused.value.reason.key == "refusal.own_card"


def test_an_officer_imports_no_card_for_herself_whatever_she_is_called_since(
    site: Site,
) -> None:
    """Nor is she kept from the card of whoever has her old name now."""
    with site.domain.connect() as dc:
        officer = dc.find("officer")
    me = SignedIn(
        account="officer@ad.test",
        roles=frozenset({OperatorRole.OFFICER}),
        guid=officer.guid,
    )
    desk = replace(site.desk(OperatorRole.OFFICER), operator=me)
    rename(site, "officer", "lead")

    def wanted(name: str) -> CardImport:
        return CardImport(account=name, template="staff", way=ImportWay.KEYLESS)

    assert importing.judge(desk, wanted("ann")).holder.guid
    site.domain.add_account("officer")
    with pytest.raises(Refused) as refused:
        importing.judge(desk, wanted("lead"))
    assert refused.value.reason.key == "refusal.own_card"
    assert importing.judge(desk, wanted("officer")).holder.guid != officer.guid


def test_who_got_a_name_later_is_not_who_had_it(site: Site) -> None:
    card = site.card()
    rename(site, "ann", "anna")
    site.domain.add_account("ann")
    assert not is_own_card(at_desk(site, "ann"), card)


def event(operator: str, actor: str = "officer@ad.test") -> AuditEvent:
    data = {"operator_guid": operator} if operator else {}
    return AuditEvent(
        station="desk-1",
        seq=1,
        at=0.0,
        kind="lifecycle.issue",
        actor=actor,
        data=data,
        previous="",
        hash="",
    )


def test_a_renamed_issuer_is_still_who_issued_the_card(site: Site) -> None:
    issued = event(person(site, "officer").guid)
    rename(site, "officer", "enrollment-lead")
    assert has_done(at_desk(site, "enrollment-lead"), issued)
    site.domain.add_account("officer")
    assert not has_done(at_desk(site, "officer"), issued)


def test_older_evidence_names_people_only(site: Site) -> None:
    assert has_done(at_desk(site, "officer"), event(""))
    assert not has_done(at_desk(site, "helpdesk"), event(""))


def test_what_gives_something_waits_for_the_directory(site: Site) -> None:
    """And what only takes something away is judged by names while it is down."""
    card, desk = site.card(), at_desk(site, "helpdesk")
    by_login = SignedIn(account="officer@ad.test", roles=frozenset({HELPDESK}))
    site.domain.fail(DcDown())
    with pytest.raises(DirectoryError):
        agree(desk, Action.RELEASE, card, by_login)
    revoke(desk, card, by_login)

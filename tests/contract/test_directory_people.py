"""What a desk asks of every `Directory`: people by name, groups, their lock-out."""

from __future__ import annotations

import uuid

import pytest
from lab.domain.directories import Hands
from lab.domain.directories import Person as LabPerson
from lab.domain.directory_acts import account_of, sign_in
from lab.domain.samba import SambaDomain

from kiosk.core.clock import SystemClock
from kiosk.directory.errors import ReadFailed
from kiosk.directory.ldap import LdapDirectory
from kiosk.directory.ports import NamesInCertificates
from kiosk.directory.values import Lockout, NameAttribute, Person


def looked_for(hands: Hands, term: str) -> tuple[Person, ...]:
    with hands.directory.connect() as dc:
        return dc.look_for(term)


def lockout_of(hands: Hands, person: object) -> Lockout:
    with hands.directory.connect() as dc:
        return dc.lockout(account_of(hands, person))  # type: ignore[arg-type]  # a lab person


def test_people_are_found_by_how_their_names_begin(hands: Hands) -> None:
    begins = f"q{uuid.uuid4().hex[:8]}"
    one, other = hands.person(called=f"{begins}a"), hands.person(called=f"{begins}b")
    assert {each.guid for each in looked_for(hands, begins)} == {one.guid, other.guid}
    assert [each.guid for each in looked_for(hands, f"  {begins.upper()}B ")] == [
        other.guid
    ]
    (found,) = looked_for(hands, one.name)
    assert found.account == one.upn


@pytest.mark.parametrize(
    "term", ["", " ", "*", "q*", ")(objectClass=*", "\x00", "q" * 80]
)
def test_a_term_is_never_part_of_the_question(hands: Hands, term: str) -> None:
    hands.person(called=f"q{uuid.uuid4().hex[:8]}")
    assert looked_for(hands, term) == ()


def test_a_wrong_password_is_counted_and_shown(hands: Hands) -> None:
    person = hands.person()
    assert lockout_of(hands, person).bad_passwords == 0
    sign_in(hands, person, "not-the-password-1")
    seen = lockout_of(hands, person)
    assert seen.bad_passwords == 1
    assert not seen.locked


IDENTITY = "X509:<I>DC=com,DC=contoso,CN=CONTOSO-DC-CA<SR>1200000000AC11000000002B"
NAMED = [
    (NameAttribute.MAIL, "ann@ex(am)ple.test"),
    (NameAttribute.IDENTITIES, IDENTITY),
]


def names(hands: Hands, person: LabPerson, attribute: NameAttribute) -> tuple[str, ...]:
    account = account_of(hands, person)
    with hands.directory.connect() as dc:
        assert isinstance(dc, NamesInCertificates)
        return dc.values_of(account, attribute)


@pytest.mark.parametrize(("attribute", "value"), NAMED)
def test_what_names_an_account_in_certificates_is_read_and_who_else_has_it(
    hands: Hands, attribute: NameAttribute, value: str
) -> None:
    one, other, third = hands.person(), hands.person(), hands.person()
    value = value.replace("ann", one.name).replace("1200", f"{uuid.uuid4().hex[:4]}00")
    assert names(hands, one, attribute) == ()
    hands.name(one, attribute, value)
    hands.name(third, attribute, f"{value}1")
    assert names(hands, one, attribute) == (value,)
    assert names(hands, other, attribute) == ()
    with hands.directory.connect() as dc:
        assert isinstance(dc, NamesInCertificates)
        assert dc.holders_of(attribute, value.upper()) == {one.guid}
        hands.name(other, attribute, value)
        assert dc.holders_of(attribute, value) == {one.guid, other.guid}
        assert dc.holders_of(attribute, "*") == frozenset()


@pytest.mark.parametrize("attribute", NameAttribute)
def test_a_hidden_name_is_not_taken_for_none(
    hands: Hands, attribute: NameAttribute
) -> None:
    person = hands.person()
    with hands.hidden(person, attribute), pytest.raises(ReadFailed) as caught:
        names(hands, person, attribute)
    assert caught.value.data["attribute"] == attribute


@pytest.mark.samba
def test_groups_within_groups_count_and_strange_ones_do_not(
    samba: SambaDomain,
) -> None:
    user = samba.add_user()
    inner = samba.add_group(user.dn)
    outer = samba.add_group(inner)
    other = samba.add_group(samba.add_user().dn)
    with LdapDirectory(samba.settings(), SystemClock()).connect() as dc:
        account = dc.account(user.guid)
        asked = (inner, outer, other, "CN=nobody (*),DC=ad,DC=test")
        assert dc.member_of(account, asked) == {inner, outer}
        assert dc.member_of(account, ()) == frozenset()

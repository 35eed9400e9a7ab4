"""What is read out of descriptors is what the domain controller itself says."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

import ldap3
import pytest
from lab.domain import samba_domain
from lab.domain.samba import LabUser, SambaDomain

from kiosk.core.clock import SystemClock
from kiosk.directory.delegation import USER, Access
from kiosk.directory.descriptor import parse, sid_text
from kiosk.directory.effective_rights import RightsVerdict, TokenHolder, may
from kiosk.directory.ldap import LdapDirectory
from kiosk.directory.ports import Examinable
from kiosk.directory.values import Guarded

pytestmark = pytest.mark.samba

PASSWORD = "Correct-Horse-1"
SCHEMA = f"CN=Schema,CN=Configuration,{samba_domain.BASE_DN}"
_DACL, _OWNER = 0x4, 0x1
_CONSTRUCTED = 0x4
Scope = Literal["BASE", "LEVEL", "SUBTREE"]


def told(line: ldap3.Connection, dn: str, name: str) -> list[bytes]:
    """Return one attribute in which the DC says what the one who asks may do."""
    (found,) = search(line, dn, ldap3.BASE, name)
    return found[name]


def search(
    line: ldap3.Connection,
    dn: str,
    scope: Scope,
    *names: str,
    condition: str = "(objectClass=*)",
) -> list[dict[str, list[bytes]]]:
    line.search(dn, condition, scope, attributes=list(names))
    return [entry["raw_attributes"] for entry in line.response or []]


def attributes(line: ldap3.Connection) -> dict[str, frozenset[UUID]]:
    """Every attribute that is not the system's own, and the GUIDs that grant it."""
    guids = ("schemaIDGUID", "attributeSecurityGUID")
    found = search(
        line,
        SCHEMA,
        ldap3.LEVEL,
        *("lDAPDisplayName", "systemOnly", "systemFlags", "linkID", *guids),
        condition="(objectClass=attributeSchema)",
    )
    return {
        each["lDAPDisplayName"][0].decode(): frozenset(
            UUID(bytes_le=raw) for name in guids for raw in each[name]
        )
        for each in found
        if not is_computed(each)
    }


def is_computed(attribute: dict[str, list[bytes]]) -> bool:
    """Say whether nobody writes it: the system's own, constructed, or a back link."""
    flags = int(attribute["systemFlags"][0]) if attribute["systemFlags"] else 0
    link = int(attribute["linkID"][0]) if attribute["linkID"] else 0
    is_system = attribute["systemOnly"] == [b"TRUE"]
    return is_system or bool(flags & _CONSTRUCTED) or bool(link % 2)


@pytest.fixture
def subject(samba: SambaDomain) -> LabUser:
    return samba.add_user(password=PASSWORD, pin_user=False)


def seen_by(samba: SambaDomain, name: str, password: str, dn: str) -> Guarded:
    file = samba.folder / f"{name.partition('@')[0]}.password"
    file.touch(mode=0o600)
    file.write_text(password)
    settings = samba.settings(service_account=name, password_file=file)
    with LdapDirectory(settings, SystemClock()).connect() as dc:
        assert isinstance(dc, Examinable)
        guard = dc.guarded(dn)
    assert guard is not None
    return guard


@pytest.mark.parametrize("place", ["inside", "outside", "protected", "itself"])
@pytest.mark.parametrize("who", ["service", "plain", "administrator"])
def test_every_attribute_that_may_be_written_is_found_and_no_other(
    samba: SambaDomain, subject: LabUser, who: str, place: str
) -> None:
    name, password = {
        "service": (samba.service_account, samba.service_password),
        "plain": (subject.upn, PASSWORD),
        "administrator": (
            samba_domain.ADMINISTRATOR,
            samba_domain.ADMINISTRATOR_PASSWORD,
        ),
    }[who]
    administrator = f"CN=Administrator,CN=Users,{samba_domain.BASE_DN}"
    dn = {
        "inside": samba.add_user().dn,
        "outside": samba.add_user(ou=samba_domain.ELSEWHERE).dn,
        "protected": administrator,
        "itself": {
            "service": f"CN=svc-pinsync,CN=Users,{samba_domain.BASE_DN}",
            "plain": subject.dn,
            "administrator": administrator,
        }[who],
    }[place]
    guard = seen_by(samba, name, password, dn)
    with samba.connection(name, password) as line:
        token = frozenset(map(sid_text, told(line, "", "tokenGroups")))
        writable = set(told(line, dn, "allowedAttributesEffective"))
        known = {each.decode() for each in told(line, dn, "allowedAttributes")}
        rights = int(told(line, dn, "sDRightsEffective")[0])
        schema = attributes(line)
    descriptor = parse(guard.descriptor)
    caller = TokenHolder(token, sid_text(guard.sid))
    found = {
        attribute.encode()
        for attribute in known & set(schema)
        if may(descriptor, caller, Access.WRITE_PROPERTY, schema[attribute] | {USER})
        is RightsVerdict.YES
    }
    assert found == writable
    changes = may(descriptor, caller, Access.WRITE_DACL) is RightsVerdict.YES
    owns = may(descriptor, caller, Access.WRITE_OWNER) is RightsVerdict.YES
    assert (changes, owns) == (bool(rights & _DACL), bool(rights & _OWNER))

"""Rights on the laboratory's domain, given and taken while it runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import ldap3
from ldap3.protocol.microsoft import security_descriptor_control

from lab import left_over
from lab.domain import samba_domain as setup
from lab.domain.samba import SambaDomain

_DACL = 0x4
_ATTRIBUTES = {
    "replPropertyMetaData": "281416c0-1968-11d0-a28f-00aa003049e2",
    "tokenGroups": "b7c69e6d-2cc7-11d2-854e-00a0c983f608",
    "adminCount": "bf967918-0de6-11d0-a285-00aa003049e2",
    "userAccountControl": "bf967a68-0de6-11d0-a285-00aa003049e2",
    "accountExpires": "bf967915-0de6-11d0-a285-00aa003049e2",
    "pwdLastSet": "bf967a0a-0de6-11d0-a285-00aa003049e2",
    "mail": "bf967961-0de6-11d0-a285-00aa003049e2",
    "altSecurityIdentities": "00fbf30c-91fe-11d1-aebc-0000f80367c1",
}
"""schemaIDGUIDs, as this directory's own schema has them."""


def sid_of(samba: SambaDomain, dn: str) -> str:
    """Return the SID of an account or group."""
    with samba.administrator() as line:
        line.search(dn, "(objectClass=*)", "BASE", attributes=["objectSid"])
        raw: bytes = _entries(line)[0]["objectSid"][0]
    parts = [int.from_bytes(raw[at : at + 4], "little") for at in range(8, len(raw), 4)]
    authority = int.from_bytes(raw[2:8], "big")
    return "-".join(map(str, ("S", raw[0], authority, *parts)))


def grant(samba: SambaDomain, dn: str, sddl: str) -> None:
    """Add entries to an object's DACL."""
    database = Path(samba.folder) / "private" / "sam.ldb"
    words = ("-H", str(database), f"--objectdn={dn}", f"--sddl={sddl}")
    try:
        _tool().run("dsacl", "set", *words)
    except setup.SambaUnusable:
        _tool.cache_clear()  # it has ended
        raise


@cache
def _tool() -> setup.WaitingTool:
    tool = setup.WaitingTool()
    left_over.at_the_end(tool.end)
    return tool


@contextmanager
def granted(samba: SambaDomain, dn: str, sddl: str) -> Iterator[None]:
    """Add entries for as long as the block lasts."""
    before = permissions(samba, dn)
    grant(samba, dn, sddl)
    try:
        yield
    finally:
        set_permissions(samba, dn, before)


@contextmanager
def unreadable(samba: SambaDomain, dn: str, attribute: str) -> Iterator[None]:
    """Hide an attribute of one object from the service account."""
    denied = f"(OD;;RP;{_ATTRIBUTES[attribute]};;{_service_account(samba)})"
    with granted(samba, dn, denied):
        yield


def _service_account(samba: SambaDomain) -> str:
    with samba.administrator() as line:
        name = samba.service_account
        line.search(setup.BASE_DN, f"(userPrincipalName={name})", attributes=["cn"])
        dn = next(each["dn"] for each in line.response or [] if "dn" in each)
    return sid_of(samba, dn)


def permissions(samba: SambaDomain, dn: str) -> bytes:
    """Return an object's DACL, as a descriptor."""
    with samba.administrator() as line:
        line.search(
            dn,
            "(objectClass=*)",
            "BASE",
            attributes=["nTSecurityDescriptor"],
            controls=security_descriptor_control(criticality=True, sdflags=_DACL),
        )
        found: bytes = _entries(line)[0]["nTSecurityDescriptor"][0]
    return found


def set_permissions(samba: SambaDomain, dn: str, descriptor: bytes) -> None:
    """Replace an object's DACL; what it hands down follows."""
    with samba.administrator() as line:
        done = line.modify(  # type: ignore[no-untyped-call]  # ldap3's own
            dn,
            {"nTSecurityDescriptor": [(ldap3.MODIFY_REPLACE, [descriptor])]},
            controls=security_descriptor_control(criticality=True, sdflags=_DACL),
        )
        assert done, line.result


def last_change(samba: SambaDomain, dn: str) -> int:
    """Return the number of an object's last change."""
    with samba.administrator() as line:
        line.search(dn, "(objectClass=*)", "BASE", attributes=["uSNChanged"])
        return int(_entries(line)[0]["uSNChanged"][0])


def _entries(line: ldap3.Connection) -> list[dict[str, list[bytes]]]:
    return [entry["raw_attributes"] for entry in line.response or []]

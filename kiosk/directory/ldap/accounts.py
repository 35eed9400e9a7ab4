"""A user object's attributes, read as facts. Pure."""

from __future__ import annotations

import struct
import uuid
from collections.abc import Sequence

from kiosk.directory import metadata
from kiosk.directory.ldap.many_reads import Entry
from kiosk.directory.values import Account, PwdReplicationMark

USER = "(&(objectCategory=person)(objectClass=user))"
ATTRIBUTES = (
    "objectGUID",
    "distinguishedName",
    "sAMAccountName",
    "userPrincipalName",
    "displayName",
    "userAccountControl",
    "msDS-User-Account-Control-Computed",
    "lockoutTime",
    "accountExpires",
    "adminCount",
    "tokenGroups",
    "pwdLastSet",
    "replPropertyMetaData",
)

_DISABLED = 0x2
_LOCKED_OUT = 0x10
_SMART_CARD_REQUIRED = 0x40000
_NEVER_EXPIRES = 0x10000 | _SMART_CARD_REQUIRED
_NEVER = 0x7FFF_FFFF_FFFF_FFFF
_EPOCH = 11_644_473_600
_TICKS = 10**7

_PROTECTED_BUILTIN = frozenset({544, 548, 549, 550, 551, 552})
"""Administrators, Account, Server, Print and Backup Operators, Replicator."""
_PROTECTED_IN_DOMAIN = frozenset({500, 502, 512, 516, 518, 519, 521, 526, 527})
"""Administrator, krbtgt, Domain Admins, Domain Controllers, Schema Admins, Enterprise
Admins, read-only DCs, Key Admins, Enterprise Key Admins."""
_NT_AUTHORITY = 5
_BUILTIN_DOMAIN = 32
_NT_DOMAIN = 21


class Unjudgeable(ValueError):
    """An attribute that must be known is missing or makes no sense: its name."""


def account_of(entry: Entry, now: float) -> Account:
    """Return the facts; `now` in seconds UTC. Unjudgeable.

    Nobody is without a group, so no groups are hidden groups. That `adminCount` is
    absent is believed: whether it may be read, the caller has to find out.
    """
    if not entry.get("tokenGroups"):
        raise Unjudgeable("tokenGroups")
    return sampled(entry, now)


def sampled(entry: Entry, now: float) -> Account:
    """Return the facts of one of many, whose groups were not asked for. Unjudgeable."""
    control = _integer(entry, "userAccountControl")
    return Account(
        guid=guid_of(entry),
        dn=_text(entry, "distinguishedName"),
        sam_account_name=_text(entry, "sAMAccountName"),
        user_principal_name=_text(entry, "userPrincipalName"),
        display_name=_text(entry, "displayName"),
        enabled=not control & _DISABLED,
        locked=_is_locked(entry),
        expired=_is_expired(entry, now),
        privileged=_is_privileged(entry),
        smart_card_required=bool(control & _SMART_CARD_REQUIRED),
        pwd_last_set=_integer(entry, "pwdLastSet"),
        password_never_expires=bool(control & _NEVER_EXPIRES),
        mark=_mark(entry),
    )


def guid_of(entry: Entry) -> str:
    """Return objectGUID as text. Unjudgeable."""
    try:
        return str(uuid.UUID(bytes_le=_first(entry, "objectGUID")))
    except ValueError as error:
        raise Unjudgeable("objectGUID") from error


def is_called(entry: Entry, name: str) -> bool:
    """Say whether the object really has the name that was asked for.

    A DC also matches names that only look alike to it.
    """
    wanted = name.casefold()
    names = (_text(entry, "userPrincipalName"), _text(entry, "sAMAccountName"))
    return wanted in (each.casefold() for each in names)


def _mark(entry: Entry) -> PwdReplicationMark | None:
    """Return the mark; None where it is hidden, or nothing that we can read."""
    values = entry.get("replPropertyMetaData", ())
    try:
        return metadata.mark_of(values[0]) if values else None
    except metadata.MalformedMetadata:
        return None


def _is_locked(entry: Entry) -> bool:
    """Ask the DC's own sum where it gives one: a lock that ran out keeps its time."""
    if "msDS-User-Account-Control-Computed" in entry:
        computed = _integer(entry, "msDS-User-Account-Control-Computed")
        return bool(computed & _LOCKED_OUT)
    return _integer(entry, "lockoutTime", 0) != 0


def _is_expired(entry: Entry, now: float) -> bool:
    expires = _integer(entry, "accountExpires")
    if expires in (0, _NEVER):
        return False
    return expires <= (now + _EPOCH) * _TICKS


def _is_privileged(entry: Entry) -> bool:
    """Told by the DC's own mark, and by the groups of the token, nested ones too."""
    if _integer(entry, "adminCount", 0) > 0:
        return True
    return any(is_protected(sid) for sid in entry.get("tokenGroups", ()))


def is_protected(sid: bytes) -> bool:
    """Say whether a binary SID (MS-DTYP 2.4.2.2) is one that AdminSDHolder guards."""
    try:
        _, count, authority = struct.unpack_from(">BB6s", sid)
        parts = struct.unpack_from(f"<{count}I", sid, 8)
    except struct.error:
        return False
    if int.from_bytes(authority, "big") != _NT_AUTHORITY or count < 2:
        return False
    if parts[0] == _BUILTIN_DOMAIN:
        return parts[-1] in _PROTECTED_BUILTIN
    return parts[0] == _NT_DOMAIN and parts[-1] in _PROTECTED_IN_DOMAIN


# --- attributes --------------------------------------------------------------


def _first(entry: Entry, name: str) -> bytes:
    values: Sequence[bytes] = entry.get(name, ())
    if not values:
        raise Unjudgeable(name)
    return values[0]


def _text(entry: Entry, name: str) -> str:
    """Return a text, empty where there is none."""
    values = entry.get(name, ())
    return values[0].decode("utf-8", "replace") if values else ""


def _integer(entry: Entry, name: str, default: int | None = None) -> int:
    if default is not None and not entry.get(name):
        return default
    try:
        return int(_first(entry, name))
    except ValueError as error:
        raise Unjudgeable(name) from error

"""People as an officer looks for them, and the groups that give an operator a role."""

from __future__ import annotations

from collections.abc import Sequence

from ldap3.utils.conv import escape_filter_chars

from kiosk.directory.ldap.accounts import USER, Unjudgeable, guid_of
from kiosk.directory.ldap.channel import Channel
from kiosk.directory.ldap.many_reads import Entry
from kiosk.directory.values import Lockout, Person

_NESTED = "1.2.840.113556.1.4.1941"
"""LDAP_MATCHING_RULE_IN_CHAIN (MS-ADTS 3.1.1.3.4.4.3): groups within groups."""
_NAMES = (
    "displayName",
    "sAMAccountName",
    "userPrincipalName",
    "givenName",
    "sn",
    "mail",
    "employeeID",
)
_DETAILS = ("department", "title", "mail", "telephoneNumber")
_LONGEST_TERM = 64
_COMPUTED = "msDS-User-Account-Control-Computed"
_LOCKED_OUT = 0x10
_EPOCH = 11_644_473_600
_TICKS = 10**7


def member_of(channel: Channel, dn: str, groups: Sequence[str]) -> frozenset[str]:
    """Return those of the groups (DNs) that an object is in. ReadFailed."""
    return frozenset(
        group
        for group in groups
        if channel.read(dn, f"(memberOf:{_NESTED}:={escape_filter_chars(group)})", "cn")
        is not None
    )


def lockout(channel: Channel, dn: str) -> Lockout:
    """Return what the DC has counted against an account. ReadFailed."""
    wanted = ("badPwdCount", "badPasswordTime", "lockoutTime", _COMPUTED)
    entry = channel.read(dn, USER, *wanted) or {}
    last = _number(entry, "badPasswordTime")
    locked = bool(_number(entry, _COMPUTED) & _LOCKED_OUT)
    return Lockout(
        bad_passwords=_number(entry, "badPwdCount"),
        last_bad=last / _TICKS - _EPOCH if last else None,
        locked=locked
        or (_COMPUTED not in entry and bool(_number(entry, "lockoutTime"))),
    )


def look_for(channel: Channel, base: str, term: str) -> tuple[Person, ...]:
    """Return some people one of whose names begins with `term`. ReadFailed."""
    term = term.strip()
    if not (term and term.isprintable() and len(term) <= _LONGEST_TERM):
        return ()
    begins = escape_filter_chars(term)
    either = "".join(f"({name}={begins}*)" for name in _NAMES)
    found = channel.sample(
        base,
        f"(&{USER}(|{either}))",
        *("objectGUID", "displayName", "sAMAccountName", "userPrincipalName"),
        *_DETAILS,
    )
    people = (_person(entry) for entry in found)
    return tuple(sorted((each for each in people if each), key=lambda it: it.name))


def _person(entry: Entry) -> Person | None:
    try:
        guid = guid_of(entry)
    except Unjudgeable:
        return None
    account = _text(entry, "userPrincipalName") or _text(entry, "sAMAccountName")
    details = (_text(entry, name) for name in _DETAILS)
    return Person(
        guid=guid,
        name=_text(entry, "displayName") or account,
        account=account,
        details=tuple(detail for detail in details if detail),
    )


def _text(entry: Entry, name: str) -> str:
    values = entry.get(name, ())
    return values[0].decode("utf-8", "replace") if values else ""


def _number(entry: Entry, name: str) -> int:
    text = _text(entry, name)
    return int(text) if text.lstrip("-").isdigit() else 0

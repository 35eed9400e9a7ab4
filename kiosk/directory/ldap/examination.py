"""Who we are to a DC, and who may do what: `ports.Examinable`, for `kiosk doctor` only.

Everything here is a search.
"""

from __future__ import annotations

from collections.abc import Iterator

from kiosk.directory.descriptor import MalformedDescriptor, sid_text
from kiosk.directory.errors import ReadFailed
from kiosk.directory.ldap.accounts import (
    ATTRIBUTES,
    USER,
    Unjudgeable,
    account_of,
    sampled,
)
from kiosk.directory.ldap.channel import Channel
from kiosk.directory.ldap.many_reads import Entry
from kiosk.directory.values import Account, Guarded, ServiceFacts

PROTECTED = f"(&{USER}(adminCount=1))"
ORDINARY = f"(&{USER}(!(adminCount=1)))"

_CONTROLLER = (
    "(&(objectCategory=computer)(userAccountControl:1.2.840.113556.1.4.803:=8192))"
)
"""SERVER_TRUST_ACCOUNT (MS-ADTS 2.2.16)."""
_ANY = "(objectClass=*)"
_IN_A_DOMAIN = "S-1-5-21-"
_OURS = (
    "objectSid",
    "msDS-UserPasswordExpiryTimeComputed",
    *ATTRIBUTES,
)
_NEVER = 0x7FFF_FFFF_FFFF_FFFF
_EPOCH = 11_644_473_600
_TICKS = 10**7


def service_account(channel: Channel, now: float) -> ServiceFacts:
    """Return the account that this connection is bound as. ReadFailed.

    The rootDSE's `tokenGroups` (MS-ADTS 3.1.1.3.2) are the SIDs of this very
    connection; the first that is a user's is ours.
    """
    token = own_token(channel)
    for sid in token:
        if not _text(sid, channel).startswith(_IN_A_DOMAIN):
            continue
        entry = channel.read(f"<SID={_text(sid, channel)}>", USER, *_OURS)
        if entry is not None:
            return _facts(channel, entry, [*token, *entry.get("tokenGroups", ())], now)
    raise ReadFailed(dc=channel.dc, reason="hidden")


def own_token(channel: Channel) -> list[bytes]:
    """Return the SIDs of whom this connection is bound as. ReadFailed."""
    root = channel.read("", _ANY, "tokenGroups") or {}
    return list(root.get("tokenGroups", ()))


def domain_head(channel: Channel) -> str:
    """Return the DN of the domain. ReadFailed."""
    root = channel.read("", _ANY, "defaultNamingContext") or {}
    values = root.get("defaultNamingContext", ())
    if not values:
        raise ReadFailed(dc=channel.dc, reason="malformed")
    return values[0].decode("utf-8", "replace")


def guarded(channel: Channel, dn: str) -> Guarded | None:
    """Return an object and its guard; None: there is none. ReadFailed."""
    entry = channel.guard(dn, "objectSid", "distinguishedName")
    return None if entry is None else _guarded(entry, dn)


def guards(channel: Channel, below: str, condition: str) -> Iterator[Guarded]:
    """Return every object and its guard, page by page. ReadFailed."""
    for entry in channel.every_guard(
        below, condition, "objectSid", "distinguishedName"
    ):
        yield _guarded(entry)


def controllers_accounts(channel: Channel) -> tuple[str, ...]:
    """Return the DNs of some domain controllers' own accounts. ReadFailed."""
    found = channel.sample(domain_head(channel), _CONTROLLER, "distinguishedName")
    return tuple(
        _first(entry, "distinguishedName").decode("utf-8", "replace") for entry in found
    )


def _guarded(entry: Entry, asked: str = "") -> Guarded:
    name = _first(entry, "distinguishedName").decode("utf-8", "replace")
    return Guarded(
        dn=name or asked,
        sid=_first(entry, "objectSid"),
        descriptor=_first(entry, "nTSecurityDescriptor"),
    )


def people(
    channel: Channel, below: str, condition: str, now: float
) -> tuple[Account, ...]:
    """Return some users; those of whom too little may be read are left out."""
    # A search for tokenGroups must name one object, so they are not asked for here.
    wanted = [name for name in ATTRIBUTES if name != "tokenGroups"]
    found = []
    for entry in channel.sample(below, condition, *wanted):
        try:
            found.append(sampled(entry, now))
        except Unjudgeable:
            continue
    return tuple(found)


def _facts(
    channel: Channel, entry: Entry, token: list[bytes], now: float
) -> ServiceFacts:
    try:
        return ServiceFacts(
            account=account_of(entry, now),
            sid=_first(entry, "objectSid"),
            token=tuple(dict.fromkeys(token)),
            password_expires=_moment(
                entry, "msDS-UserPasswordExpiryTimeComputed", zero=0.0
            ),
            account_expires=_moment(entry, "accountExpires", zero=None),
        )
    except ValueError as error:  # Unjudgeable is one
        raise ReadFailed(dc=channel.dc, reason="hidden") from error


def _moment(entry: Entry, name: str, *, zero: float | None) -> float | None:
    """Return a time of Windows in seconds since 1970; None: never. ValueError."""
    ticks = int(_first(entry, name))
    if ticks == 0:
        return zero
    return None if ticks == _NEVER else ticks / _TICKS - _EPOCH


def _first(entry: Entry, name: str) -> bytes:
    values = entry.get(name, ())
    return values[0] if values else b""


def _text(sid: bytes, channel: Channel) -> str:
    try:
        return sid_text(sid)
    except MalformedDescriptor as error:
        raise ReadFailed(dc=channel.dc, reason="malformed") from error

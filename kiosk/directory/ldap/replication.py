"""What a DC says of the domain's other DCs, and of what it can do itself."""

from __future__ import annotations

from uuid import UUID

from kiosk.directory.errors import ReadFailed
from kiosk.directory.ldap.channel import Channel

POLICY_HINTS = ("1.2.840.113556.1.4.2239", "1.2.840.113556.1.4.2066")
"""LDAP_SERVER_POLICY_HINTS_OID and its older number (MS-ADTS 3.1.1.3.4.1.27)."""
READS_ONLY = "1.2.840.113556.1.4.1920"
"""LDAP_CAP_ACTIVE_DIRECTORY_PARTIAL_SECRETS_OID (MS-ADTS 3.1.1.3.4.3.7)."""
_ANYTHING = "(objectClass=*)"


def takes_writes(channel: Channel) -> bool:
    """Say whether this is no read-only DC, as far as it tells. ReadFailed."""
    root = channel.read("", _ANYTHING, "supportedCapabilities") or {}
    values = root.get("supportedCapabilities", ())
    return READS_ONLY.encode() not in values


def policy_hints(channel: Channel) -> str:
    """Return the control by which a reset obeys the history here; empty: none.

    ReadFailed. A DC that does not know a control ignores it or refuses the request:
    only what its rootDSE lists is ever sent.
    """
    root = channel.read("", _ANYTHING, "supportedControl") or {}
    values = root.get("supportedControl", ())
    listed = {value.decode("ascii", "replace") for value in values}
    return next((oid for oid in POLICY_HINTS if oid in listed), "")


def primary(channel: Channel) -> str | None:
    """Return the host name of the PDC emulator; None: it is this one. ReadFailed.

    It hears of every new password first, and other DCs ask it before they refuse one
    (MS-ADTS 3.1.1.1.11): what it knows works everywhere.
    """
    root = channel.read("", _ANYTHING, "defaultNamingContext", "dsServiceName") or {}
    try:
        head = _text(channel, root["defaultNamingContext"][0].decode(), "fSMORoleOwner")
        if head.casefold() == root["dsServiceName"][0].decode().casefold():
            return None
        # The role belongs to the "NTDS Settings" below the object of the server.
        _, _, server = head.partition(",")
        return _text(channel, server, "dNSHostName")
    except (LookupError, UnicodeDecodeError) as error:
        raise ReadFailed(dc=channel.dc, reason="hidden") from error


def origin(channel: Channel) -> str:
    """Return the invocationId of this DC. ReadFailed."""
    root = channel.read("", _ANYTHING, "dsServiceName") or {}
    try:
        service = root["dsServiceName"][0].decode()
        entry = channel.read(service, _ANYTHING, "invocationId") or {}
        return str(UUID(bytes_le=entry["invocationId"][0]))
    except (LookupError, ValueError) as error:
        raise ReadFailed(dc=channel.dc, reason="hidden") from error


def _text(channel: Channel, dn: str, attribute: str) -> str:
    entry = channel.read(dn, _ANYTHING, attribute) or {}
    return entry[attribute][0].decode()

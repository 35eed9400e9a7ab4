"""What a DC says of itself and of our rights: for `kiosk doctor` only."""

from __future__ import annotations

import datetime

from kiosk.directory.errors import ReadFailed
from kiosk.directory.ldap.channel import Channel

_ANY = "(objectClass=*)"


def time_of(channel: Channel) -> float:
    """Return the DC's clock: `currentTime` of its rootDSE (MS-ADTS 3.1.1.3.2.2)."""
    entry = channel.read("", _ANY, "currentTime")
    values = entry.get("currentTime", []) if entry is not None else []
    try:
        text = values[0].decode("ascii")
        moment = datetime.datetime.strptime(text, "%Y%m%d%H%M%S.%f%z")
    except (IndexError, ValueError) as error:
        raise ReadFailed(dc=channel.dc, reason="malformed") from error
    return moment.timestamp()


def writable(channel: Channel, dn: str) -> frozenset[str]:
    """Return `allowedAttributesEffective` (MS-ADTS 3.1.1.4.5.22) of an object."""
    entry = channel.read(dn, _ANY, "allowedAttributesEffective")
    if entry is None:
        raise ReadFailed(dc=channel.dc, reason="hidden")
    values = entry.get("allowedAttributesEffective", [])
    return frozenset(value.decode("ascii", "replace") for value in values)

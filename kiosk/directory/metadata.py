"""The replication metadata of an object as a DC sends it: who set what. Pure.

Reads `replPropertyMetaData` (MS-DRSR, PROPERTY_META_DATA_VECTOR) within bounds: what
contradicts its own lengths is `MalformedMetadata`. Each attribute has a version, which
every set of it raises by one, the DC that set it (invocationId) and that DC's own
number of the change (USN). No clock is part of it that we rely on.
"""

from __future__ import annotations

import struct
from collections.abc import Container
from uuid import UUID

from kiosk.directory.values import PwdReplicationMark, Stamp

LARGEST = 1024 * 1024
"""Bytes; an object of every attribute that a schema has stays far below."""
UNICODE_PWD = 0x9005A
PWD_LAST_SET = 0x90060
_HEADER = struct.Struct("<I4xI4x")
_ENTRY = struct.Struct("<IIQ16sQQ")
_VERSION = 1
_NEVER = Stamp(0, "", 0)
"""Of an attribute that was never set."""


class MalformedMetadata(ValueError):
    """The bytes are no replication metadata; what of them is not."""


def mark_of(data: bytes) -> PwdReplicationMark:
    """Return the mark of the password. Malformed."""
    stamps = parse(data, (UNICODE_PWD, PWD_LAST_SET))
    return PwdReplicationMark(
        password=stamps.get(UNICODE_PWD, _NEVER),
        moved=stamps.get(PWD_LAST_SET, _NEVER),
    )


def parse(data: bytes, wanted: Container[int]) -> dict[int, Stamp]:
    """Return who last set each of the wanted attributes (ATTRTYP). Malformed."""
    if not _HEADER.size <= len(data) <= LARGEST:
        raise MalformedMetadata("length")
    version, count = _HEADER.unpack_from(data)
    if version != _VERSION:
        raise MalformedMetadata("version")
    if len(data) != _HEADER.size + count * _ENTRY.size:
        raise MalformedMetadata("count")
    stamps: dict[int, Stamp] = {}
    seen: set[int] = set()
    for attribute, sets, _, origin, usn, _ in _ENTRY.iter_unpack(data[_HEADER.size :]):
        if attribute in seen:
            raise MalformedMetadata("attribute twice")
        seen.add(attribute)
        if attribute in wanted:
            stamps[attribute] = Stamp(sets, str(UUID(bytes_le=origin)), usn)
    return stamps

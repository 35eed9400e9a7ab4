"""Security descriptors made for tests, byte by byte (MS-DTYP 2.4)."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from uuid import UUID

USER = "S-1-5-21-1-2-3-1001"
GROUP = "S-1-5-21-1-2-3-1002"
STRANGER = "S-1-5-21-1-2-3-1003"
_ALLOW, _DENY = 0x00, 0x01
_FOR_OBJECTS, _CONDITIONAL = 0x05, 0x09


def sid(text: str) -> bytes:
    """Return a SID as bytes."""
    _, revision, authority, *parts = text.split("-")
    head = struct.pack(">BB", int(revision), len(parts))
    tail = struct.pack(f"<{len(parts)}I", *map(int, parts))
    return head + int(authority).to_bytes(6, "big") + tail


def entry(
    mask: int,
    trustee: str = USER,
    *,
    deny: bool = False,
    conditional: bool = False,
    flags: int = 0,
    object_type: UUID | None = None,
    inherited_type: UUID | None = None,
) -> bytes:
    """Return one entry that allows or denies; for objects if a type is given."""
    for_objects = object_type is not None or inherited_type is not None
    kind = _DENY if deny else _ALLOW
    body = struct.pack("<I", mask)
    if for_objects:
        present = (object_type is not None) | (inherited_type is not None) << 1
        body += struct.pack("<I", present)
        body += b"".join(
            each.bytes_le for each in (object_type, inherited_type) if each is not None
        )
    kind += {
        (False, False): 0,
        (True, False): _FOR_OBJECTS,
        (False, True): _CONDITIONAL,
        (True, True): _CONDITIONAL + 2,
    }[for_objects, conditional]
    condition = b"artx" if conditional else b""
    return raw_entry(kind, body + sid(trustee) + condition, flags)


def raw_entry(kind: int, body: bytes, flags: int = 0) -> bytes:
    """Return an entry of any type with any body."""
    return struct.pack("<BBH", kind, flags, 4 + len(body)) + body


def descriptor(
    *entries: bytes, owner: str = STRANGER, dacl: Sequence[bytes] | None = ()
) -> bytes:
    """Return a self-relative descriptor; `dacl=None`: present, and null."""
    owned_by = sid(owner) if owner else b""
    begin = 20 + len(owned_by)
    if dacl is None:
        at, table = 0, b""
    else:
        body = b"".join(entries)
        at, table = begin, struct.pack("<BBHHH", 4, 0, 8 + len(body), len(entries), 0)
        table += body
    head = struct.pack("<BBHIIII", 1, 0, 0x8004, 20 if owner else 0, 0, 0, at)
    return head + owned_by + table

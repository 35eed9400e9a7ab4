"""Security descriptors as a DC sends them: owner, DACL, entries, SIDs. Pure.

Reads the self-relative form (MS-DTYP 2.4.6) within bounds: what lies outside the bytes,
or contradicts its own lengths, is `MalformedDescriptor`. Says what is there, not what
it means: that is `effective_rights`.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntFlag, StrEnum
from uuid import UUID

LARGEST = 256 * 1024
"""Bytes; an ACL cannot be longer than 64 KiB, and there are two."""
_HEADER = struct.Struct("<BBHIIII")
_ACL = struct.Struct("<BBHHH")
_ACE = struct.Struct("<BBH")
_SELF_RELATIVE = 0x8000
_DACL_PRESENT = 0x0004
_MOST_SUBAUTHORITIES = 15


class MalformedDescriptor(ValueError):
    """The bytes are no security descriptor; what of them is not."""


class Effect(StrEnum):
    """What an entry does for those it names."""

    ALLOW = "allow"
    DENY = "deny"
    NONE = "none"
    """An audit entry or a label: grants and refuses nothing."""
    UNKNOWN = "unknown"
    """A kind of entry that nobody has described to us."""


class Inheritance(IntFlag):
    """Flags of an entry (MS-DTYP 2.4.4.1)."""

    OBJECT = 0x01
    CONTAINER = 0x02
    NO_PROPAGATE = 0x04
    INHERIT_ONLY = 0x08
    INHERITED = 0x10


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessEntry:
    """One entry of a DACL."""

    effect: Effect
    conditional: bool
    """Holds only under a condition, which is not read."""
    flags: int
    mask: int
    trustee: str
    """A SID as text; empty for an UNKNOWN effect."""
    object_type: UUID | None = None
    """Which property, set of properties, right or class of child; None: each."""
    inherited_type: UUID | None = None
    """Which class of object inherits it; None: each."""

    @property
    def is_effective(self) -> bool:
        """Say whether it holds for the object itself, not only for those below."""
        return not self.flags & Inheritance.INHERIT_ONLY


@dataclass(frozen=True, slots=True)
class Descriptor:
    """Who owns an object, and who may do what to it."""

    owner: str
    """A SID as text; empty: it was not sent."""
    dacl: tuple[AccessEntry, ...] | None
    """None: there is none (everybody may do everything)."""
    has_dacl: bool = True
    """False: none was sent, so nothing is known."""


def sid_text(data: bytes) -> str:
    """Return a binary SID (MS-DTYP 2.4.2.2) as text. Malformed."""
    sid, size = _sid(data, 0)
    if size != len(data):
        raise MalformedDescriptor("SID")
    return sid


def parse(data: bytes) -> Descriptor:
    """Read a self-relative security descriptor. Malformed."""
    if not _HEADER.size <= len(data) <= LARGEST:
        raise MalformedDescriptor("length")
    revision, _, control, owner, _, _, dacl = _HEADER.unpack_from(data)
    if revision != 1 or not control & _SELF_RELATIVE:
        raise MalformedDescriptor("header")
    owned_by = _sid(data, owner)[0] if owner else ""
    if not control & _DACL_PRESENT:
        return Descriptor(owned_by, (), has_dacl=False)
    return Descriptor(owned_by, _entries(data, dacl) if dacl else None)


def _sid(data: bytes, at: int) -> tuple[str, int]:
    """Return a SID that begins there, and how many bytes it has."""
    if at + 8 > len(data):
        raise MalformedDescriptor("SID")
    revision, count = data[at], data[at + 1]
    size = 8 + 4 * count
    if revision != 1 or count > _MOST_SUBAUTHORITIES or at + size > len(data):
        raise MalformedDescriptor("SID")
    authority = int.from_bytes(data[at + 2 : at + 8], "big")
    parts = struct.unpack_from(f"<{count}I", data, at + 8)
    return "-".join(map(str, ("S", 1, authority, *parts))), size


def _entries(data: bytes, at: int) -> tuple[AccessEntry, ...]:
    if at + _ACL.size > len(data):
        raise MalformedDescriptor("ACL")
    _, _, size, count, _ = _ACL.unpack_from(data, at)
    end = at + size
    if size < _ACL.size or end > len(data):
        raise MalformedDescriptor("ACL")
    at += _ACL.size
    found = []
    for _ in range(count):
        if at + _ACE.size > end:
            raise MalformedDescriptor("entry")
        kind, flags, length = _ACE.unpack_from(data, at)
        if length < _ACE.size or at + length > end:
            raise MalformedDescriptor("entry")
        found.append(_entry(kind, flags, data[at + _ACE.size : at + length]))
        at += length
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Form:
    """How the entries of one type are laid out (MS-DTYP 2.4.4)."""

    effect: Effect
    for_objects: bool = False
    conditional: bool = False


_FORMS = {
    0x00: _Form(Effect.ALLOW),
    0x01: _Form(Effect.DENY),
    0x05: _Form(Effect.ALLOW, for_objects=True),
    0x06: _Form(Effect.DENY, for_objects=True),
    0x09: _Form(Effect.ALLOW, conditional=True),
    0x0A: _Form(Effect.DENY, conditional=True),
    0x0B: _Form(Effect.ALLOW, for_objects=True, conditional=True),
    0x0C: _Form(Effect.DENY, for_objects=True, conditional=True),
}
_WITHOUT_EFFECT = frozenset(
    {0x02, 0x03, 0x07, 0x08, 0x0D, 0x0E, 0x0F, 0x10, 0x11, 0x12, 0x13}
)
_OBJECT_TYPE, _INHERITED_TYPE = 0x1, 0x2


def _entry(kind: int, flags: int, body: bytes) -> AccessEntry:
    form = _FORMS.get(kind)
    if form is None:
        effect = Effect.NONE if kind in _WITHOUT_EFFECT else Effect.UNKNOWN
        return AccessEntry(
            effect=effect, conditional=False, flags=flags, mask=0, trustee=""
        )
    object_type = inherited_type = None
    try:
        (mask,) = struct.unpack_from("<I", body)
        at = 4
        if form.for_objects:
            (present,) = struct.unpack_from("<I", body, at)
            at += 4
            if present & _OBJECT_TYPE:
                object_type, at = _guid(body, at)
            if present & _INHERITED_TYPE:
                inherited_type, at = _guid(body, at)
    except struct.error as error:
        raise MalformedDescriptor("entry") from error
    return AccessEntry(
        effect=form.effect,
        conditional=form.conditional,
        flags=flags,
        mask=mask,
        trustee=_sid(body, at)[0],
        object_type=object_type,
        inherited_type=inherited_type,
    )


def _guid(body: bytes, at: int) -> tuple[UUID, int]:
    (raw,) = struct.unpack_from("16s", body, at)
    return UUID(bytes_le=raw), at + 16

"""What somebody may really do to an object of the directory, by its descriptor. Pure.

The access check of MS-ADTS 5.1.3.3, one bit at a time: entries in their order, the
first that speaks of the bit decides. A condition is not evaluated: what depends on one
is `UNKNOWN`, which is neither a proof that the right is there nor that it is not.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from kiosk.directory.delegation import Access
from kiosk.directory.descriptor import AccessEntry, Descriptor, Effect

SELF = "S-1-5-10"
"""Stands for the object itself, where that is somebody."""
OWNER_RIGHTS = "S-1-3-4"
"""Stands for the owner, and takes the place of what an owner may anyhow."""
WELL_KNOWN = frozenset({"S-1-1-0", "S-1-5-2", "S-1-5-11", "S-1-5-15"})
"""Everyone, Network, Authenticated Users, This Organization: in every token here."""

_GENERIC = {
    0x10000000: 0xF01FF,  # all
    0x20000000: 0x20004,  # execute
    0x40000000: 0x20028,  # write
    0x80000000: 0x20094,  # read
}
"""What the generic bits mean on a directory object (MS-ADTS 5.1.3.2)."""
_OWNERS = Access.READ_CONTROL | Access.WRITE_DACL


class RightsVerdict(StrEnum):
    """Whether somebody may."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class TokenHolder:
    """Somebody with a token, looking at one object."""

    token: frozenset[str]
    """The SIDs of the user and of every group, nested ones too."""
    object_sid: str = ""
    """The object's own SID, if it is somebody; empty: it is not."""

    def is_meant(self, entry: AccessEntry, owner: str) -> bool:
        """Say whether an entry speaks of this caller."""
        if entry.trustee == SELF:
            return self.object_sid in self.token
        if entry.trustee == OWNER_RIGHTS:
            return owner in self.token
        return entry.trustee in self.token


def specific(mask: int) -> int:
    """Return a mask with its generic bits spelled out."""
    for generic, meant in _GENERIC.items():
        if mask & generic:
            mask |= meant
    return mask


def may(
    descriptor: Descriptor,
    caller: TokenHolder,
    access: Access,
    objects: frozenset[UUID] = frozenset(),
) -> RightsVerdict:
    """Say whether the caller has one bit of access.

    `objects`: what it is for: a property with its set and its class, an extended right,
    a class of child; empty: for everything that there is.
    """
    if not descriptor.has_dacl:
        return RightsVerdict.UNKNOWN
    if descriptor.dacl is None:
        return RightsVerdict.YES
    is_owner = descriptor.owner in caller.token
    if access & _OWNERS and is_owner and not _limits_owners(descriptor.dacl):
        return RightsVerdict.YES
    verdict = _by_entries(_about(descriptor, caller, access, objects))
    if verdict is RightsVerdict.NO and access & _OWNERS and not descriptor.owner:
        return RightsVerdict.UNKNOWN
    return verdict


def kinds(
    descriptor: Descriptor, caller: TokenHolder, access: Access
) -> dict[UUID | None, RightsVerdict]:
    """Return for which properties, rights or classes the caller may, or perhaps may.

    None: for each of them.
    """
    if not descriptor.has_dacl or descriptor.dacl is None:
        return {None: may(descriptor, caller, access)}
    named = {
        entry.object_type
        for entry in descriptor.dacl
        if entry.is_effective
        and entry.effect is not Effect.DENY
        and (
            entry.effect is Effect.UNKNOWN
            or (
                specific(entry.mask) & access
                and caller.is_meant(entry, descriptor.owner)
            )
        )
    }
    judged = {
        kind: may(
            descriptor,
            caller,
            access,
            frozenset() if kind is None else frozenset({kind}),
        )
        for kind in named
    }
    return {kind: said for kind, said in judged.items() if said is not RightsVerdict.NO}


def _limits_owners(dacl: tuple[AccessEntry, ...]) -> bool:
    return any(entry.is_effective and entry.trustee == OWNER_RIGHTS for entry in dacl)


def _about(
    descriptor: Descriptor,
    caller: TokenHolder,
    access: Access,
    objects: frozenset[UUID],
) -> Iterator[AccessEntry]:
    """Yield the entries that speak of this caller, bit and object, in their order."""
    for entry in descriptor.dacl or ():
        if not entry.is_effective or entry.effect is Effect.NONE:
            continue
        if entry.effect is Effect.UNKNOWN:
            yield entry
            continue
        if entry.object_type is not None and entry.object_type not in objects:
            continue
        if specific(entry.mask) & access and caller.is_meant(entry, descriptor.owner):
            yield entry


def _by_entries(entries: Iterator[AccessEntry]) -> RightsVerdict:
    """Let the first certain entry decide; uncertain ones before it leave a doubt."""
    could: set[RightsVerdict] = set()
    for entry in entries:
        if entry.effect is Effect.UNKNOWN:
            could |= {RightsVerdict.YES, RightsVerdict.NO}
            continue
        says = RightsVerdict.YES if entry.effect is Effect.ALLOW else RightsVerdict.NO
        if not entry.conditional:
            return says if could <= {says} else RightsVerdict.UNKNOWN
        could.add(says)
    return RightsVerdict.NO if could <= {RightsVerdict.NO} else RightsVerdict.UNKNOWN

"""What a descriptor gives to the service account, in words. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from kiosk.directory import delegation as rights
from kiosk.directory.delegation import Access, Right
from kiosk.directory.descriptor import Descriptor, Effect, Inheritance
from kiosk.directory.effective_rights import (
    RightsVerdict,
    TokenHolder,
    kinds,
    may,
    specific,
)

_ON_THE_OBJECT = {
    Access.WRITE_DACL: "change permissions",
    Access.WRITE_OWNER: "take ownership",
    Access.DELETE: "delete it",
    Access.DELETE_TREE: "delete all below",
}
_OF_A_KIND = {
    Access.CREATE_CHILD: "create objects",
    Access.DELETE_CHILD: "delete objects",
    Access.WRITE_PROPERTY: "write",
    Access.CONTROL: "extended right",
    Access.SELF: "validated write",
}
_NAMED = (
    *rights.NEEDED,
    rights.ACCOUNT_CONTROL,
    rights.SERVICE_NAMES,
    rights.KEY_CREDENTIALS,
    rights.CHANGE_PASSWORD,
    rights.MEMBER,
    *rights.REPLICATION,
)
_NAMES = {
    **{right.guid: right.name for right in _NAMED},
    rights.ACCOUNT_RESTRICTIONS: "User-Account-Restrictions",
    rights.PUBLIC_INFORMATION: "Public-Information",
}
_NOT_ON_ITSELF = (
    *rights.NEEDED,
    rights.ACCOUNT_CONTROL,
    rights.SERVICE_NAMES,
    rights.KEY_CREDENTIALS,
)
"""What would let the account change what it is; a telephone number may be its own."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What the account may do to one object, in words: certainly, and perhaps."""

    certainly: tuple[str, ...]
    perhaps: tuple[str, ...]


def needed(descriptor: Descriptor, caller: TokenHolder) -> Judged:
    """Judge the rights that the account must have on a user, by their names."""
    return _judged(
        {
            right.name: may(descriptor, caller, right.access, right.objects)
            for right in rights.NEEDED
        }
    )


def readable(descriptor: Descriptor, caller: TokenHolder) -> Judged:
    """Judge what must be read of a user, by the attributes' names."""
    return _judged(
        {
            right.name: may(descriptor, caller, right.access, right.objects)
            for right in rights.TO_READ
        }
    )


def besides(
    descriptor: Descriptor, caller: TokenHolder, spared: frozenset[Right] = frozenset()
) -> Judged:
    """Judge everything that could change an object, except the rights in `spared`."""
    verdicts = _object_verdicts(descriptor, caller)
    for access in _OF_A_KIND:
        verdicts |= _kind_verdicts(descriptor, caller, access, spared)
    return _judged(verdicts)


def on_itself(descriptor: Descriptor, caller: TokenHolder) -> Judged:
    """Judge what would let the account raise itself."""
    verdicts = _object_verdicts(descriptor, caller)
    for right in _NOT_ON_ITSELF:
        said = may(descriptor, caller, right.access, right.objects)
        verdicts[_spelled(right.access, right.guid)] = said
    return _judged(verdicts)


def on_domain(descriptor: Descriptor, caller: TokenHolder) -> Judged:
    """Judge what would make the account a master of the domain.

    A few extended rights of the head belong to everybody, so only those by which a
    controller copies another's secrets count: any of them is one too many.
    """
    verdicts = _object_verdicts(descriptor, caller)
    for access in (Access.CREATE_CHILD, Access.DELETE_CHILD, Access.WRITE_PROPERTY):
        verdicts |= _kind_verdicts(descriptor, caller, access, frozenset())
    for right in rights.REPLICATION:
        said = may(descriptor, caller, right.access, right.objects)
        verdicts[_spelled(right.access, right.guid)] = said
    return _judged(verdicts)


def handed_down(descriptor: Descriptor, caller: TokenHolder) -> tuple[str, ...]:
    """Return what a unit gives the account on objects below beyond the delegation.

    Those may be of any class, so entries are taken by themselves: one that another
    denies counts, too.
    """
    return tuple(dict.fromkeys(_handed_down(descriptor, caller)))


def _handed_down(descriptor: Descriptor, caller: TokenHolder) -> Iterator[str]:
    wanted = {(right.access, right.guid, rights.USER) for right in rights.NEEDED}
    for entry in descriptor.dacl or ():
        if entry.effect is not Effect.ALLOW or entry.trustee not in caller.token:
            continue
        if not entry.flags & Inheritance.INHERIT_ONLY:
            continue  # holds for the unit itself, and is judged there
        mask = specific(entry.mask)
        if (mask, entry.object_type, entry.inherited_type) in wanted:
            continue
        for access in (*_ON_THE_OBJECT, *_OF_A_KIND):
            if mask & access:
                yield _spelled(access, entry.object_type)


def _object_verdicts(
    descriptor: Descriptor, caller: TokenHolder
) -> dict[str, RightsVerdict]:
    return {
        words: may(descriptor, caller, access)
        for access, words in _ON_THE_OBJECT.items()
    }


def _kind_verdicts(
    descriptor: Descriptor,
    caller: TokenHolder,
    access: Access,
    spared: frozenset[Right],
) -> dict[str, RightsVerdict]:
    kept = {right.guid for right in spared if right.access == access}
    return {
        _spelled(access, kind): verdict
        for kind, verdict in kinds(descriptor, caller, access).items()
        if kind not in kept
    }


def _judged(verdicts: dict[str, RightsVerdict]) -> Judged:
    return Judged(
        tuple(words for words, said in verdicts.items() if said is RightsVerdict.YES),
        tuple(
            words for words, said in verdicts.items() if said is RightsVerdict.UNKNOWN
        ),
    )


def _spelled(access: Access, kind: UUID | None) -> str:
    if access in _ON_THE_OBJECT:
        return _ON_THE_OBJECT[access]
    what = "of every kind" if kind is None else _NAMES.get(kind, str(kind))
    return f"{_OF_A_KIND[access]} {what}"

"""An attribute that is absent, and one that may not be read, look the same: told apart.

By the user's own descriptor, which came with the rest. What it does not say for certain
is taken for hidden: who may be an administrator is not touched.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from kiosk.directory.delegation import MUST_BE_READ, NAMES_IN_CERTIFICATES
from kiosk.directory.descriptor import Descriptor, MalformedDescriptor, parse, sid_text
from kiosk.directory.effective_rights import WELL_KNOWN, RightsVerdict, TokenHolder, may
from kiosk.directory.ldap.accounts import Unjudgeable
from kiosk.directory.ldap.many_reads import Entry

_RIGHTS = {right.name: right for right in (*MUST_BE_READ, *NAMES_IN_CERTIFICATES)}


def token_of(sids: Iterable[bytes]) -> frozenset[str]:
    """Return a token's SIDs as text, with those that every token here has."""
    found = set(WELL_KNOWN)
    for sid in sids:
        try:
            found.add(sid_text(sid))
        except MalformedDescriptor:
            continue
    return frozenset(found)


def must_be_readable(entry: Entry, token: frozenset[str], attribute: str) -> None:
    """Make sure that an absent attribute is not a hidden one. Unjudgeable."""
    right = _RIGHTS[attribute]
    try:
        descriptor = _parsed(_first(entry, "nTSecurityDescriptor"))
        caller = TokenHolder(token, sid_text(_first(entry, "objectSid")))
    except MalformedDescriptor as error:
        raise Unjudgeable(attribute) from error
    if may(descriptor, caller, right.access, right.objects) is not RightsVerdict.YES:
        raise Unjudgeable(attribute)


@lru_cache(maxsize=64)
def _parsed(descriptor: bytes) -> Descriptor:
    """Read a descriptor: those of one unit are alike. Malformed."""
    return parse(descriptor)


def _first(entry: Entry, name: str) -> bytes:
    values = entry.get(name, ())
    return values[0] if values else b""

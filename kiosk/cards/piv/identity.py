"""Which card this is: what a PIV card is told by, in order of preference.

A YubiKey's serial number; else the GUID of the CHUID; else a federal FASC-N; else
the SHA-256 of the authentication key. All of it is public and proves nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import suppress

from kiosk.cards.errors import UNUSABLE
from kiosk.cards.piv import objects
from kiosk.cards.piv.application import PivApplication
from kiosk.cards.piv.keys import key_of_certificate
from kiosk.cards.values import CardIdentity, Family, IdentityKind, KeySlot


def identify(application: PivApplication) -> CardIdentity:
    """Return the best identity the card has.

    With neither number nor label, its authentication key decides, and what keeps that
    from being read is what is wrong: one of `ports.UNUSABLE`.
    """
    by_serial = _by_serial(application) if application.may_be_yubikey else None
    return by_serial or next(_by_chuid(application), None) or _by_key(application)


def others(application: PivApplication, first: CardIdentity) -> list[CardIdentity]:
    """Return every further identity the card has, in order of preference.

    What it has not, or what means nothing, is left out.
    """
    found: list[CardIdentity] = []
    for ask in (_each_serial, _by_chuid, _each_key):
        with suppress(*UNUSABLE):
            found += ask(application)
    return [identity for identity in found if identity != first]


def is_same(application: PivApplication, known: CardIdentity) -> bool:
    """Say whether this is the known card, in one APDU where that is possible."""
    match known.kind:
        case IdentityKind.SERIAL:
            ask = _each_serial
        case IdentityKind.GUID | IdentityKind.FASC_N:
            ask = _by_chuid
        case IdentityKind.KEY:
            ask = _each_key
        case IdentityKind.CARD_ID:
            return False
    try:
        return known in ask(application)
    except UNUSABLE:
        return False


def _by_serial(application: PivApplication) -> CardIdentity | None:
    """A number of zero is none."""
    serial = application.serial()
    if serial is None or not any(serial):
        return None
    return CardIdentity(Family.PIV, IdentityKind.SERIAL, serial)


def _each_serial(application: PivApplication) -> Iterator[CardIdentity]:
    found = _by_serial(application)
    if found is not None:
        yield found


def _by_chuid(application: PivApplication) -> Iterator[CardIdentity]:
    chuid = application.optional.read(
        "CHUID", lambda: objects.read_chuid(application.object(objects.CHUID, "CHUID"))
    )
    if chuid is None:
        return
    if chuid.has_guid:
        yield CardIdentity(Family.PIV, IdentityKind.GUID, chuid.guid)
    if chuid.is_federal:
        yield CardIdentity(Family.PIV, IdentityKind.FASC_N, chuid.fasc_n)


def _each_key(application: PivApplication) -> Iterator[CardIdentity]:
    yield _by_key(application)


def _by_key(application: PivApplication) -> CardIdentity:
    spki = key_of_certificate(application.certificate(KeySlot.AUTHENTICATION))
    digest = hashlib.sha256(spki).digest()
    return CardIdentity(Family.PIV, IdentityKind.KEY, digest)

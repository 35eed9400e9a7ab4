"""Which card this is: what a PIV card is told by, in order of preference.

A YubiKey's serial number; else the GUID of the CHUID; else a federal FASC-N; else
the SHA-256 of the authentication key. All of it is public and proves nothing.
"""

from __future__ import annotations

import hashlib

from kiosk.cards.piv import objects
from kiosk.cards.piv.application import PivApplication
from kiosk.cards.piv.keys import key_of_certificate
from kiosk.cards.ports import (
    CardIdentity,
    Family,
    IdentityKind,
    KeySlot,
    ObjectMissing,
)


def identify(application: PivApplication) -> CardIdentity:
    """Return the best identity the card has. ObjectMissing: it has none at all."""
    serial = application.serial()
    if serial is not None:
        return CardIdentity(Family.PIV, IdentityKind.SERIAL, serial)
    return _by_chuid(application) or _by_key(application)


def is_same(application: PivApplication, known: CardIdentity) -> bool:
    """Say whether this is the known card, in one APDU where that is possible."""
    try:
        return _of_kind(application, known.kind) == known
    except ObjectMissing:
        return False


def _of_kind(application: PivApplication, kind: IdentityKind) -> CardIdentity | None:
    match kind:
        case IdentityKind.SERIAL:
            return CardIdentity(Family.PIV, kind, application.serial() or b"")
        case IdentityKind.KEY:
            return _by_key(application)
        case IdentityKind.GUID | IdentityKind.FASC_N:
            return _by_chuid(application)
        case IdentityKind.CARD_ID:
            return None


def _by_chuid(application: PivApplication) -> CardIdentity | None:
    try:
        chuid = objects.read_chuid(application.object(objects.CHUID, "CHUID"))
    except ObjectMissing:
        return None
    if any(chuid.guid):
        return CardIdentity(Family.PIV, IdentityKind.GUID, chuid.guid)
    if chuid.is_federal:
        return CardIdentity(Family.PIV, IdentityKind.FASC_N, chuid.fasc_n)
    return None


def _by_key(application: PivApplication) -> CardIdentity:
    spki = key_of_certificate(application.certificate(KeySlot.AUTHENTICATION))
    digest = hashlib.sha256(spki).digest()
    return CardIdentity(Family.PIV, IdentityKind.KEY, digest)

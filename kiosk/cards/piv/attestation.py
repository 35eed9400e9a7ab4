"""A YubiKey's word about a key: made on this very device, never outside (INS F9).

The card signs an X.509 statement about the key in a slot with a key of its maker's,
whose certificate lies in an object of the card. Who believes that maker decides what
both are worth.
"""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.cards import status
from kiosk.cards.apdu import Command
from kiosk.cards.piv import objects, refusals
from kiosk.cards.piv.application import PivApplication
from kiosk.cards.values import KeySlot

CERTIFICATE = 0x5FFF01
"""The object with the certificate of key F9."""
INS = 0xF9


@dataclass(frozen=True, slots=True)
class Attestation:
    """Two DER certificates: what is stated, and of the key that states it."""

    statement: bytes
    maker: bytes


def attest(application: PivApplication, slot: KeySlot) -> Attestation | None:
    """Return what the card states about a key that it has made; None: no YubiKey.

    ObjectMissing, MalformedAnswer; UnexpectedStatus for a key that was imported, and
    for none.
    """
    response = application.send(Command(INS, int(slot, 16), 0x00, le=0))
    if response.sw in status.INCAPABLE:
        return None
    statement = refusals.must_be_ok(response, INS).data
    held = application.object(CERTIFICATE, "attestation certificate")
    return Attestation(statement, objects.read_certificate(held))

"""Was the key really made on this card? A YubiKey's attestation, judged.

The statement about a slot is signed by the card's own attestation key (F9), and that
by the maker, whom the site trusts or does not. It tells serial number, firmware and the
key's policies. Dates are not looked at: a key does not stop having been made on a card.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.x509.oid import ObjectIdentifier

from kiosk.cards import tlv
from kiosk.cards.errors import MalformedAnswer
from kiosk.cards.piv.attestation import Attestation
from kiosk.cards.values import CardIdentity, Family, IdentityKind, KeySlot
from kiosk.certificates.card_certificates import (
    UNREADABLE,
    UnreadableCertificate,
    key_of,
    read,
)
from kiosk.certificates.ports import (
    Answer,
    CertificateRequest,
    CertificateSource,
)
from kiosk.core.errors import KioskError

_YUBICO = "1.3.6.1.4.1.41482.3"
FIRMWARE, SERIAL, POLICIES = (
    ObjectIdentifier(f"{_YUBICO}.{last}") for last in (3, 7, 8)
)
_SERIAL_BYTES = 4
_INTEGER = 0x02


class AttestedPinPolicy(IntEnum):
    """When a key wants the PIN."""

    NEVER = 1
    ONCE = 2
    ALWAYS = 3
    MATCH_ONCE = 4
    """A finger once (Bio keys)."""
    MATCH_ALWAYS = 5


class NotAttested(KioskError):
    """The card does not tell where its keys were made, and this site wants to know."""

    code = "enrollment.not_attested"


class AttestationWrong(KioskError):
    """Root of what is wrong with an attestation; itself: it cannot be read."""

    code = "enrollment.attestation_unreadable"


class MakerNotTrusted(AttestationWrong):
    """No maker whom this site trusts stands behind the statement."""

    code = "enrollment.maker_not_trusted"


class AttestsAnotherKey(AttestationWrong):
    """The statement is about another key than the one in the slot: `slot`."""

    code = "enrollment.attests_another_key"


class AttestsAnotherCard(AttestationWrong):
    """The statement is about another card: `serial` (what it says)."""

    code = "enrollment.attests_another_card"


class KeyWithoutPin(AttestationWrong):
    """The key signs for its holder without asking for the PIN: `slot`."""

    code = "enrollment.key_without_pin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attested:
    """What a trusted maker's card states about a key."""

    serial: int
    firmware: tuple[int, int, int]
    pin_policy: AttestedPinPolicy
    touch_policy: int
    """1 never, 2 always, 3 cached for 15 s."""


def judge(
    attestation: Attestation,
    request: CertificateRequest,
    roots: Sequence[x509.Certificate],
) -> Attested:
    """Return what is stated, if it is about this key on this card. AttestationWrong.

    `roots` are the makers' certificates that the site trusts, each for what it has
    signed directly: roots and, where a maker has some, intermediate ones.
    """
    try:
        statement, maker = read(attestation.statement), read(attestation.maker)
        is_own_key = key_of(statement) == request.spki
        told = _told(statement)
    except (UnreadableCertificate, MalformedAnswer, *UNREADABLE) as error:
        raise AttestationWrong from error
    if not any(_signed(maker, root) for root in roots) or not _signed(statement, maker):
        raise MakerNotTrusted
    if not is_own_key:
        raise AttestsAnotherKey(slot=request.slot)
    if _card(told.serial) != request.card:
        raise AttestsAnotherCard(serial=told.serial)
    is_holders = request.slot is KeySlot.AUTHENTICATION
    if is_holders and told.pin_policy is AttestedPinPolicy.NEVER:
        raise KeyWithoutPin(slot=request.slot)
    return told


class AttestedOnly:
    """A `CertificateSource` that certifies only what a card's maker vouches for."""

    wants_attestation = True

    def __init__(
        self,
        source: CertificateSource,
        roots: Sequence[x509.Certificate],
        *,
        required: bool,
    ) -> None:
        """`required`: a card that attests nothing gets no certificate."""
        self._source = source
        self._roots = roots
        self._required = required

    @property
    def days(self) -> int:
        return self._source.days

    def obtain(self, request: CertificateRequest, *, now: float) -> Answer:
        """As the source. NotAttested, AttestationWrong."""
        if request.attestation is not None:
            judge(request.attestation, request, self._roots)
        elif self._required:
            raise NotAttested
        return self._source.obtain(request, now=now)

    def waiting(self, card: str) -> Sequence[CertificateRequest]:
        return self._source.waiting(card)

    def forget(self, card: str) -> None:
        self._source.forget(card)


def _signed(certificate: x509.Certificate, by: x509.Certificate) -> bool:
    """Say whether an authority signed it, names and signature."""
    try:
        basic = by.extensions.get_extension_for_class(x509.BasicConstraints)
        certificate.verify_directly_issued_by(by)
    except (x509.ExtensionNotFound, InvalidSignature, TypeError, *UNREADABLE):
        return False
    return basic.value.ca


def _told(statement: x509.Certificate) -> Attested:
    """Read Yubico's extensions: their values are raw but for the serial number."""
    raw = {
        each.oid: each.value.value
        for each in statement.extensions
        if isinstance(each.value, x509.UnrecognizedExtension)
    }
    try:
        major, minor, patch = raw[FIRMWARE]
        pin, touch = raw[POLICIES]
        serial = tlv.need(raw[SERIAL], _INTEGER, "attested serial number")
        return Attested(
            serial=int.from_bytes(serial, "big"),
            firmware=(major, minor, patch),
            pin_policy=AttestedPinPolicy(pin),
            touch_policy=touch,
        )
    except KeyError as error:
        raise ValueError(str(error)) from error


def _card(serial: int) -> str:
    """Return the registry's key of the YubiKey with a serial number."""
    try:
        value = serial.to_bytes(_SERIAL_BYTES, "big")
    except OverflowError:
        return ""
    return CardIdentity(Family.PIV, IdentityKind.SERIAL, value).key

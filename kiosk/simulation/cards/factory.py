"""Personalised simulated cards in one call, with what the registry needs of them."""

from __future__ import annotations

import datetime
import functools
import hashlib
from dataclasses import dataclass
from typing import Generic, TypeVar

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from kiosk.cards.piv import objects
from kiosk.cards.values import CardIdentity, Family, IdentityKind, KeyAlgorithm
from kiosk.core.clock import Clock
from kiosk.core.entropy import Entropy, SeededEntropy
from kiosk.simulation.cards.keys import SigningKey, known_rsa, on_curve
from kiosk.simulation.cards.options import PivOptions
from kiosk.simulation.cards.piv import SimulatedPivCard

C = TypeVar("C")
"""The simulated card."""
_SLOTS = {
    "9A": (0x9A, objects.CERTIFICATE_9A),
    "9E": (0x9E, objects.CERTIFICATE_9E),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyMade:
    """A key on the new card: DER SubjectPublicKeyInfo and certificate."""

    algorithm: KeyAlgorithm
    spki: bytes
    certificate: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Made(Generic[C]):
    """A card, and what its issuer would put on record."""

    card: C
    identity: CardIdentity
    authentication: KeyMade
    card_authentication: KeyMade | None


MadeCard = Made[SimulatedPivCard]
"""Most cards here are PIV cards."""


def make_card(
    entropy: Entropy,
    *,
    subject: str,
    pin: bytes,
    puk: bytes,
    algorithm: KeyAlgorithm = KeyAlgorithm.P256,
    options: PivOptions | None = None,
    guid: bytes = b"",
    with_card_authentication: bool = True,
    with_old_certificate: bool = False,
    clock: Clock | None = None,
) -> MadeCard:
    """Make a card with keys, certificates, CHUID and CCC.

    `guid` is 16 bytes (random when empty). `with_old_certificate`: key and certificate
    of 9A lie in 9D once more, so that programs which number certificates by their key
    (CKA_ID) see one number twice. RSA keys are made once per process and
    shared: they are for protocol work only.
    """
    card = SimulatedPivCard(
        entropy=entropy, options=options, pin=pin, puk=puk, clock=clock
    )
    guid = guid or entropy.bytes(16)
    card.objects[objects.CHUID] = objects.write_chuid(guid)
    card.objects[objects.CCC] = objects.write_ccc(entropy.bytes(14))
    key = _private_key(algorithm, entropy)
    authentication = _put(card, "9A", key, algorithm, subject)
    if with_old_certificate:
        card.keys[0x9D] = key
        old = key_of(key, algorithm, f"{subject} (old)").certificate
        card.objects[objects.CERTIFICATE_9D] = objects.write_certificate(old)
    proving = None
    if with_card_authentication:
        p256 = KeyAlgorithm.P256
        proving = _put(card, "9E", _private_key(p256, entropy), p256, subject)
    kind, value = IdentityKind.GUID, guid
    if card.options.serial:
        kind, value = IdentityKind.SERIAL, card.options.serial
    return Made(
        card=card,
        identity=CardIdentity(Family.PIV, kind, value),
        authentication=authentication,
        card_authentication=proving,
    )


def _put(
    card: SimulatedPivCard,
    slot: str,
    key: SigningKey,
    algorithm: KeyAlgorithm,
    subject: str,
) -> KeyMade:
    reference, container = _SLOTS[slot]
    card.keys[reference] = key
    made = key_of(key, algorithm, subject)
    card.objects[container] = objects.write_certificate(made.certificate)
    return made


@functools.lru_cache(maxsize=256)
def key_of(key: SigningKey, algorithm: KeyAlgorithm, subject: str) -> KeyMade:
    """Return what goes on record of a key, with a certificate that trusts itself."""
    spki = key.public_key().public_bytes(
        Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    )
    return KeyMade(
        algorithm=algorithm, spki=spki, certificate=_certificate(key, subject)
    )


def _private_key(algorithm: KeyAlgorithm, entropy: Entropy) -> SigningKey:
    match algorithm:
        case KeyAlgorithm.P256:
            return on_curve(ec.SECP256R1(), entropy)
        case KeyAlgorithm.P384:
            return on_curve(ec.SECP384R1(), entropy)
        case KeyAlgorithm.ED25519:
            return ed25519.Ed25519PrivateKey.from_private_bytes(entropy.bytes(32))
        case _:
            return shared_rsa(int(algorithm.removeprefix("RSA-")), entropy)


def shared_rsa(bits: int, entropy: Entropy) -> rsa.RSAPrivateKey:
    """Return the key of that size which all cards share.

    Where a seed rules, it is the same in every process.
    """
    if isinstance(entropy, SeededEntropy):
        return _known_rsa(bits)
    return rsa_key(bits)


_known_rsa = functools.cache(known_rsa)


@functools.cache
def rsa_key(bits: int) -> rsa.RSAPrivateKey:
    """Return the key of that size which all cards of this process share."""
    return rsa.generate_private_key(65537, bits)


def _certificate(key: SigningKey, subject: str) -> bytes:
    """A self-signed certificate: enough to be read, trusted by nobody."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject[:64])])
    start = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(_serial(key, subject))
        .not_valid_before(start)
        .not_valid_after(start + datetime.timedelta(days=3650))
    )
    digest = None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    is_ecdsa = isinstance(key, ec.EllipticCurvePrivateKey) or None
    made = builder.sign(key, digest, ecdsa_deterministic=is_ecdsa)
    return made.public_bytes(Encoding.DER)


def _serial(key: SigningKey, subject: str) -> int:
    """Return a serial number that no other certificate has."""
    public = key.public_key().public_bytes(
        Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    )
    named = hashlib.sha256(public + subject.encode()).digest()
    return int.from_bytes(named[:16], "big") or 1

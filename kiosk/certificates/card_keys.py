"""A card's key as it goes on record: what it signs with, read from the key itself."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    load_der_public_key,
)
from cryptography.x509 import Certificate

from kiosk.cards.errors import NotSupported
from kiosk.cards.values import KeyAlgorithm, KeySlot
from kiosk.certificates import card_certificates
from storage.records import PublicKey


def public_key(spki: bytes, slot: KeySlot, certificate: bytes) -> PublicKey:
    """Return a record of a key (DER SubjectPublicKeyInfo). NotSupported."""
    return PublicKey(
        slot=slot, algorithm=algorithm(spki), spki=spki, certificate=certificate
    )


def key_of(certificate: Certificate, slot: KeySlot) -> PublicKey:
    """Return a record of a certificate's key. NotSupported, UnreadableCertificate."""
    spki = card_certificates.key_of(certificate)
    return public_key(spki, slot, certificate.public_bytes(Encoding.DER))


def algorithm(spki: bytes) -> KeyAlgorithm:
    """Return which algorithm a key signs with. NotSupported."""
    match load_der_public_key(spki):
        case rsa.RSAPublicKey(key_size=(2048 | 3072 | 4096) as bits):
            return KeyAlgorithm(f"RSA-{bits}")
        case ec.EllipticCurvePublicKey(curve=ec.SECP256R1()):
            return KeyAlgorithm.P256
        case ec.EllipticCurvePublicKey(curve=ec.SECP384R1()):
            return KeyAlgorithm.P384
        case ed25519.Ed25519PublicKey():
            return KeyAlgorithm.ED25519
        case other:
            raise NotSupported(what=_name_of(other))


def _name_of(key: object) -> str:
    """Say which kind of key that is, for those who have to get another one."""
    match key:
        case rsa.RSAPublicKey():
            return f"RSA-{key.key_size}"
        case ec.EllipticCurvePublicKey():
            return key.curve.name
    return type(key).__name__

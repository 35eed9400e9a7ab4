"""Public keys as cards show them, and as everybody else knows them (DER)."""

from __future__ import annotations

from kiosk.cards import tlv
from kiosk.cards.errors import MalformedAnswer
from kiosk.cards.values import KeyAlgorithm

_MODULUS, _EXPONENT, _POINT = 0x81, 0x82, 0x86
_NAME = "public key"


def key_of_certificate(certificate: bytes) -> bytes:
    """Return the DER SubjectPublicKeyInfo of a DER certificate. MalformedAnswer."""
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    try:
        key = x509.load_der_x509_certificate(certificate).public_key()
        return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except (ValueError, UnsupportedAlgorithm, x509.InvalidVersion) as error:
        raise MalformedAnswer(object="certificate", offset=0) from error


def key_of_answer(algorithm: KeyAlgorithm, value: bytes) -> bytes:
    """Return the DER SubjectPublicKeyInfo of what 7F49 holds. MalformedAnswer.

    The exponent may have leading zeros (SP 800-73-5 part 2, §3.3.2 leaves it open).
    """
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    key: rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey
    try:
        match algorithm:
            case KeyAlgorithm.P256 | KeyAlgorithm.P384:
                is_short = algorithm is KeyAlgorithm.P256
                curve = ec.SECP256R1() if is_short else ec.SECP384R1()
                point = tlv.need(value, _POINT, _NAME)
                key = ec.EllipticCurvePublicKey.from_encoded_point(curve, point)
            case KeyAlgorithm.ED25519:
                point = tlv.need(value, _POINT, _NAME)
                key = ed25519.Ed25519PublicKey.from_public_bytes(point)
            case _:
                modulus = int.from_bytes(tlv.need(value, _MODULUS, _NAME), "big")
                exponent = int.from_bytes(tlv.need(value, _EXPONENT, _NAME), "big")
                key = rsa.RSAPublicNumbers(exponent, modulus).public_key()
    except ValueError as error:
        raise MalformedAnswer(object=_NAME, offset=0) from error
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

"""What a simulated YubiKey states about its keys (INS F9), under a root of our own.

The root is made once per process: whoever shall believe it takes `root()`.
"""

from __future__ import annotations

import datetime
import functools
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID, ObjectIdentifier

from kiosk.simulation.cards.keys import PrivateKey

_YUBICO = "1.3.6.1.4.1.41482.3"
FIRMWARE, SERIAL, POLICIES = (
    ObjectIdentifier(f"{_YUBICO}.{last}") for last in (3, 7, 8)
)
_START = datetime.datetime(2016, 3, 14, tzinfo=datetime.UTC)
_END = datetime.datetime(2052, 4, 17, tzinfo=datetime.UTC)


@dataclass(frozen=True, slots=True)
class Maker:
    """A key that others are vouched for with, and its certificate."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate


@functools.cache
def _root() -> Maker:
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name("Simulated PIV Root CA")
    own = _builder(name, name, key.public_key())
    own = own.add_extension(x509.BasicConstraints(ca=True, path_length=1), True)  # noqa: FBT003 - critical
    return Maker(key, own.sign(key, hashes.SHA256()))


def root() -> x509.Certificate:
    """Return the certificate of the one who vouches for all simulated YubiKeys."""
    return _root().certificate


def new_maker() -> Maker:
    """Make the attestation key (F9) of one card, as the factory does."""
    key, above = ec.generate_private_key(ec.SECP256R1()), _root()
    name = _name("Simulated PIV Attestation")
    own = _builder(name, above.certificate.subject, key.public_key())
    own = own.add_extension(x509.BasicConstraints(ca=True, path_length=0), True)  # noqa: FBT003 - critical
    return Maker(key, own.sign(above.key, hashes.SHA256()))


def statement(
    maker: Maker, key: PrivateKey, slot: int, told: dict[ObjectIdentifier, bytes]
) -> bytes:
    """Return the DER statement about a key."""
    name = _name(f"Simulated PIV Attestation {slot:02x}")
    builder = _builder(name, maker.certificate.subject, key.public_key())
    for oid, value in told.items():
        builder = builder.add_extension(x509.UnrecognizedExtension(oid, value), False)  # noqa: FBT003 - not critical
    return builder.sign(maker.key, hashes.SHA256()).public_bytes(Encoding.DER)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: object
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)  # type: ignore[arg-type]  # a public key of one of our kinds
        .serial_number(x509.random_serial_number())
        .not_valid_before(_START)
        .not_valid_after(_END)
    )

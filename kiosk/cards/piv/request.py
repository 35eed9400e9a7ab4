"""A certificate request that the card signs itself (PKCS#10, RFC 2986)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kiosk.cards import tlv
from kiosk.cards.piv.personalise import NewKey
from kiosk.cards.ports import KeyAlgorithm

if TYPE_CHECKING:
    from cryptography import x509

_SEQUENCE, _INTEGER, _BIT_STRING, _OID, _NULL = 0x30, 0x02, 0x03, 0x06, 0x05
_ATTRIBUTES = 0xA0
_RSA_SHA256 = tlv.pack(_OID, bytes.fromhex("2A864886F70D01010B")) + tlv.pack(_NULL, b"")
_SIGNED_WITH = {
    KeyAlgorithm.P256: tlv.pack(_OID, bytes.fromhex("2A8648CE3D040302")),
    KeyAlgorithm.P384: tlv.pack(_OID, bytes.fromhex("2A8648CE3D040303")),
    KeyAlgorithm.ED25519: tlv.pack(_OID, bytes.fromhex("2B6570")),
}
"""Signature algorithms as `signing.to_sign` has them (RFC 5758, 8410, 4055)."""


def certificate_request(key: NewKey, subject: x509.Name) -> bytes:
    """Return the DER request for a key, for an issuer that wants one."""
    wanted = tlv.pack(
        _SEQUENCE,
        tlv.pack(_INTEGER, b"\x00")
        + subject.public_bytes()
        + key.spki
        + tlv.pack(_ATTRIBUTES, b""),
    )
    algorithm = tlv.pack(_SEQUENCE, _SIGNED_WITH.get(key.algorithm, _RSA_SHA256))
    signature = tlv.pack(_BIT_STRING, b"\x00" + key.sign(wanted))
    return tlv.pack(_SEQUENCE, wanted + algorithm + signature)

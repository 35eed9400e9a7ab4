"""A certificate request that the card signs itself (PKCS#10, RFC 2986)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from kiosk.cards import tlv
from kiosk.cards.new_keys import NewKey
from kiosk.cards.values import KeyAlgorithm

if TYPE_CHECKING:
    from cryptography import x509

_SEQUENCE, _INTEGER, _BIT_STRING, _OID, _NULL = 0x30, 0x02, 0x03, 0x06, 0x05
_OCTET_STRING, _SET, _BOOLEAN = 0x04, 0x31, 0x01
_ATTRIBUTES = 0xA0
_EXTENSION_REQUEST = tlv.pack(_OID, bytes.fromhex("2A864886F70D01090E"))
"""pkcs-9-at-extensionRequest (RFC 2985 §5.4.2)."""
_TRUE = tlv.pack(_BOOLEAN, b"\xff")
_RSA_SHA256 = tlv.pack(_OID, bytes.fromhex("2A864886F70D01010B")) + tlv.pack(_NULL, b"")
_SIGNED_WITH = {
    KeyAlgorithm.P256: tlv.pack(_OID, bytes.fromhex("2A8648CE3D040302")),
    KeyAlgorithm.P384: tlv.pack(_OID, bytes.fromhex("2A8648CE3D040303")),
    KeyAlgorithm.ED25519: tlv.pack(_OID, bytes.fromhex("2B6570")),
}
"""Signature algorithms as `signing.to_sign` has them (RFC 5758, 8410, 4055)."""


def certificate_request(
    key: NewKey,
    subject: x509.Name,
    extensions: Sequence[x509.Extension[x509.ExtensionType]] = (),
) -> bytes:
    """Return the DER request for a key, asking for these extensions.

    Calls `key.sign`, and raises what that raises.
    """
    wanted = tlv.pack(
        _SEQUENCE,
        tlv.pack(_INTEGER, b"\x00")
        + subject.public_bytes()
        + key.spki
        + tlv.pack(_ATTRIBUTES, _asked(extensions)),
    )
    algorithm = tlv.pack(_SEQUENCE, _SIGNED_WITH.get(key.algorithm, _RSA_SHA256))
    signature = tlv.pack(_BIT_STRING, b"\x00" + key.sign(wanted))
    return tlv.pack(_SEQUENCE, wanted + algorithm + signature)


def _asked(extensions: Sequence[x509.Extension[x509.ExtensionType]]) -> bytes:
    """Return the one attribute that carries the extensions, or nothing."""
    if not extensions:
        return b""
    listed = tlv.pack(_SEQUENCE, b"".join(_extension(each) for each in extensions))
    return tlv.pack(_SEQUENCE, _EXTENSION_REQUEST + tlv.pack(_SET, listed))


def _extension(extension: x509.Extension[x509.ExtensionType]) -> bytes:
    name = tlv.pack(_OID, _oid(extension.oid.dotted_string))
    value = tlv.pack(_OCTET_STRING, extension.value.public_bytes())
    return tlv.pack(_SEQUENCE, name + (_TRUE if extension.critical else b"") + value)


def _oid(dotted: str) -> bytes:
    """Encode an object identifier (X.690 §8.19)."""
    first, second, *rest = (int(part) for part in dotted.split("."))
    return b"".join(_base128(number) for number in (40 * first + second, *rest))


def _base128(number: int) -> bytes:
    digits = [number & 0x7F]
    while number := number >> 7:
        digits.append(0x80 | number & 0x7F)
    return bytes(reversed(digits))

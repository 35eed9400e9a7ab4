"""What the card is given to sign, and under which algorithm (SP 800-78-5).

The host builds the RSA block and the hashes: PKCS#1 v1.5 with SHA-256, ECDSA over
SHA-256 (P-256) or SHA-384 (P-384); Ed25519 takes the message itself.
"""

from __future__ import annotations

import hashlib

from kiosk.cards.values import KeyAlgorithm

_DIGEST_INFO_SHA256 = bytes.fromhex("3031300D060960864801650304020105000420")
_RSA_BYTES = {
    KeyAlgorithm.RSA_2048: 256,
    KeyAlgorithm.RSA_3072: 384,
    KeyAlgorithm.RSA_4096: 512,
}
IDENTIFIER = {
    KeyAlgorithm.RSA_2048: 0x07,
    KeyAlgorithm.RSA_3072: 0x05,
    KeyAlgorithm.RSA_4096: 0x16,
    KeyAlgorithm.P256: 0x11,
    KeyAlgorithm.P384: 0x14,
    KeyAlgorithm.ED25519: 0xE0,
}
"""The algorithm's identifier in P1 of GENERAL AUTHENTICATE (16, E0: YubiKey)."""


def to_sign(algorithm: KeyAlgorithm, message: bytes) -> bytes:
    """Return the bytes of tag 81 for `message`."""
    match algorithm:
        case KeyAlgorithm.P256:
            return hashlib.sha256(message).digest()
        case KeyAlgorithm.P384:
            return hashlib.sha384(message).digest()
        case KeyAlgorithm.ED25519:
            return message
        case _:
            return _pkcs1_block(_RSA_BYTES[algorithm], message)


def _pkcs1_block(size: int, message: bytes) -> bytes:
    """EMSA-PKCS1-v1_5 (RFC 8017 §9.2)."""
    info = _DIGEST_INFO_SHA256 + hashlib.sha256(message).digest()
    return b"\x00\x01" + b"\xff" * (size - len(info) - 3) + b"\x00" + info

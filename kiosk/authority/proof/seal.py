"""The new password on its way: sealed to the authority before anything is signed.

HPKE in base mode (RFC 9180) with X25519, HKDF-SHA256 and AES-256-GCM. The card
signs SHA-256 of the sealed bytes, so the authority can only write the value that
was signed for, and nothing derived from a short PIN alone is ever stored or sent.
`info` binds the sealed bytes to one operation.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import (
    X25519PrivateKey,
    X25519PublicKey,
)
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from kiosk.authority.errors import ProofFailed
from kiosk.core.entropy import Entropy, SystemEntropy
from kiosk.core.secret import Secret

_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
_KEY_BYTES = 32
_SYSTEM = SystemEntropy()
_INFO = b"pin-kiosk sealed password v1\0"

Encrypt = Callable[[bytes | bytearray, bytes, bytes], bytes]
"""Encrypts to a raw public key for what `info` says: plain text, key, info."""


def hpke(plain: bytes | bytearray, public_key: bytes, info: bytes) -> bytes:
    """Encrypt with an ephemeral key of the library's. ValueError."""
    recipient = X25519PublicKey.from_public_bytes(public_key)
    return _SUITE.encrypt(plain, recipient, info=info)


def seal(
    value: Secret, *, public_key: bytes, operation: str, encrypt: Encrypt = hpke
) -> bytes:
    """Seal `value` to a raw X25519 public key (32 bytes) for one operation."""
    return encrypt(value.reveal(), public_key, _info(operation))


def sealed_for(value: Secret, *, public_key: bytes, info: bytes) -> bytes:
    """Seal `value` to a raw X25519 public key for what `info` says. ValueError."""
    return hpke(value.reveal(), public_key, info)


def digest(sealed: bytes) -> bytes:
    """Return what the statement covers: SHA-256 of the sealed bytes (32 bytes)."""
    return hashlib.sha256(sealed).digest()


def _info(operation: str) -> bytes:
    return _INFO + operation.encode()


class SealingKey:
    """The authority's key for one process lifetime; never leaves the process."""

    __slots__ = ("_private", "id", "public")

    def __init__(self, entropy: Entropy = _SYSTEM) -> None:
        """Make a new key; `public` is raw (32 bytes), `id` names it (16 hex)."""
        self._private = X25519PrivateKey.from_private_bytes(entropy.bytes(_KEY_BYTES))
        self.public = self._private.public_key().public_bytes_raw()
        self.id = hashlib.sha256(self.public).hexdigest()[:16]

    def open(self, sealed: bytes, *, operation: str) -> Secret:
        """Return the sealed value; ProofFailed if it is not for us and this."""
        return self.open_for(sealed, info=_info(operation))

    def open_for(self, sealed: bytes, *, info: bytes) -> Secret:
        """Return what `sealed_for` sealed; ProofFailed if it is not for us and this."""
        try:
            plain = bytearray(_SUITE.decrypt(sealed, self._private, info=info))
        except (InvalidTag, ValueError) as error:
            raise ProofFailed from error
        try:
            return Secret(plain)
        finally:
            for index in range(len(plain)):
                plain[index] = 0

"""The new password on its way: sealed to the authority before anything is signed.

HPKE in base mode (RFC 9180) with X25519, HKDF-SHA256 and AES-256-GCM. The card
signs SHA-256 of the sealed bytes, so the authority can only write the value that
was signed for, and nothing derived from a short PIN alone is ever stored or sent.
`info` binds the sealed bytes to one operation.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import (
    X25519PrivateKey,
    X25519PublicKey,
)
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from kiosk.authority.errors import ProofFailed
from kiosk.core.entropy import Entropy, SystemEntropy
from kiosk.core.secret import Secret
from storage.registry import Registry
from storage.view import View

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


class SealedOpener(Protocol):
    """What opens what was sealed. Any thread that its registry's is."""

    def open_for(self, sealed: bytes, *, info: bytes) -> Secret:
        """Return what `sealed_for` sealed; ProofFailed if it is not for us and this."""


class SealingKeys(Protocol):
    """The authority's keys, by their ids. Any thread, each with its own registry."""

    def current(self, registry: Registry) -> SealingKey:
        """Return the key for a new operation. RegistryError."""

    def named(self, view: View, id: str) -> SealingKey:
        """Return the key that an operation names. ProofFailed: it is gone.

        RegistryError.
        """


class SealingKey:
    """A key of the authority.

    By itself it is all the `SealingKeys` of an authority in one process: the same for
    every operation, and gone with the process.
    """

    __slots__ = ("_private", "id", "public")

    def __init__(
        self, entropy: Entropy = _SYSTEM, private: bytes | bytearray = b""
    ) -> None:
        """Make a new key, or take `private`, which `revealed` gave.

        `public` is raw (32 bytes), `id` names it (16 hex).
        """
        raw = private or entropy.bytes(_KEY_BYTES)
        self._private = X25519PrivateKey.from_private_bytes(raw)
        self.public = self._private.public_key().public_bytes_raw()
        self.id = hashlib.sha256(self.public).hexdigest()[:16]

    def revealed(self) -> bytearray:
        """Return the private part, raw, for the vault; the caller wipes it."""
        return bytearray(self._private.private_bytes_raw())

    def current(self, registry: Registry) -> SealingKey:  # noqa: ARG002 - the port's
        return self

    def named(self, view: View, id: str) -> SealingKey:  # noqa: ARG002 - the port's
        return self  # what was sealed to another one does not open

    def open(self, sealed: bytes, *, operation: str) -> Secret:
        """Return the sealed value; ProofFailed if it is not for us and this."""
        return self.open_for(sealed, info=_info(operation))

    def open_for(self, sealed: bytes, *, info: bytes) -> Secret:
        try:
            plain = bytearray(_SUITE.decrypt(sealed, self._private, info=info))
        except (InvalidTag, ValueError) as error:
            raise ProofFailed from error
        try:
            return Secret(plain)
        finally:
            for index in range(len(plain)):
                plain[index] = 0

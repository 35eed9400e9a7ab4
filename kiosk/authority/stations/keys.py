"""A station's own key: what signs its requests, and what the authority has of it."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

import msgspec
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

_COORDINATE = 32
"""Bytes of each half of a P-256 signature (RFC 9421, section 3.3.4)."""


class Algorithm(StrEnum):
    """How a station signs, by its name in RFC 9421, section 6.2.2."""

    ED25519 = "ed25519"
    """A key in a file."""
    ECDSA_P256 = "ecdsa-p256-sha256"
    """A key in a TPM, which knows no Ed25519."""


class StationKey(Protocol):
    """What signs. Any thread."""

    @property
    def public(self) -> StationPublicKey:
        """What the authority keeps of it."""

    def sign(self, message: bytes) -> bytes:
        """Return 64 bytes. KioskErrors: the key cannot be used at the moment."""


class StationPublicKey(msgspec.Struct, frozen=True, kw_only=True):
    """What judges a station's signatures."""

    algorithm: Algorithm
    raw: bytes
    """Ed25519: 32 bytes (RFC 8032). P-256: the point, uncompressed, 65 bytes."""

    def is_one(self) -> bool:
        """Say whether it can judge anything: it is a key of its algorithm."""
        try:
            self._ed25519() if self._is_ed25519 else self._p256()
        except (ValueError, UnsupportedAlgorithm):
            return False
        return True

    def has_signed(self, message: bytes, signature: bytes) -> bool:
        """Say whether this key has signed that. Never raises."""
        try:
            if self._is_ed25519:
                self._ed25519().verify(signature, message)
            elif len(signature) == 2 * _COORDINATE:
                halves = signature[:_COORDINATE], signature[_COORDINATE:]
                r, s = (int.from_bytes(half, "big") for half in halves)
                der = encode_dss_signature(r, s)
                self._p256().verify(der, message, ec.ECDSA(hashes.SHA256()))
            else:
                return False
        except (InvalidSignature, ValueError, UnsupportedAlgorithm):
            return False
        return True

    @property
    def _is_ed25519(self) -> bool:
        return self.algorithm is Algorithm.ED25519

    def _ed25519(self) -> ed25519.Ed25519PublicKey:
        return ed25519.Ed25519PublicKey.from_public_bytes(self.raw)

    def _p256(self) -> ec.EllipticCurvePublicKey:
        return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), self.raw)


class Ed25519Key:
    """`StationKey` whose private part is in this process."""

    def __init__(self, private: ed25519.Ed25519PrivateKey) -> None:
        self._private = private

    @classmethod
    def made(cls) -> Ed25519Key:
        """Return a new one."""
        return cls(ed25519.Ed25519PrivateKey.generate())

    @property
    def public(self) -> StationPublicKey:
        """What the authority keeps of it."""
        raw = self._private.public_key().public_bytes(
            serialization.Encoding.Raw, serialization.PublicFormat.Raw
        )
        return StationPublicKey(algorithm=Algorithm.ED25519, raw=raw)

    def sign(self, message: bytes) -> bytes:
        return self._private.sign(message)

    def __repr__(self) -> str:
        """Leave out the key."""
        return "Ed25519Key()"

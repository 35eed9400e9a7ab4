"""HPKE whose ephemeral key comes from a seed, so that a history replays byte for byte.

RFC 9180, base mode, one message: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM.
The library draws its own ephemeral key and takes none; what is made here it opens like
any other. For simulation only.
"""

from __future__ import annotations

from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.asymmetric.x25519 import (
    X25519PrivateKey,
    X25519PublicKey,
)
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from kiosk.authority.proof.seal import Encrypt
from kiosk.core.entropy import Entropy

_KEM = b"KEM" + (0x0020).to_bytes(2, "big")
_SUITE = b"HPKE" + b"".join(
    number.to_bytes(2, "big") for number in (0x0020, 0x0001, 0x0002)
)
_BASE = b"\x00"
_KEY, _NONCE, _SECRET = 32, 12, 32


def seeded(entropy: Entropy) -> Encrypt:
    """Return encryption with ephemeral keys of `entropy`, one after another.

    It returns the encapsulated key, then the sealed bytes.
    """

    def encrypt(plain: bytes | bytearray, public_key: bytes, info: bytes) -> bytes:
        ephemeral = X25519PrivateKey.from_private_bytes(entropy.bytes(32))
        encapsulated = ephemeral.public_key().public_bytes_raw()
        shared = ephemeral.exchange(X25519PublicKey.from_public_bytes(public_key))
        secret = _expand(
            _KEM,
            _extract(_KEM, b"", b"eae_prk", shared),
            b"shared_secret",
            encapsulated + public_key,
            _SECRET,
        )
        return encapsulated + _sealed(secret, plain, info)

    return encrypt


def _sealed(shared: bytes, plain: bytes | bytearray, info: bytes) -> bytes:
    """Derive key and nonce for the first message (§5.1), and seal it."""
    context = (
        _BASE
        + _extract(_SUITE, b"", b"psk_id_hash", b"")
        + _extract(_SUITE, b"", b"info_hash", info)
    )
    secret = _extract(_SUITE, shared, b"secret", b"")
    key = _expand(_SUITE, secret, b"key", context, _KEY)
    nonce = _expand(_SUITE, secret, b"base_nonce", context, _NONCE)
    return AESGCM(key).encrypt(nonce, plain, b"")


def _extract(suite: bytes, salt: bytes, label: bytes, material: bytes) -> bytes:
    mac = hmac.HMAC(salt or bytes(32), hashes.SHA256())
    mac.update(b"HPKE-v1" + suite + label + material)
    return mac.finalize()


def _expand(suite: bytes, key: bytes, label: bytes, info: bytes, size: int) -> bytes:
    labelled = size.to_bytes(2, "big") + b"HPKE-v1" + suite + label + info
    return HKDFExpand(hashes.SHA256(), size, labelled).derive(key)

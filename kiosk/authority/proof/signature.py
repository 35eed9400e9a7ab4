"""Signatures of cards, verified with the key on record."""

from __future__ import annotations

from collections import OrderedDict
from itertools import count
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import load_der_public_key

if TYPE_CHECKING:
    from storage.records import PublicKey

_KEYS = 4_000
"""Keys that are kept as OpenSSL has them, 2 kB each: to make one of its bytes takes a
fifth of the time."""
_GIVES_WAY = 8
"""When there are as many, one in so many others takes the place of the oldest. Holders
come in turn: if each took a place, it would be gone when its holder comes again."""
_SHA256, _SHA384 = hashes.SHA256(), hashes.SHA384()
_P256, _P384 = ec.ECDSA(_SHA256), ec.ECDSA(_SHA384)
_PKCS1 = padding.PKCS1v15()
_kept: OrderedDict[bytes, PublicKeyTypes] = OrderedDict()
_others = count(1)


def is_valid(key: PublicKey, message: bytes, signature: bytes) -> bool:
    """Say whether `key` signed `message`, as `is_signed`."""
    return is_signed(key.spki, message, signature)


def is_signed(spki: bytes, message: bytes, signature: bytes) -> bool:
    """Say whether a key (DER SubjectPublicKeyInfo) signed `message`. Any thread.

    RSA is PKCS#1 v1.5 with SHA-256, P-256 with SHA-256 and P-384 with SHA-384 as
    DER, Ed25519 over the message itself (SP 800-78, RFC 8032). A key of another
    kind signs nothing.
    """
    try:
        return _verifies(_loaded(spki), message, signature)
    except (InvalidSignature, UnsupportedAlgorithm, ValueError):
        return False


def _loaded(spki: bytes) -> PublicKeyTypes:
    """Return a key as OpenSSL has it. ValueError, UnsupportedAlgorithm."""
    key = _kept.get(spki)
    if key is None:
        key = load_der_public_key(spki)
        if len(_kept) < _KEYS:
            _kept[spki] = key
        elif not next(_others) % _GIVES_WAY:
            _kept.popitem(last=False)
            _kept[spki] = key
    return key


def _verifies(public: PublicKeyTypes, message: bytes, signature: bytes) -> bool:
    """Return True, or False for a key of a kind that signs nothing. InvalidSignature,
    UnsupportedAlgorithm, ValueError.
    """
    match public:
        case ec.EllipticCurvePublicKey(curve=ec.SECP256R1()):
            public.verify(signature, message, _P256)
        case ec.EllipticCurvePublicKey(curve=ec.SECP384R1()):
            public.verify(signature, message, _P384)
        case rsa.RSAPublicKey():
            public.verify(signature, message, _PKCS1, _SHA256)
        case ed25519.Ed25519PublicKey():
            public.verify(signature, message)
        case _:
            return False
    return True

"""Signatures of cards, verified with the key on record."""

from __future__ import annotations

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key

from storage.records import PublicKey


def is_valid(key: PublicKey, message: bytes, signature: bytes) -> bool:
    """Say whether `key` (DER SubjectPublicKeyInfo) signed `message`.

    RSA is PKCS#1 v1.5 with SHA-256, P-256 with SHA-256 and P-384 with SHA-384 as
    DER, Ed25519 over the message itself (SP 800-78, RFC 8032). A key of another
    kind signs nothing.
    """
    try:
        public = load_der_public_key(key.spki)
        match public:
            case ec.EllipticCurvePublicKey(curve=ec.SECP256R1()):
                public.verify(signature, message, ec.ECDSA(hashes.SHA256()))
            case ec.EllipticCurvePublicKey(curve=ec.SECP384R1()):
                public.verify(signature, message, ec.ECDSA(hashes.SHA384()))
            case rsa.RSAPublicKey():
                public.verify(signature, message, padding.PKCS1v15(), hashes.SHA256())
            case ed25519.Ed25519PublicKey():
                public.verify(signature, message)
            case _:
                return False
    except (InvalidSignature, UnsupportedAlgorithm, ValueError):
        return False
    return True

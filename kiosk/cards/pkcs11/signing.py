"""What a token is given to sign, by which mechanism, and what is made of its answer."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum

from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from kiosk.cards.values import KeyAlgorithm

_DIGEST_INFO_SHA256 = bytes.fromhex("3031300D060960864801650304020105000420")


class Mechanism(StrEnum):
    """The mechanisms we use (PKCS #11 2.40 §2.1, §2.3; 3.0 for EdDSA)."""

    SHA256_RSA_PKCS = "SHA256_RSA_PKCS"
    RSA_PKCS = "RSA_PKCS"
    ECDSA = "ECDSA"
    EDDSA = "EDDSA"


@dataclass(frozen=True, slots=True)
class SigningJob:
    """One call of C_Sign."""

    mechanism: Mechanism
    data: bytes


def job(
    algorithm: KeyAlgorithm, message: bytes, offered: set[str]
) -> SigningJob | None:
    """Return what to sign; None: the token offers no mechanism for it.

    ECDSA hashes here: modules that know the curve may not know the hash.
    """
    match algorithm:
        case KeyAlgorithm.P256:
            found = SigningJob(Mechanism.ECDSA, hashlib.sha256(message).digest())
        case KeyAlgorithm.P384:
            found = SigningJob(Mechanism.ECDSA, hashlib.sha384(message).digest())
        case KeyAlgorithm.ED25519:
            found = SigningJob(Mechanism.EDDSA, message)
        case _ if Mechanism.RSA_PKCS in offered:
            info = _DIGEST_INFO_SHA256 + hashlib.sha256(message).digest()
            found = SigningJob(Mechanism.RSA_PKCS, info)
        case _:
            found = SigningJob(Mechanism.SHA256_RSA_PKCS, message)
    return found if found.mechanism in offered else None


def signature(mechanism: Mechanism, raw: bytes) -> bytes:
    """Return a signature as `CardSession.sign` promises it. ValueError: it is none.

    PKCS#11 gives ECDSA as r‖s, of one length each.
    """
    if mechanism is not Mechanism.ECDSA:
        return raw
    half, odd = divmod(len(raw), 2)
    if odd or not half:
        raise ValueError("r and s differ in length")
    return encode_dss_signature(
        int.from_bytes(raw[:half], "big"), int.from_bytes(raw[half:], "big")
    )

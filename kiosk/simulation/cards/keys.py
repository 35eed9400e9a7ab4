"""Keys of a simulated card: generated, shown and used as a PIV card does."""

from __future__ import annotations

import functools
import hashlib

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import (
    ec,
    ed25519,
    padding,
    rsa,
    x25519,
)
from cryptography.hazmat.primitives.asymmetric.utils import (
    NoDigestInfo,
    Prehashed,
)

from kiosk.cards import tlv
from kiosk.core.entropy import Entropy

SigningKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
PrivateKey = SigningKey | x25519.X25519PrivateKey
_RSA_BITS = {0x06: 1024, 0x07: 2048, 0x05: 3072, 0x16: 4096}
_CURVES: dict[int, ec.EllipticCurve] = {0x11: ec.SECP256R1(), 0x14: ec.SECP384R1()}
_ED25519, _X25519 = 0xE0, 0xE1
_PRIMES = {
    1024: (181, 396),
    2048: (533, 869),
    3072: (267, 319),
    4096: (192, 362),
}
"""Bits → which of the numbers in `_number` are the first two primes."""
_P256_BYTES = 32
_KEPT = 256
"""Keys on a curve that were made last."""
_LEAST = 8
"""Bytes of FF in a block of PKCS #1 v1.5 (RFC 8017 §9.2)."""


def generate(algorithm: int, entropy: Entropy) -> PrivateKey | None:
    """Make a key for a PIV algorithm identifier; None: not supported.

    RSA keys come from the library, which takes no randomness of others.
    """
    if algorithm in _RSA_BITS:
        return rsa.generate_private_key(65537, _RSA_BITS[algorithm])
    if algorithm in _CURVES:
        return on_curve(_CURVES[algorithm], entropy)
    if algorithm == _ED25519:
        return ed25519.Ed25519PrivateKey.from_private_bytes(entropy.bytes(32))
    if algorithm == _X25519:
        return x25519.X25519PrivateKey.from_private_bytes(entropy.bytes(32))
    return None


def on_curve(curve: ec.EllipticCurve, entropy: Entropy) -> ec.EllipticCurvePrivateKey:
    """Make a key on a curve, smaller than its order (P-256, P-384)."""
    size = curve.key_size // 8
    scalar = int.from_bytes(entropy.bytes(size), "big") >> 1
    return _derived(scalar or 1, _CURVES[0x11 if size == _P256_BYTES else 0x14])


@functools.lru_cache(maxsize=_KEPT)
def _derived(scalar: int, curve: ec.EllipticCurve) -> ec.EllipticCurvePrivateKey:
    """The same history makes the same keys, again and again."""
    return ec.derive_private_key(scalar, curve)


def known_rsa(bits: int) -> rsa.RSAPrivateKey:
    """Return the RSA key of a size that is the same everywhere: a secret to nobody."""
    p, q = (_number(bits, which) for which in _PRIMES[bits])
    return _rsa_of(p, q)


def _number(bits: int, which: int) -> int:
    """Return one of a row of odd numbers, half as long, the two highest bits set."""
    half = bits // 2
    drawn = hashlib.shake_256(f"{bits} {which}".encode()).digest(half // 8)
    return int.from_bytes(drawn, "big") | 3 << (half - 2) | 1


def imported(algorithm: int, parts: dict[int, bytes]) -> PrivateKey | None:
    """Put a key together from the parts of a YubiKey's import (FE); None: nonsense."""
    numbers = {tag: int.from_bytes(value, "big") for tag, value in parts.items()}
    try:
        if algorithm in _RSA_BITS:
            return _rsa_of(numbers[1], numbers[2])
        if algorithm in _CURVES:
            return ec.derive_private_key(numbers[6], _CURVES[algorithm])
        if algorithm == _ED25519:
            return ed25519.Ed25519PrivateKey.from_private_bytes(parts[7])
        if algorithm == _X25519:
            return x25519.X25519PrivateKey.from_private_bytes(parts[8])
    except (KeyError, ValueError):
        return None
    return None


def _rsa_of(p: int, q: int) -> rsa.RSAPrivateKey:
    """The public exponent is always 65537 there."""
    e, n = 65537, p * q
    d = pow(e, -1, (p - 1) * (q - 1))
    return rsa.RSAPrivateNumbers(
        p=p,
        q=q,
        d=d,
        dmp1=rsa.rsa_crt_dmp1(d, p),
        dmq1=rsa.rsa_crt_dmq1(d, q),
        iqmp=rsa.rsa_crt_iqmp(p, q),
        public_numbers=rsa.RSAPublicNumbers(e, n),
    ).private_key()


def identifier(key: PrivateKey) -> int:
    """Return the PIV algorithm identifier of a key."""
    match key:
        case ec.EllipticCurvePrivateKey():
            return next(p1 for p1, it in _CURVES.items() if it.name == key.curve.name)
        case ed25519.Ed25519PrivateKey():
            return _ED25519
        case x25519.X25519PrivateKey():
            return _X25519
        case rsa.RSAPrivateKey():
            return next(p1 for p1, bits in _RSA_BITS.items() if bits == key.key_size)


def public_value(key: PrivateKey, exponent: bytes) -> bytes:
    """Return the contents of 7F49 (SP 800-73-5 part 2, §3.3.2)."""
    match key:
        case rsa.RSAPrivateKey():
            numbers = key.public_key().public_numbers()
            modulus = numbers.n.to_bytes(key.key_size // 8, "big")
            return tlv.pack(0x81, modulus) + tlv.pack(0x82, exponent)
        case ec.EllipticCurvePrivateKey():
            point = key.public_key().public_numbers()
            size = key.curve.key_size // 8
            x, y = point.x.to_bytes(size, "big"), point.y.to_bytes(size, "big")
            return tlv.pack(0x86, b"\x04" + x + y)
        case ed25519.Ed25519PrivateKey() | x25519.X25519PrivateKey():
            return tlv.pack(0x86, key.public_key().public_bytes_raw())


def sign_raw(key: PrivateKey, algorithm: int, data: bytes) -> bytes | None:
    """Do the raw operation of GENERAL AUTHENTICATE; None: it does not fit the key."""
    if algorithm != identifier(key):
        return None
    match key:
        case rsa.RSAPrivateKey():
            return _rsa(key, data)
        case ec.EllipticCurvePrivateKey():
            return _ecdsa(key, data)
        case ed25519.Ed25519PrivateKey():
            return key.sign(data)
        case x25519.X25519PrivateKey():
            return None


def agree(key: PrivateKey, algorithm: int, point: bytes) -> bytes | None:
    """Return the secret shared with a public key (ECDH, X25519); None: no such key."""
    if algorithm != identifier(key):
        return None
    try:
        match key:
            case ec.EllipticCurvePrivateKey(curve=curve):
                other = ec.EllipticCurvePublicKey.from_encoded_point(curve, point)
                return key.exchange(ec.ECDH(), other)
            case x25519.X25519PrivateKey():
                return key.exchange(x25519.X25519PublicKey.from_public_bytes(point))
    except ValueError:
        return None
    return None


def _ecdsa(key: ec.EllipticCurvePrivateKey, digest: bytes) -> bytes | None:
    """Sign a digest no longer than the curve; a shorter one is a smaller number."""
    size = key.curve.key_size // 8
    if not 0 < len(digest) <= size:
        return None
    hashed = hashes.SHA256() if size == hashes.SHA256.digest_size else hashes.SHA384()
    how = ec.ECDSA(Prehashed(hashed), deterministic_signing=True)
    return key.sign(digest.rjust(size, b"\x00"), how)


def _rsa(key: rsa.RSAPrivateKey, block: bytes) -> bytes | None:
    """Raise the block, which the host has padded, to the private exponent (CRT).

    The library does it where the padding is the one that it would make itself.
    """
    size = key.key_size // 8
    if len(block) != size:
        return None
    mark, _, inside = block[2:].partition(b"\x00")
    if block[:2] == b"\x00\x01" and len(mark) >= _LEAST and not mark.strip(b"\xff"):
        return key.sign(inside, padding.PKCS1v15(), NoDigestInfo())
    numbers = key.private_numbers()
    value = int.from_bytes(block, "big")
    modulo_p = pow(value, numbers.dmp1, numbers.p)
    modulo_q = pow(value, numbers.dmq1, numbers.q)
    difference = (modulo_p - modulo_q) * numbers.iqmp % numbers.p
    return (modulo_q + difference * numbers.q).to_bytes(size, "big")


def decipher(
    key: rsa.RSAPrivateKey, data: bytes, hashed: hashes.HashAlgorithm | None = None
) -> bytes | None:
    """Decipher and take the padding off: OAEP with a hash, else PKCS #1 v1.5."""
    chosen: padding.AsymmetricPadding = padding.PKCS1v15()
    if hashed is not None:
        chosen = padding.OAEP(padding.MGF1(hashed), hashed, None)
    try:
        return key.decrypt(data, chosen)
    except ValueError:
        return None

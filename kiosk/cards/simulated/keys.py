"""Keys of a simulated card: generated, shown and used as a PIV card does."""

from __future__ import annotations

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from kiosk.cards import tlv

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
_RSA_BITS = {0x06: 1024, 0x07: 2048, 0x05: 3072, 0x16: 4096}
_CURVES: dict[int, ec.EllipticCurve] = {0x11: ec.SECP256R1(), 0x14: ec.SECP384R1()}
_HASHES: dict[int, hashes.HashAlgorithm] = {
    20: hashes.SHA1(),  # noqa: S303 - clients of old may send it; we never do
    32: hashes.SHA256(),
    48: hashes.SHA384(),
    64: hashes.SHA512(),
}


def generate(algorithm: int) -> PrivateKey | None:
    """Make a key for a PIV algorithm identifier; None: not supported."""
    if algorithm in _RSA_BITS:
        return rsa.generate_private_key(65537, _RSA_BITS[algorithm])
    if algorithm in _CURVES:
        return ec.generate_private_key(_CURVES[algorithm])
    return ed25519.Ed25519PrivateKey.generate() if algorithm == 0xE0 else None


def public_value(key: PrivateKey, exponent: bytes) -> bytes:
    """Return the contents of 7F49 (SP 800-73-5 part 2, §3.3.2)."""
    match key:
        case rsa.RSAPrivateKey():
            numbers = key.public_key().public_numbers()
            modulus = numbers.n.to_bytes(key.key_size // 8, "big")
            return tlv.pack(0x81, modulus) + tlv.pack(0x82, exponent)
        case ec.EllipticCurvePrivateKey():
            point = key.public_key().public_numbers()
            size = (key.curve.key_size + 7) // 8
            x, y = point.x.to_bytes(size, "big"), point.y.to_bytes(size, "big")
            return tlv.pack(0x86, b"\x04" + x + y)
        case ed25519.Ed25519PrivateKey():
            return tlv.pack(0x86, key.public_key().public_bytes_raw())


def sign_raw(key: PrivateKey, algorithm: int, data: bytes) -> bytes | None:
    """Do the raw operation of GENERAL AUTHENTICATE; None: it does not fit the key."""
    match key:
        case rsa.RSAPrivateKey():
            return _rsa(key, algorithm, data)
        case ec.EllipticCurvePrivateKey():
            digest = _HASHES.get(len(data))
            wanted = _CURVES.get(algorithm)
            if digest is None or wanted is None or wanted.name != key.curve.name:
                return None
            return key.sign(data, ec.ECDSA(Prehashed(digest)))
        case ed25519.Ed25519PrivateKey():
            return key.sign(data) if algorithm == 0xE0 else None


def _rsa(key: rsa.RSAPrivateKey, algorithm: int, data: bytes) -> bytes | None:
    """The private operation on a block that the host has padded."""
    size = key.key_size // 8
    if _RSA_BITS.get(algorithm) != key.key_size or len(data) != size:
        return None
    numbers = key.private_numbers()
    value = pow(int.from_bytes(data, "big"), numbers.d, numbers.public_numbers.n)
    return value.to_bytes(size, "big")

"""The NT hash of a password (MS-NLMP 3.3.1): MD4 (RFC 1320) of its UTF-16.

Written out here: OpenSSL 3 has MD4 no more, and the truth about a password must not
come from the code that is tested.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

_MASK = 0xFFFFFFFF
_ROUNDS: tuple[
    tuple[Callable[[int, int, int], int], int, tuple[int, ...], tuple[int, ...]], ...
] = (
    (lambda x, y, z: (x & y) | (~x & z), 0, tuple(range(16)), (3, 7, 11, 19)),
    (
        lambda x, y, z: (x & y) | (x & z) | (y & z),
        0x5A827999,
        (0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15),
        (3, 5, 9, 13),
    ),
    (
        lambda x, y, z: x ^ y ^ z,
        0x6ED9EBA1,
        (0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15),
        (3, 9, 11, 15),
    ),
)


def nt_hash(password: str) -> bytes:
    """Return the 16 bytes that a domain controller keeps."""
    return md4(password.encode("utf-16-le"))


def md4(data: bytes) -> bytes:
    """Return the digest."""
    padding = b"\x80" + bytes((55 - len(data)) % 64)
    whole = data + padding + struct.pack("<Q", 8 * len(data))
    state = (0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476)
    for at in range(0, len(whole), 64):
        state = _block(state, struct.unpack_from("<16I", whole, at))
    return struct.pack("<4I", *state)


def _block(
    state: tuple[int, int, int, int], words: tuple[int, ...]
) -> tuple[int, int, int, int]:
    a, b, c, d = state
    for mix, constant, order, shifts in _ROUNDS:
        for step, word in enumerate(order):
            total = (a + (mix(b, c, d) & _MASK) + words[word] + constant) & _MASK
            shift = shifts[step % 4]
            turned = (total << shift | total >> (32 - shift)) & _MASK
            a, b, c, d = d, turned, b, c
    before = zip(state, (a, b, c, d), strict=True)
    one, two, three, four = ((was + now) & _MASK for was, now in before)
    return one, two, three, four

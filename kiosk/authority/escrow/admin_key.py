"""What the administrator key of a card is asked: it answers, and never leaves.

Three-key triple DES, 24 bytes, as GIDS and Windows' minidrivers have it. The answer
to an eight-byte challenge is one ECB block; mutual authentication is CBC over both
challenges (Windows smart card minidriver specification, CardAuthenticateEx; GIDS 2.0
§"mutual authentication").
"""

from __future__ import annotations

import hmac

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes

from kiosk.core.entropy import Entropy
from kiosk.core.secret import Secret

KEY_BYTES = 24
CHALLENGE_BYTES = 8
MUTUAL_BYTES = 16
"""Of each side's challenge in mutual authentication."""
_ANSWER_BYTES = 40
_CHECK_BYTES = 3
_FILLING = 7
_BLOCK = 8


def answer(key: Secret, challenge: bytes) -> bytes:
    """Answer an eight-byte challenge. ValueError for another length."""
    if len(challenge) != CHALLENGE_BYTES:
        raise ValueError("a challenge has eight bytes")
    encryptor = Cipher(TripleDES(bytes(key.reveal())), modes.ECB()).encryptor()  # noqa: S305 - the card's protocol, one block
    return encryptor.update(challenge) + encryptor.finalize()


def check(key: Secret) -> bytes:
    """Return the key's check value: three bytes of a block of zeros encrypted."""
    return answer(key, bytes(CHALLENGE_BYTES))[:_CHECK_BYTES]


def is_mirrored(ours: bytes, cards: bytes) -> bool:
    """Say whether the card's challenge has a block of ours in it.

    A card without the key could answer with what it was sent: our challenge for its
    own, and then our proof for its own, which would say just what is expected.
    """
    return not _blocks(ours).isdisjoint(_blocks(cards))


def _blocks(challenge: bytes) -> set[bytes]:
    starts = range(0, len(challenge), _BLOCK)
    return {challenge[start : start + _BLOCK] for start in starts}


def prove(key: Secret, ours: bytes, cards: bytes, entropy: Entropy) -> bytes:
    """Return the proof that we hold the key (40 bytes).

    ValueError for a challenge that is mirrored: nothing is proven to a mirror.
    """
    if is_mirrored(ours, cards):
        raise ValueError("the card's challenge is ours")
    plain = cards + ours + entropy.bytes(_FILLING) + b"\x80"
    encryptor = Cipher(TripleDES(bytes(key.reveal())), modes.CBC(bytes(8))).encryptor()
    return encryptor.update(plain) + encryptor.finalize()


def is_proven(key: Secret, ours: bytes, cards: bytes, answered: bytes) -> bool:
    """Say whether the card's answer proves that it holds the key."""
    if len(answered) != _ANSWER_BYTES or is_mirrored(ours, cards):
        return False
    decryptor = Cipher(TripleDES(bytes(key.reveal())), modes.CBC(bytes(8))).decryptor()
    plain = decryptor.update(answered) + decryptor.finalize()
    return hmac.compare_digest(plain[: 2 * MUTUAL_BYTES], ours + cards)

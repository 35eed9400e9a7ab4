"""PINs and PUKs that nobody chose: drawn by chance, for a card that is being made."""

from __future__ import annotations

from kiosk.core.entropy import Entropy
from kiosk.core.secret import Secret
from kiosk.pin.weak import is_weak

_LENGTH = 8
_READABLE = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz"
_DIGITS = b"0123456789"


def new_pin(entropy: Entropy) -> Secret:
    """Return eight random digits that are not easy to guess."""
    return _not_weak(entropy)


def new_puk(entropy: Entropy) -> Secret:
    """Return eight random printable ASCII characters, none easily misread."""
    return _drawn(entropy, _READABLE)


def new_digits_puk(entropy: Entropy) -> Secret:
    """Return eight random digits: the form that every card takes."""
    return _not_weak(entropy)


def _not_weak(entropy: Entropy) -> Secret:
    while True:
        digits = _drawn(entropy, _DIGITS)
        if not is_weak(digits.reveal()):
            return digits
        digits.wipe()


def _drawn(entropy: Entropy, alphabet: bytes) -> Secret:
    return Secret(bytes(alphabet[entropy.below(len(alphabet))] for _ in range(_LENGTH)))

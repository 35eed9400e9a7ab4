"""Codes that people read out and type: eight random digits and a check digit.

Shown in three groups of three ("482 109 376"). The check digit (ISO/IEC 7064,
MOD 11,10) catches every wrong digit and nearly every swapped pair before a wrong
entry is counted. What is stored is scrypt of the code under a key of the vault.
"""

from __future__ import annotations

import hashlib
import hmac

from kiosk.core.entropy import Entropy
from kiosk.core.secret import Secret

DIGITS = 9
COST = 2**14
"""scrypt's n: what a guess costs whoever has the vault's key and the registry."""


def _remainder(digits: bytes | bytearray) -> int:
    product = 10
    for digit in digits:
        total = (product + digit - 0x30) % 10 or 10
        product = total * 2 % 11
    return product


def check_digit(digits: bytes | bytearray) -> int:
    """Return the digit (0–9) that makes `digits` (ASCII) a code."""
    return (11 - _remainder(digits)) % 10


def new_code(entropy: Entropy) -> Secret:
    """Return a new code of nine ASCII digits."""
    digits = bytearray(b"%08d" % entropy.below(10**8))
    digits.append(0x30 + check_digit(digits))
    return Secret(digits)


def grouped(code: Secret) -> str:
    """Return the code as it is read out, e.g. `482 109 376`."""
    text = code.reveal().decode("ascii")
    return f"{text[:3]} {text[3:6]} {text[6:]}"


def normalised(typed: Secret) -> Secret:
    """Return the typed code without blanks and dashes."""
    return Secret(bytes(byte for byte in typed.reveal() if byte not in b" -"))


def is_well_formed(code: Secret) -> bool:
    """Say whether a normalised code has nine digits and the right check digit."""
    digits = code.reveal()
    if len(digits) != DIGITS or not digits.isdigit():
        return False
    return digits[-1] - 0x30 == check_digit(digits[:-1])


def keyed_digest(code: Secret, *, salt: bytes, key: bytes) -> bytes:
    """Return what is stored of a code (32 bytes): slow, salted, keyed."""
    slow = hashlib.scrypt(code.reveal(), salt=salt, n=COST, r=8, p=1, dklen=32)
    return hmac.digest(key, slow, "sha256")

"""Passwords as the simulated domain keeps them, and how its policy judges new ones."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass

from kiosk.core.secret import Secret
from kiosk.directory.values import PasswordPolicy

COMPLEXITY_CLASSES = 3


@dataclass(frozen=True, slots=True)
class StoredPassword:
    """A salted digest."""

    salt: bytes
    digest: bytes

    @classmethod
    def of(cls, value: Secret, salt: bytes) -> StoredPassword:
        """Keep `value`; the caller still owns it."""
        return cls(salt, hashlib.sha256(salt + value.reveal()).digest())

    def matches(self, value: Secret) -> bool:
        """Say whether this is that password."""
        attempt = hashlib.sha256(self.salt + value.reveal()).digest()
        return hmac.compare_digest(attempt, self.digest)


def allows(policy: PasswordPolicy, value: Secret) -> bool:
    """Judge a reset as a DC does: length in characters and complexity, not history."""
    characters = sum(byte & 0xC0 != 0x80 for byte in value.reveal())
    if characters < policy.minimum_length:
        return False
    return not policy.complexity or _classes(value) >= COMPLEXITY_CLASSES


def _classes(value: Secret) -> int:
    """Count the five classes of MS-SAMR 3.1.1.7.2 (non-ASCII letters are the fifth)."""
    seen = set()
    for byte in value.reveal():
        if byte >= 0x80:
            seen.add("other")
        elif 0x41 <= byte <= 0x5A:
            seen.add("upper")
        elif 0x61 <= byte <= 0x7A:
            seen.add("lower")
        elif 0x30 <= byte <= 0x39:
            seen.add("digit")
        elif 0x20 < byte < 0x7F:
            seen.add("special")
    return len(seen)

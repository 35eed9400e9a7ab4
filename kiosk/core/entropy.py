"""Randomness as a port, so that a simulated history replays exactly."""

from __future__ import annotations

import random
import secrets
from typing import Protocol


class Entropy(Protocol):
    """Where random bytes come from. Any thread may call it; it never raises."""

    def bytes(self, count: int) -> bytes:
        """Return `count` random bytes."""

    def below(self, limit: int) -> int:
        """Return a uniformly distributed integer in [0, limit)."""


class SystemEntropy:
    """The operating system's generator."""

    def bytes(self, count: int) -> bytes:
        return secrets.token_bytes(count)

    def below(self, limit: int) -> int:
        return secrets.randbelow(limit)


class SeededEntropy:
    """A repeatable sequence: rehearsals, simulation and tests, never a station."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - repeatable on purpose

    def bytes(self, count: int) -> bytes:
        return self._random.randbytes(count)

    def below(self, limit: int) -> int:
        return self._random.randrange(limit)

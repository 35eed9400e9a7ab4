"""The management key (9B) of a simulated card (SP 800-73-5 part 2, App. A)."""

from __future__ import annotations

import hmac

from kiosk.cards import status, tlv
from kiosk.cards.piv.management import (
    FACTORY_KEY,
    HeldManagementKey,
    ManagementAlgorithm,
)
from kiosk.core.entropy import Entropy
from kiosk.core.secret import Secret
from kiosk.simulation.cards.framing import Status

_WITNESS, _CHALLENGE, _RESPONSE = 0x80, 0x81, 0x82


class AdminKey:
    """Single and mutual authentication; no retry counter, as on real cards."""

    def __init__(self, entropy: Entropy, algorithm: ManagementAlgorithm) -> None:
        self._entropy = entropy
        self._factory = algorithm
        self._key = HeldManagementKey(algorithm, Secret(FACTORY_KEY))
        self._expected = b""
        self.is_authenticated = False

    @property
    def algorithm(self) -> ManagementAlgorithm:
        return self._key.algorithm

    @property
    def is_default(self) -> bool:
        return self.is_key(FACTORY_KEY)

    def is_key(self, key: bytes) -> bool:
        """Say whether this is the key: for those who watch."""
        return self._key.key.reveal() == key

    def forget(self) -> None:
        """Nobody is authenticated any more."""
        self._expected = b""
        self.is_authenticated = False

    def to_factory(self) -> None:
        """Set the factory's key."""
        self._key = HeldManagementKey(self._factory, Secret(FACTORY_KEY))
        self.forget()

    def replace(self, algorithm: int, key: bytes | bytearray) -> None:
        """Set a new key. Status where the two do not fit."""
        if algorithm not in tuple(ManagementAlgorithm):
            raise Status(status.WRONG_DATA)
        kind = ManagementAlgorithm(algorithm)
        if len(key) != kind.key_size:
            raise Status(status.WRONG_DATA)
        self._key = HeldManagementKey(kind, Secret(key))

    def authenticate(self, algorithm: int, parts: dict[int, bytes]) -> bytes:
        """Answer one template, given by its tags. Status if it is refused."""
        if (algorithm or ManagementAlgorithm.TRIPLE_DES) != self.algorithm:
            raise Status(status.WRONG_P1P2)
        if parts.get(_WITNESS) == b"":
            return tlv.pack(_WITNESS, self._key.encrypt(self._random()))
        if parts.get(_CHALLENGE) == b"":
            challenge = self._random()
            self._expected = self._key.encrypt(challenge)
            return tlv.pack(_CHALLENGE, challenge)
        if _WITNESS in parts:
            return self._mutual(parts[_WITNESS], parts.get(_CHALLENGE, b""))
        self._accept(parts.get(_RESPONSE, b""))
        return b""

    def _mutual(self, witness: bytes, challenge: bytes) -> bytes:
        self._accept(witness)
        if len(challenge) != self.algorithm.block_size:
            self.forget()
            raise Status(status.WRONG_DATA)
        return tlv.pack(_RESPONSE, self._key.encrypt(challenge))

    def _random(self) -> bytes:
        self._expected = self._entropy.bytes(self.algorithm.block_size)
        return self._expected

    def _accept(self, given: bytes) -> None:
        """Compare with what is expected, once."""
        expected, self._expected = self._expected, b""
        self.is_authenticated = bool(expected) and hmac.compare_digest(given, expected)
        if not self.is_authenticated:
            raise Status(status.NOT_SATISFIED)

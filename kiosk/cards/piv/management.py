"""The card management key (9B) as arithmetic (SP 800-73-5 part 2, App. A).

A real card and a simulated one authenticate each other with single blocks under it.
Whoever holds the key implements `ManagementKey`; the key itself need not be here.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Protocol

from kiosk.core.secret import Secret

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers import Cipher, modes


class ManagementAlgorithm(IntEnum):
    """Algorithms of 9B, by their identifier (SP 800-78-5, table 5)."""

    TRIPLE_DES = 0x03
    AES_128 = 0x08
    AES_192 = 0x0A
    AES_256 = 0x0C

    @property
    def block_size(self) -> int:
        """Bytes of one block."""
        return 8 if self is ManagementAlgorithm.TRIPLE_DES else 16

    @property
    def key_size(self) -> int:
        """Bytes of the key."""
        return {0x03: 24, 0x08: 16, 0x0A: 24, 0x0C: 32}[self]


FACTORY_KEY = bytes.fromhex("010203040506070801020304050607080102030405060708")
"""What YubiKeys and open-source cards leave the factory with: not a secret."""


class ManagementKey(Protocol):
    """Answers for a management key, wherever it is kept."""

    @property
    def algorithm(self) -> ManagementAlgorithm:
        """What it is a key of."""

    def encrypt(self, block: bytes) -> bytes:
        """Encrypt one block."""

    def decrypt(self, block: bytes) -> bytes:
        """Decrypt one block."""


class HeldManagementKey:
    """A management key in this process. Its owner wipes it."""

    def __init__(self, algorithm: ManagementAlgorithm, key: Secret) -> None:
        self._algorithm = algorithm
        self.key = key

    @property
    def algorithm(self) -> ManagementAlgorithm:
        return self._algorithm

    def encrypt(self, block: bytes) -> bytes:
        encryptor = self._cipher().encryptor()
        return encryptor.update(block) + encryptor.finalize()

    def decrypt(self, block: bytes) -> bytes:
        decryptor = self._cipher().decryptor()
        return decryptor.update(block) + decryptor.finalize()

    def _cipher(self) -> Cipher[modes.ECB]:
        from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

        is_old = self._algorithm is ManagementAlgorithm.TRIPLE_DES
        kind = TripleDES if is_old else algorithms.AES
        chosen = kind(bytes(self.key.reveal()))
        return Cipher(chosen, modes.ECB())  # noqa: S305 - one random block; PIV's own mode

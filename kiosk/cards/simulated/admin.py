"""The management key (9B) of a simulated card (SP 800-73-5 part 2, App. A)."""

from __future__ import annotations

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from kiosk.cards import tlv
from kiosk.entropy import Entropy

DEFAULT = bytes.fromhex("010203040506070801020304050607080102030405060708")
TRIPLE_DES = 0x03
_AES = frozenset({0x08, 0x0A, 0x0C})


def block_size(algorithm: int) -> int:
    """Return the bytes of one block: 8 for 3DES, 16 for AES."""
    return 16 if algorithm in _AES else 8


def encrypt(algorithm: int, key: bytes, block: bytes) -> bytes:
    """Encrypt one block (ECB, as PIV has it)."""
    encryptor = _cipher(algorithm, key).encryptor()
    return encryptor.update(block) + encryptor.finalize()


def decrypt(algorithm: int, key: bytes, block: bytes) -> bytes:
    """Decrypt one block."""
    decryptor = _cipher(algorithm, key).decryptor()
    return decryptor.update(block) + decryptor.finalize()


def _cipher(algorithm: int, key: bytes) -> Cipher[modes.ECB]:
    chosen = algorithms.AES(key) if algorithm in _AES else TripleDES(key)
    return Cipher(chosen, modes.ECB())  # noqa: S305 - one random block; PIV's own mode


class AdminKey:
    """Single and mutual authentication; no retry counter, as on real cards."""

    def __init__(self, entropy: Entropy) -> None:
        self._entropy = entropy
        self._algorithm, self._key = TRIPLE_DES, DEFAULT
        self._witness = b""
        self._challenge = b""
        self.is_authenticated = False

    def forget(self) -> None:
        """Another SELECT ends the authentication."""
        self._witness = self._challenge = b""
        self.is_authenticated = False

    def replace(self, algorithm: int, key: bytes) -> None:
        """Set a new key."""
        self._algorithm, self._key = algorithm, key

    def has(self, key: bytes) -> bool:
        """Say whether this is the key: for tests and rehearsals."""
        return self._key == key

    def authenticate(self, algorithm: int, template: bytes) -> bytes | None:
        """Answer one template; None: refused; empty: authenticated."""
        if (algorithm or TRIPLE_DES) != self._algorithm:
            return None
        parts = dict(tlv.walk(template, "command"))
        size = block_size(self._algorithm)
        if parts.get(0x80) == b"":
            self._witness = self._entropy.bytes(size)
            return tlv.pack(0x80, self._crypt(self._witness))
        if parts.get(0x81) == b"":
            self._challenge = self._entropy.bytes(size)
            return tlv.pack(0x81, self._challenge)
        if 0x80 in parts and 0x81 in parts:
            return self._mutual(parts[0x80], parts[0x81], size)
        if 0x82 in parts and self._challenge:
            challenge, self._challenge = self._challenge, b""
            self.is_authenticated = parts[0x82] == self._crypt(challenge)
            return b"" if self.is_authenticated else None
        return None

    def _mutual(self, witness: bytes, challenge: bytes, size: int) -> bytes | None:
        expected, self._witness = self._witness, b""
        if not expected or witness != expected or len(challenge) != size:
            return None
        self.is_authenticated = True
        return tlv.pack(0x82, self._crypt(challenge))

    def _crypt(self, block: bytes) -> bytes:
        return encrypt(self._algorithm, self._key, block)

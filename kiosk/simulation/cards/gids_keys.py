"""Private keys of a simulated GIDS card: chosen, made, and what they do."""

from __future__ import annotations

from collections.abc import Callable

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.rsa import (
    RSAPrivateKey,
    generate_private_key,
)

from kiosk.cards import status, tlv
from kiosk.simulation.cards.framing import Status
from kiosk.simulation.cards.gids_files import GENERATE, USE, GidsFiles
from kiosk.simulation.cards.keys import decipher, identifier, public_value, sign_raw

_GENERATES = {0x06: 1024, 0x07: 2048, 0x08: 3072, 0x09: 4096}
"""Key identifier → bits."""
_PADDINGS: dict[int, hashes.HashAlgorithm | None] = {
    0x40: None,
    0x80: hashes.SHA1(),  # noqa: S303 - the card's own
}
"""Upper half of an algorithm reference → hash of OAEP; None: PKCS #1 v1.5."""
_EXPONENT = b"\x01\x00\x01"


class GidsKeys:
    """Keys by reference, and the one that was chosen for what comes next."""

    def __init__(
        self,
        keys: dict[int, RSAPrivateKey],
        files: GidsFiles,
        *,
        is_verified: Callable[[], bool],
    ) -> None:
        """`keys` are those of the card."""
        self._keys = keys
        self._files = files
        self._is_verified = is_verified
        self._algorithm = self._key = 0

    def forget(self) -> None:
        """Nothing is chosen any more."""
        self._algorithm = self._key = 0

    def choose(self, data: bytes) -> None:
        """MANAGE SECURITY ENVIRONMENT: an algorithm and a key."""
        algorithm = tlv.need(data, 0x80, "command")
        reference = tlv.find(data, 0x84, "command") or tlv.need(data, 0x83, "command")
        self._files.key_file(reference[0], USE)
        if reference[0] not in self._keys:
            raise Status(status.NO_REFERENCE)
        self._algorithm, self._key = algorithm[0], reference[0]

    def sign(self, p1p2: int, data: bytes) -> bytes:
        """PSO: COMPUTE DIGITAL SIGNATURE over a DigestInfo."""
        if p1p2 != 0x9E9A or not self._key:
            raise Status(status.WRONG_P1P2)
        if not self._is_verified():
            raise Status(status.NOT_SATISFIED)
        key = self._keys[self._key]
        size = (key.key_size + 7) // 8
        if len(data) > size - 11:
            raise Status(status.WRONG_LENGTH)
        block = b"\x00\x01" + b"\xff" * (size - len(data) - 3) + b"\x00" + data
        return sign_raw(key, identifier(key), block) or b""

    def decipher(self, cryptogram: bytes) -> bytes:
        """PSO: DECIPHER a cryptogram as long as the key, no padding indicator first."""
        if not self._key:
            raise Status(status.CONDITIONS)
        if not self._is_verified():
            raise Status(status.NOT_SATISFIED)
        key = self._keys[self._key]
        if len(cryptogram) != key.key_size // 8:
            raise Status(status.WRONG_LENGTH)
        if (padded := self._algorithm & 0xF0) not in _PADDINGS:
            raise Status(status.NO_REFERENCE)
        plain = decipher(key, cryptogram, _PADDINGS[padded])
        if plain is None:
            raise Status(status.WRONG_DATA)
        return plain

    def generate(self, data: bytes) -> bytes:
        """GENERATE ASYMMETRIC KEY PAIR; return the public key."""
        wanted = tlv.need(data, 0xAC, "command")
        algorithm = tlv.need(wanted, 0x80, "command")[0]
        reference = tlv.need(wanted, 0x83, "command")[0]
        self._files.key_file(reference, GENERATE)
        if algorithm not in _GENERATES:
            raise Status(status.WRONG_DATA)
        self._keys[reference] = generate_private_key(65537, _GENERATES[algorithm])
        return self.public(reference)

    def public(self, reference: int) -> bytes:
        """Return a public key as the card tells it."""
        if reference not in self._keys:
            raise Status(status.NO_REFERENCE)
        return tlv.pack(0x7F49, public_value(self._keys[reference], _EXPONENT))

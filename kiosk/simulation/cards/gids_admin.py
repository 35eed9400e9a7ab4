"""The administrator key of a simulated GIDS card: one-way and mutual authentication."""

from __future__ import annotations

import hmac

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes

from kiosk.cards import status, tlv
from kiosk.core.entropy import Entropy
from kiosk.simulation.cards.framing import Status

FACTORY_KEY = bytes(24)
_CHALLENGE, _RESPONSE = 0x81, 0x82
_ONE_WAY, _BOTH = 8, 16
_PROOF = 40


class GidsAdminKey:
    """Its challenge dies with any other command than the answer."""

    def __init__(self, entropy: Entropy, key: bytes, tries: int) -> None:
        self._entropy = entropy
        self.key = bytearray(key)
        self._tries = self.left = tries
        self.is_authenticated = False
        self._is_chosen = False
        self._is_mutual = False
        self._challenge = b""
        self._theirs = b""

    def forget(self) -> None:
        """Reset or deselected."""
        self.is_authenticated = self._is_chosen = False
        self.let_challenge_die()

    def let_challenge_die(self) -> None:
        """Another command came."""
        self._challenge = self._theirs = b""

    def choose(self, p1: int) -> None:
        """MSE: SET for authentication: 81 one-way, C1 mutual."""
        self._is_chosen, self._is_mutual = True, p1 == 0xC1

    def authenticate(self, data: bytes) -> bytes:
        """GENERAL AUTHENTICATE."""
        if not self._is_chosen:
            raise Status(status.CONDITIONS)
        inner = tlv.need(data, 0x7C, "command")
        response = tlv.find(inner, _RESPONSE, "command")
        if response is not None:
            return self._answered(response)
        theirs = tlv.find(inner, _CHALLENGE, "command") or b""
        self._is_mutual = len(theirs) == _BOTH
        self._theirs = theirs
        self._challenge = self._entropy.bytes(_BOTH if self._is_mutual else _ONE_WAY)
        return tlv.pack(0x7C, tlv.pack(_CHALLENGE, self._challenge))

    def _answered(self, response: bytes) -> bytes:
        challenge, theirs = self._challenge, self._theirs
        self.let_challenge_die()
        if self._tries and not self.left:
            raise Status(status.BLOCKED)
        if not challenge:
            raise Status(status.CONDITIONS)
        proof = self._prove(challenge, theirs, response)
        if proof is None:
            if self._tries:
                self.left -= 1
            raise Status(status.NOT_SATISFIED)
        self.left = self._tries
        self.is_authenticated = True
        return proof

    def _prove(self, challenge: bytes, theirs: bytes, response: bytes) -> bytes | None:
        if not self._is_mutual:
            expected = self._ecb(challenge)
            return b"" if hmac.compare_digest(expected, response) else None
        if len(response) != _PROOF:
            return None
        plain = self._cbc(response, decrypt=True)
        if not hmac.compare_digest(plain[: 2 * _BOTH], challenge + theirs):
            return None
        own = theirs + challenge + self._entropy.bytes(7) + b"\x80"
        return tlv.pack(0x7C, tlv.pack(_RESPONSE, self._cbc(own, decrypt=False)))

    def _ecb(self, block: bytes) -> bytes:
        cipher = Cipher(TripleDES(bytes(self.key)), modes.ECB())  # noqa: S305 - the card's protocol, one block
        encryptor = cipher.encryptor()
        return encryptor.update(block) + encryptor.finalize()

    def _cbc(self, data: bytes, *, decrypt: bool) -> bytes:
        cipher = Cipher(TripleDES(bytes(self.key)), modes.CBC(bytes(8)))
        context = cipher.decryptor() if decrypt else cipher.encryptor()
        return context.update(data) + context.finalize()

"""What needs the management key: objects written, keys generated (SP 800-73-5 part 2).

An administration exists only once card and caller have proven the key to each other.
It ends with the transaction.
"""

from __future__ import annotations

import hmac

from kiosk.cards import tlv
from kiosk.cards.apdu import Command, Response, wipe
from kiosk.cards.errors import WrongManagementKey
from kiosk.cards.piv import refusals
from kiosk.cards.piv.application import PivApplication
from kiosk.cards.piv.keys import key_of_answer
from kiosk.cards.piv.management import (
    HeldManagementKey,
    ManagementAlgorithm,
    ManagementKey,
)
from kiosk.cards.piv.metadata import read_algorithm
from kiosk.cards.piv.signing import IDENTIFIER
from kiosk.cards.values import KeyAlgorithm, KeySlot
from kiosk.core.entropy import Entropy

_KEY = 0x9B
_WITNESS, _CHALLENGE, _RESPONSE = 0x80, 0x81, 0x82


def management_algorithm(application: PivApplication) -> ManagementAlgorithm:
    """Return what the card's management key is: told by F7, else 3DES."""
    value = application.metadata(_KEY)
    told = read_algorithm(value) if value is not None else 0
    known = told in tuple(ManagementAlgorithm)
    return ManagementAlgorithm(told) if known else ManagementAlgorithm.TRIPLE_DES


class PivAdministration:
    """An application whose management key is authenticated."""

    def __init__(
        self, application: PivApplication, key: ManagementKey, entropy: Entropy
    ) -> None:
        """Authenticate mutually (part 2, App. A.2). WrongManagementKey."""
        self._application = application
        witness = self._ask(key, tlv.pack(_WITNESS, b""), _WITNESS)
        opened = key.decrypt(witness)
        challenge = entropy.bytes(key.algorithm.block_size)
        if challenge == opened:
            raise WrongManagementKey  # the witness would be its answer: a mirror's
        answer = self._ask(
            key,
            tlv.pack(_WITNESS, opened) + tlv.pack(_CHALLENGE, challenge),
            _RESPONSE,
        )
        if not hmac.compare_digest(answer, key.encrypt(challenge)):
            raise WrongManagementKey

    def _ask(self, key: ManagementKey, template: bytes, wanted: int) -> bytes:
        """Send a template; return one block. Real cards refuse with several words."""
        response = self._application.general_authenticate(key.algorithm, _KEY, template)
        if not response.is_ok:
            raise WrongManagementKey
        name = "management key answer"
        block = tlv.need(tlv.need(response.data, 0x7C, name), wanted, name)
        if len(block) != key.algorithm.block_size:
            raise WrongManagementKey
        return block

    def put(self, tag: int, value: bytes) -> None:
        """PUT DATA: replace an object; an empty value deletes it."""
        data = tlv.pack(0x5C, tag.to_bytes(3, "big")) + tlv.pack(0x53, value)
        self._send(Command(0xDB, 0x3F, 0xFF, data))

    def generate(self, slot: KeySlot, algorithm: KeyAlgorithm) -> bytes:
        """GENERATE ASYMMETRIC KEY PAIR: return the DER SubjectPublicKeyInfo.

        May take half a minute. NotSupported.
        """
        control = tlv.pack(0xAC, tlv.pack(0x80, bytes((IDENTIFIER[algorithm],))))
        response = self._send(Command(0x47, 0x00, int(slot, 16), control, le=0))
        value = tlv.need(response.data, 0x7F49, "public key")
        return key_of_answer(algorithm, value)

    def set_tries(self, pin: int, puk: int) -> None:
        """Set both counters (YubiKey FA), which makes PIN and PUK the factory's.

        The PIN must be verified. NotSupported.
        """
        self._send(Command(0xFA, pin, puk))

    def set_management_key(self, new: HeldManagementKey) -> None:
        """Replace the management key (YubiKey FF). NotSupported."""
        data = bytearray((new.algorithm, _KEY, len(new.key))) + new.key.reveal()
        try:
            self._send(Command(0xFF, 0xFF, 0xFF, data))
        finally:
            wipe(data)

    def _send(self, command: Command) -> Response:
        response = self._application.send(command)
        return refusals.must_be_ok(response, command.ins)

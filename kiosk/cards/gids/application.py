"""The GIDS application's commands, one method each (ISO/IEC 7816-4, -8; GIDS 2.0).

An application exists only inside a transaction and is selected when built. A command
that compares a PIN or PUK is sent exactly once. Card worker's thread; only the
CardErrors that each method names, and those of the line, come out.
"""

from __future__ import annotations

import hashlib

from kiosk.cards import status, tlv
from kiosk.cards.apdu import ApduTransport, Command, Response, send, wipe
from kiosk.cards.errors import (
    MalformedAnswer,
    NotSupported,
    ObjectMissing,
    PinRefused,
    UnknownCard,
    WrongAdminKey,
)
from kiosk.cards.gids import objects, refusals
from kiosk.cards.optional import OptionalReads
from kiosk.cards.values import KeyAlgorithm, Tries
from kiosk.core.secret import Secret

AID = bytes.fromhex("A00000039742544659")
PIN, LOGOUT = 0x80, 0x82
PIN_MINIMUM, PIN_MAXIMUM = 4, 16
FIRST_KEY = 0x81
"""The reference of the first container's key; the next ones count on."""
MUTUAL_BYTES = 16
CHALLENGE_BYTES = 8
_PIN_TRIES, _PUK_TRIES = 0x7F71, 0x7F73
_DIGEST_INFO_SHA256 = bytes.fromhex("3031300D060960864801650304020105000420")
_ALGORITHM = {
    KeyAlgorithm.RSA_2048: 0x57,
    KeyAlgorithm.RSA_3072: 0x58,
    KeyAlgorithm.RSA_4096: 0x59,
}
"""In MSE: PKCS#1 v1.5 (50) with the key's identifier."""
_ONE_WAY, _MUTUAL = 0x81, 0xC1


class GidsApplication:
    """The selected application on one card."""

    def __init__(self, line: ApduTransport, reader: str) -> None:
        """SELECT. UnknownCard if the card has no GIDS application."""
        self._line = line
        selected = self.send(Command(0xA4, 0x04, 0x00, AID, le=0))
        if not selected.is_ok and not status.is_warning(selected.sw):
            raise UnknownCard(reader=reader)
        self.optional = OptionalReads()
        self.has_template = bool(selected.data)
        """It said something about itself, which a card that takes any name does not."""

    def send(self, command: Command) -> Response:
        """Send any command to the application."""
        return send(self._line, command)

    # --- reading ----------------------------------------------------------------

    def file(self, place: tuple[int, int], name: str) -> bytes:
        """GET DATA from an elementary file. ObjectMissing, MalformedAnswer."""
        fid, do = place
        asked = tlv.pack(0x5C, do.to_bytes(2, "big"))
        response = self.send(Command(0xCB, fid >> 8, fid & 0xFF, asked, le=0))
        if not response.is_ok:
            raise refusals.of_object(response.sw, name)
        return tlv.need(response.data, do, name)

    def is_blank(self) -> bool:
        """Say whether it is in creation state: VERIFY without a PIN asks for none."""
        return self.send(Command(0x20, 0x00, PIN)).is_ok

    def card_id(self) -> bytes:
        """Return the 16 bytes that name the card. ObjectMissing, MalformedAnswer."""
        value = self.file(objects.CARD_ID, "cardid")
        if len(value) != objects.CARD_ID_BYTES or not any(value):
            raise MalformedAnswer(object="cardid", offset=len(value))
        return value

    def containers(self) -> tuple[objects.Container, ...]:
        """Return the valid key containers. ObjectMissing, MalformedAnswer."""
        return objects.read_cmapfile(self.file(objects.CMAP_FILE, "cmapfile"))

    def certificate(self, container: objects.Container) -> bytes:
        """Return the DER certificate of a container. ObjectMissing, MalformedAnswer."""
        entries = objects.read_masterfile(self.file(objects.MASTERFILE, "masterfile"))
        wanted = container.certificate.casefold()
        for entry in entries:
            if entry.folder == "mscp" and entry.name.casefold() == wanted:
                value = self.file((entry.fid, entry.do), "certificate")
                return objects.read_certificate(value)
        raise ObjectMissing(object=container.certificate)

    def pin_tries(self) -> Tries:
        """Read the PIN counter without a try."""
        tries = self.optional.read("PIN counter", lambda: self._tries(_PIN_TRIES))
        return Tries(None) if tries is None else tries

    def puk_tries(self) -> Tries | None:
        """Read the PUK counter; None: the card has no PUK, or tells nothing of it."""
        return self.optional.read("PUK counter", lambda: self._tries(_PUK_TRIES))

    def _tries(self, do: int) -> Tries | None:
        asked = tlv.pack(0x5C, do.to_bytes(2, "big"))
        response = self.send(Command(0xCB, 0x3F, 0xFF, asked, le=0))
        if not response.is_ok:
            return None
        inner = tlv.need(response.data, do, "counter")
        left = tlv.need(inner, 0x97, "counter")
        total = tlv.find(inner, 0x93, "counter")
        if len(left) != 1:
            raise MalformedAnswer(object="counter", offset=0)
        return Tries(left[0], total[0] if total else None)

    # --- PIN and PUK --------------------------------------------------------------

    def verify(self, pin: Secret) -> None:
        """VERIFY. WrongPin, PinBlocked, PinRefused."""
        self._compare(0x20, 0x00, (pin,))

    def change_pin(self, old: Secret, new: Secret) -> None:
        """CHANGE REFERENCE DATA. WrongPin, PinBlocked, PinRefused."""
        self._compare(0x24, 0x00, (old, new))

    def unblock(self, puk: Secret, new: Secret) -> None:
        """RESET RETRY COUNTER with the PUK. WrongPuk, PukBlocked, PinRefused."""
        data = _joined((puk, new))
        try:
            response = self.send(Command(0x2C, 0x00, PIN, data, compares=True))
        finally:
            wipe(data)
        if not response.is_ok:
            raise refusals.of_puk(response.sw, 0x2C)

    def reset_pin(self, new: Secret) -> None:
        """RESET RETRY COUNTER under the administrator key. PinRefused, NotVerified."""
        data = _joined((new,))
        try:
            response = self.send(Command(0x2C, 0x02, PIN, data, compares=True))
        finally:
            wipe(data)
        if not response.is_ok:
            raise refusals.of_value(response.sw, 0x2C)

    def _compare(self, ins: int, p1: int, values: tuple[Secret, ...]) -> None:
        data = _joined(values)
        try:
            response = self.send(Command(ins, p1, PIN, data, compares=True))
        finally:
            wipe(data)
        if not response.is_ok:
            raise refusals.of_pin(response.sw, ins)

    def logout(self) -> None:
        """Forget the verified PIN. UnexpectedStatus."""
        refusals.must_be_ok(self.send(Command(0x20, 0x00, LOGOUT)), 0x20)

    # --- the administrator key ----------------------------------------------------

    def challenge(self) -> bytes:
        """Ask for the challenge that the key answers (8 bytes). NotSupported.

        It dies with any other command than its answer.
        """
        self._choose_admin_key(_ONE_WAY)
        asked = tlv.pack(0x7C, tlv.pack(0x81, b""))
        return self._authenticate(asked, 0x81, CHALLENGE_BYTES)

    def answer(self, response: bytes) -> None:
        """Answer it. WrongAdminKey."""
        data = tlv.pack(0x7C, tlv.pack(0x82, response))
        answered = self.send(Command(0x87, 0x00, 0x00, data, compares=True))
        if not answered.is_ok:
            raise WrongAdminKey

    def begin_mutual(self, challenge: bytes) -> bytes:
        """Send our challenge, return the card's (16 bytes each). NotSupported."""
        self._choose_admin_key(_MUTUAL)
        data = tlv.pack(0x7C, tlv.pack(0x81, challenge))
        return self._authenticate(data, 0x81, MUTUAL_BYTES)

    def end_mutual(self, cryptogram: bytes) -> bytes:
        """Send our proof, return the card's (40 bytes). WrongAdminKey."""
        data = tlv.pack(0x7C, tlv.pack(0x82, cryptogram))
        command = Command(0x87, 0x00, 0x00, data, le=0, compares=True)
        response = self.send(command)
        if not response.is_ok:
            raise WrongAdminKey
        inner = tlv.need(response.data, 0x7C, "admin proof")
        return tlv.need(inner, 0x82, "admin proof")

    def _choose_admin_key(self, p1: int) -> None:
        response = self.send(Command(0x22, p1, 0xA4, tlv.pack(0x83, b"\x80")))
        if not response.is_ok:
            raise NotSupported(what="administrator key")

    def _authenticate(self, data: bytes, tag: int, size: int) -> bytes:
        response = self.send(Command(0x87, 0x00, 0x00, data, le=0))
        if not response.is_ok:
            raise NotSupported(what="administrator key")
        inner = tlv.need(response.data, 0x7C, "challenge")
        value = tlv.need(inner, tag, "challenge")
        if len(value) != size:
            raise MalformedAnswer(object="challenge", offset=len(value))
        return value

    # --- signing ------------------------------------------------------------------

    def sign(
        self, container: objects.Container, algorithm: KeyAlgorithm, message: bytes
    ) -> bytes:
        """Sign with the container's key; SHA-256 and PKCS#1 v1.5.

        The card does the padding. NotVerified, NotSupported (not an RSA key).
        """
        identifier = _ALGORITHM.get(algorithm)
        if identifier is None:
            raise NotSupported(what=algorithm)
        reference = FIRST_KEY + container.index
        chosen = tlv.pack(0x80, bytes((identifier,))) + tlv.pack(
            0x84, bytes((reference,))
        )
        response = self.send(Command(0x22, 0x41, 0xB6, chosen))
        if not response.is_ok:
            raise refusals.of_key(response.sw, container.certificate)
        info = _DIGEST_INFO_SHA256 + hashlib.sha256(message).digest()
        response = self.send(Command(0x2A, 0x9E, 0x9A, info, le=0))
        if not response.is_ok:
            raise refusals.of_key(response.sw, container.certificate)
        return response.data


def _joined(values: tuple[Secret, ...]) -> bytearray:
    """Return the values in a row, as they are; the caller wipes it. PinRefused."""
    if any(not 0 < len(value) <= PIN_MAXIMUM for value in values):
        raise PinRefused
    out = bytearray(sum(len(value) for value in values))
    at = 0
    for value in values:
        out[at : at + len(value)] = value.reveal()
        at += len(value)
    return out

"""The PIV application's commands, one method each (SP 800-73-5 part 2, §3).

An application exists only inside a transaction and is selected when built. A
command that compares a PIN or PUK is sent exactly once. Card worker's thread; only
the CardErrors that each method names, and those of the line, come out.
"""

from __future__ import annotations

from kiosk.cards import status, tlv
from kiosk.cards.apdu import Command, Line, Response, send, wipe
from kiosk.cards.piv import objects, refusals
from kiosk.cards.piv.metadata import PinMetadata, read_pin_metadata
from kiosk.cards.piv.signing import IDENTIFIER, to_sign
from kiosk.cards.ports import (
    KeyAlgorithm,
    KeySlot,
    PinRefused,
    Tries,
    UnknownCard,
)
from kiosk.secret import Secret

AID = bytes.fromhex("A000000308")
PIN, PUK = 0x80, 0x81
_REFERENCE_BYTES = 8
_SERIAL_BYTES = 4
_VERSION_BYTES = 3


def padded(*values: Secret) -> bytearray:
    """Return the values in a row, FF-padded to eight bytes each. PinRefused.

    The caller wipes it.
    """
    if any(len(value) > _REFERENCE_BYTES for value in values):
        raise PinRefused
    out = bytearray(b"\xff" * _REFERENCE_BYTES * len(values))
    for index, value in enumerate(values):
        at = index * _REFERENCE_BYTES
        out[at : at + len(value)] = value.reveal()
    return out


class PivApplication:
    """The selected application on one card."""

    def __init__(self, line: Line, reader: str) -> None:
        """SELECT. UnknownCard if the card has no PIV application."""
        self._line = line
        if not self.send(Command(0xA4, 0x04, 0x00, AID, le=0)).is_ok:
            raise UnknownCard(reader=reader)

    def send(self, command: Command) -> Response:
        """Send any command to the application."""
        return send(self._line, command)

    # --- reading ----------------------------------------------------------------

    def object(self, tag: int, name: str) -> bytes:
        """GET DATA: the value inside tag 53 (7E for discovery). ObjectMissing."""
        is_bare = tag == objects.DISCOVERY
        asked = tlv.pack(0x5C, tag.to_bytes(1 if is_bare else 3, "big"))
        response = self.send(Command(0xCB, 0x3F, 0xFF, asked, le=0))
        if not response.is_ok:
            raise refusals.of_object(response.sw, name)
        return tlv.need(response.data, tag if is_bare else 0x53, name)

    def certificate(self, slot: KeySlot) -> bytes:
        """Return the DER certificate of a slot. ObjectMissing, MalformedAnswer."""
        value = self.object(objects.CERTIFICATES[slot], f"certificate {slot}")
        return objects.read_certificate(value)

    def serial(self) -> bytes | None:
        """Return a YubiKey's serial number (F8, 4 bytes big-endian), or None."""
        return self._constant(0xF8, _SERIAL_BYTES)

    def version(self) -> bytes | None:
        """Return a YubiKey's firmware version (FD, 3 bytes), or None."""
        return self._constant(0xFD, _VERSION_BYTES)

    def _constant(self, ins: int, size: int) -> bytes | None:
        response = self.send(Command(ins, 0x00, 0x00, le=0))
        is_told = response.is_ok and len(response.data) == size
        return response.data if is_told else None

    def metadata(self, reference: int) -> bytes | None:
        """Return what a YubiKey tells about a reference (F7), or None.

        Some cards answer 9000 and nothing, which is also None.
        """
        response = self.send(Command(0xF7, 0x00, reference, le=0))
        return response.data if response.is_ok and response.data else None

    def pin_metadata(self, reference: int) -> PinMetadata | None:
        """Return counter and default flag of PIN or PUK, or None."""
        value = self.metadata(reference)
        return read_pin_metadata(value) if value is not None else None

    def pin_tries(self) -> Tries:
        """Read the PIN counter with an empty VERIFY, which costs nothing.

        A verified PIN hides it: `left` is None then. ContactNeeded.
        """
        response = self.send(Command(0x20, 0x00, PIN))
        if response.is_ok:
            return Tries(None)
        left = status.tries_of(response.sw)
        if left is None:
            raise refusals.other(response.sw, 0x20)
        return Tries(left)

    # --- PIN and PUK ------------------------------------------------------------

    def verify(self, pin: Secret) -> None:
        """VERIFY. WrongPin, PinBlocked, PinRefused."""
        response = self._compare(0x20, PIN, pin)
        if not response.is_ok:
            raise refusals.of_pin(response.sw, 0x20)

    def logout(self) -> None:
        """VERIFY with P1 FF: the verified state is gone, where the card knows it."""
        self.send(Command(0x20, 0xFF, PIN))

    def change_pin(self, old: Secret, new: Secret) -> None:
        """CHANGE REFERENCE DATA of the PIN. WrongPin, PinBlocked, PinRefused."""
        response = self._compare(0x24, PIN, old, new)
        if not response.is_ok:
            raise refusals.of_pin(response.sw, 0x24)

    def change_puk(self, old: Secret, new: Secret) -> None:
        """CHANGE REFERENCE DATA of the PUK. WrongPuk, PukBlocked, NotSupported."""
        response = self._compare(0x24, PUK, old, new)
        if not response.is_ok:
            raise refusals.of_puk(response.sw, 0x24)

    def reset_retry_counter(self, puk: Secret, new: Secret) -> None:
        """RESET RETRY COUNTER. WrongPuk, PukBlocked, PinRefused, NotSupported."""
        response = self._compare(0x2C, PIN, puk, new)
        if not response.is_ok:
            raise refusals.of_puk(response.sw, 0x2C)

    def _compare(self, ins: int, reference: int, *values: Secret) -> Response:
        """Send a command that may cost a try: once."""
        data = padded(*values)
        try:
            return self.send(Command(ins, 0x00, reference, data, compares=True))
        finally:
            wipe(data)

    # --- keys -------------------------------------------------------------------

    def sign(self, slot: KeySlot, algorithm: KeyAlgorithm, message: bytes) -> bytes:
        """GENERAL AUTHENTICATE: sign. NotVerified (PIN or touch), ObjectMissing."""
        template = tlv.pack(0x82, b"") + tlv.pack(0x81, to_sign(algorithm, message))
        response = self.general_authenticate(
            IDENTIFIER[algorithm], int(slot, 16), template
        )
        if not response.is_ok:
            raise refusals.of_key(response.sw, f"key {slot}")
        inner = tlv.need(response.data, 0x7C, "signature")
        return tlv.need(inner, 0x82, "signature")

    def general_authenticate(
        self, algorithm: int, key: int, template: bytes
    ) -> Response:
        """Send one dynamic authentication template (tag 7C)."""
        data = tlv.pack(0x7C, template)
        return self.send(Command(0x87, algorithm, key, data, le=0))

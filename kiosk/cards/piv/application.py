"""The PIV application's commands, one method each (SP 800-73-5 part 2, §3).

An application exists only inside a transaction and is selected when built. A
command that compares a PIN or PUK is sent exactly once. Card worker's thread; only
the CardErrors that each method names, and those of the line, come out.
"""

from __future__ import annotations

from enum import Enum, auto

from kiosk.cards import status, tlv
from kiosk.cards.apdu import ApduTransport, Command, Response, send, wipe
from kiosk.cards.errors import (
    CardError,
    ContactNeeded,
    MalformedAnswer,
    NotSupported,
    PinRefused,
    PukRefused,
    UnknownCard,
    WrongPin,
)
from kiosk.cards.optional import OptionalReads
from kiosk.cards.piv import objects, refusals
from kiosk.cards.piv.metadata import PinMetadata, read_pin_metadata
from kiosk.cards.piv.signing import IDENTIFIER, to_sign
from kiosk.cards.values import KeyAlgorithm, KeySlot, Tries
from kiosk.core.secret import Secret

AID = bytes.fromhex("A000000308")
LONGER_AIDS = (
    bytes.fromhex("A00000030800001000"),
    bytes.fromhex("A0000003080000100001 00"),
)
"""Without and with the version, for cards that do not take a right-truncated name."""
GLOBAL_PIN, PIN, PUK = 0x00, 0x80, 0x81
_REFERENCE_BYTES = 8
_SERIAL_BYTES = 4
_VERSION_BYTES = 3
_LABEL, _URL, _ALGORITHMS = 0x50, 0x5F50, 0xAC
_FIRST_WITH_63CX = b"\x04"
"""Firmware before it tells tries as 630x (NEO)."""
_NEEDS_CONTACT = frozenset({status.UNSUPPORTED, status.NOT_SATISFIED})
"""How a card refuses over the air what it does in a contact reader."""
_MOST_TOLD = 15
"""What 63Cx can tell; a counter may have more."""


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


class NoCounter(Enum):
    """Why an empty VERIFY has told no counter."""

    VERIFIED = auto()
    """The PIN is verified, which hides it."""
    NO_REFERENCE = auto()
    """The card has no such PIN."""
    SILENT = auto()
    """It answered something that is no counter."""


class PivApplication:
    """The selected application on one card."""

    def __init__(
        self,
        line: ApduTransport,
        reader: str,
        *,
        aid: bytes = AID,
        is_contactless: bool = False,
    ) -> None:
        """SELECT. UnknownCard if the card has no PIV application.

        A card that warns (62xx) has selected it all the same (ISO/IEC 7816-4 §5.6).
        """
        self._line = line
        self._is_contactless = is_contactless
        selected = self.send(Command(0xA4, 0x04, 0x00, aid, le=0))
        if not selected.is_ok and not status.is_warning(selected.sw):
            raise UnknownCard(reader=reader)
        self.has_template = bool(selected.data)
        """It said something about itself, which a card that takes any name does not."""
        self.optional = OptionalReads()
        self.may_be_yubikey = _is_bare(selected.data)
        """Its template tells nothing but names, as a YubiKey's does."""
        self.pin_reference = PIN
        """What PIN commands are about: `Traits.pin_reference`, once that is known."""
        self.has_metadata = False
        """Counters may be read with F7 (`Traits.has_metadata`)."""

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
        response = self.ask_metadata(reference)
        return response.data if response.is_ok and response.data else None

    def ask_metadata(self, reference: int) -> Response:
        """Send F7 for a reference, whatever is answered."""
        return self.send(Command(0xF7, 0x00, reference, le=0))

    def pin_metadata(self, reference: int) -> PinMetadata | None:
        """Return counter and default flag of PIN or PUK, or None."""
        value = self.metadata(reference)
        if value is None:
            return None
        return self.optional.read("PIN metadata", lambda: read_pin_metadata(value))

    def pin_tries(self) -> Tries:
        """Read the PIN counter, which costs nothing. ContactNeeded.

        From metadata where there are any. Else with an empty VERIFY: more than 15 show
        as 15, and `left` is None where the card tells none.
        """
        told = self.pin_metadata(self.pin_reference) if self.has_metadata else None
        if told is not None:
            return told.tries
        counter = self.counter(self.pin_reference)
        return counter if isinstance(counter, Tries) else Tries(None)

    def counter(self, reference: int) -> Tries | NoCounter:
        """Ask with an empty VERIFY. ContactNeeded (a contactless reader).

        Cards differ in which form they take, without or with Le. A second one is sent
        only where the first was no comparison: 63xx might have been one.
        """
        response = self.send(Command(0x20, 0x00, reference))
        if not response.is_ok and not status.is_comparison(response.sw):
            if self._is_contactless and response.sw in _NEEDS_CONTACT:
                raise ContactNeeded(what="20")
            if response.sw in status.ABSENT:
                return NoCounter.NO_REFERENCE
            response = self.send(Command(0x20, 0x00, reference, le=0))
        if response.is_ok:
            return NoCounter.VERIFIED
        left = status.tries_of(self._modern(response.sw))
        return NoCounter.SILENT if left is None else Tries(left)

    # --- PIN and PUK ------------------------------------------------------------

    def verify(self, pin: Secret) -> None:
        """VERIFY. WrongPin, PinBlocked, PinRefused."""
        response = self._compare(0x20, self.pin_reference, pin)
        if not response.is_ok:
            raise self.pin_refusal(response.sw, 0x20)

    def logout(self) -> None:
        """VERIFY with P1 FF: the verified state is gone, where the card knows it."""
        self.send(Command(0x20, 0xFF, self.pin_reference))

    def change_pin(self, old: Secret, new: Secret) -> None:
        """CHANGE REFERENCE DATA of the PIN.

        WrongPin, PinBlocked, PinRefused, NotSupported (a global PIN; nothing is sent).
        """
        self.must_be_own_pin()
        response = self._compare(0x24, PIN, old, new)
        if not response.is_ok:
            raise self.pin_refusal(response.sw, 0x24)

    def change_puk(self, old: Secret, new: Secret) -> None:
        """CHANGE REFERENCE DATA of the PUK.

        WrongPuk, PukBlocked, PukRefused, NotSupported.
        """
        response = self._compare(0x24, PUK, old, new)
        if response.is_ok:
            return
        refusal = self.puk_refusal(response.sw, 0x24)
        raise PukRefused if isinstance(refusal, PinRefused) else refusal

    def reset_retry_counter(self, puk: Secret, new: Secret) -> None:
        """RESET RETRY COUNTER. WrongPuk, PukBlocked, PinRefused, NotSupported."""
        self.must_be_own_pin()
        response = self._compare(0x2C, PIN, puk, new)
        if not response.is_ok:
            raise self.puk_refusal(response.sw, 0x2C)

    def must_be_own_pin(self) -> None:
        """A global PIN is changed by what it belongs to (part 2, §3.2.2, §3.2.3)."""
        if self.pin_reference == GLOBAL_PIN:
            raise NotSupported(what="global PIN")

    def puk_refusal(self, sw: int, ins: int) -> CardError:
        """Return what a refusal of a command with the PUK means."""
        return refusals.of_puk(self._modern(sw), ins)

    def pin_refusal(self, sw: int, ins: int) -> CardError:
        """Return what a refusal means, with all tries left where metadata tell."""
        refusal = refusals.of_pin(self._modern(sw), ins)
        is_capped = isinstance(refusal, WrongPin) and refusal.tries_left == _MOST_TOLD
        if not (is_capped and self.has_metadata):
            return refusal
        try:
            told = self.pin_metadata(self.pin_reference)
        except CardError:
            # The try is spent: that is what the caller has to know.
            return refusal
        left = told.tries.left if told is not None else None
        return WrongPin(_MOST_TOLD if left is None else left)

    def _modern(self, sw: int) -> int:
        """Return 63Cx for the 630x of old keys, and 6300 where others answer that."""
        if not status.is_old_count(sw):
            return sw
        try:
            version = self.version()
        except CardError:
            version = None
        is_old = version is not None and version < _FIRST_WITH_63CX
        return 0x63C0 | sw & 0x0F if is_old else status.WRONG_UNCOUNTED

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


def _is_bare(template: bytes) -> bool:
    """Say whether an application property template has no label, URL or algorithms.

    Part 2, table 3. One that means nothing says nothing.
    """
    try:
        inside = tlv.find(template, 0x61, "application") or b""
        tags = {tag for tag, _ in tlv.walk(inside, "application")}
    except MalformedAnswer:
        return True
    return tags.isdisjoint((_LABEL, _URL, _ALGORITHMS))

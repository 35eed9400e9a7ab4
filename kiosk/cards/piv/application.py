"""The PIV application's commands, one method each (SP 800-73-5 part 2, §3).

An application exists only inside a transaction and is selected when built. A
command that compares a PIN or PUK is sent exactly once.
"""

from __future__ import annotations

import hashlib

from kiosk.cards import tlv
from kiosk.cards.apdu import Command, Line, Response, send, wipe
from kiosk.cards.piv import objects
from kiosk.cards.piv.signing import IDENTIFIER, to_sign
from kiosk.cards.ports import (
    IdentityKind,
    KeyAlgorithm,
    KeySlot,
    MalformedAnswer,
    NotSupported,
    NotVerified,
    ObjectMissing,
    PinBlocked,
    PinRefused,
    PukBlocked,
    Tries,
    UnexpectedStatus,
    UnknownCard,
    WrongPin,
    WrongPuk,
)
from kiosk.secret import Secret

AID = bytes.fromhex("A000000308")
PIN = 0x80
PUK = 0x81
PADDED = 8
_NOT_THERE = frozenset({0x6A82, 0x6A88, 0x6A86, 0x6A80})
_NO_INSTRUCTION = frozenset({0x6D00, 0x6E00, 0x6A81})
_REFUSED = frozenset({0x6A80, 0x6985, 0x6700, 0x6A86})


def tries_of(sw: int) -> int | None:
    """Return the tries that a status word tells: 63Cx, 6983; None: it does not."""
    if sw == 0x6983:
        return 0
    return sw & 0x0F if sw & 0xFFF0 == 0x63C0 else None


def padded(*values: Secret) -> bytearray:
    """Return each value FF-padded to eight bytes, one after the other. Wipe it."""
    out = bytearray()
    for value in values:
        if len(value) > PADDED:
            wipe(out)
            raise PinRefused
        out += value.reveal()
        out += b"\xff" * (PADDED - len(value))
    return out


class PivApplication:
    """The selected application on one card. Card worker's thread, in a transaction."""

    def __init__(self, line: Line, reader: str) -> None:
        """SELECT. UnknownCard if the card has no PIV application."""
        self._line = line
        response = self._send(Command(0xA4, 0x04, 0x00, AID, le=0))
        if not response.is_ok:
            raise UnknownCard(reader=reader)

    def _send(self, command: Command) -> Response:
        return send(self._line, command)

    # --- reading --------------------------------------------------------------

    def object(self, tag: int, name: str) -> bytes:
        """GET DATA: return the value inside tag 53. ObjectMissing."""
        asked = tlv.pack(0x5C, tag.to_bytes(3 if tag > 0xFF else 1, "big"))
        response = self._send(Command(0xCB, 0x3F, 0xFF, asked, le=0))
        if response.sw in _NOT_THERE:
            raise ObjectMissing(object=name)
        self._must_be_ok(response, 0xCB)
        return tlv.need(response.data, 0x53, name)

    def serial(self) -> bytes | None:
        """Return a YubiKey's serial number (4 bytes), or None."""
        response = self._send(Command(0xF8, 0, 0, le=0))
        return response.data if response.is_ok and len(response.data) == 4 else None

    def identify(self) -> tuple[IdentityKind, bytes]:
        """Return the first identity the card has, in order of preference."""
        serial = self.serial()
        if serial is not None:
            return IdentityKind.SERIAL, serial
        return self._chuid_identity() or self._key_identity()

    def identity(self, kind: IdentityKind) -> bytes:
        """Return the identity of one kind, in one APDU where there is one."""
        match kind:
            case IdentityKind.SERIAL:
                return self.serial() or b""
            case IdentityKind.KEY:
                return self._key_identity()[1]
            case _:
                found = self._chuid_identity()
                return found[1] if found is not None and found[0] is kind else b""

    def _chuid_identity(self) -> tuple[IdentityKind, bytes] | None:
        try:
            value = self.object(objects.CHUID, "CHUID")
        except ObjectMissing:
            return None
        return objects.read_chuid(value).identity()

    def _key_identity(self) -> tuple[IdentityKind, bytes]:
        der = self.certificate(KeySlot.AUTHENTICATION)
        return IdentityKind.KEY, hashlib.sha256(public_key(der)).digest()

    def certificate(self, slot: KeySlot) -> bytes:
        """Return the DER certificate of a slot. ObjectMissing."""
        value = self.object(objects.CERTIFICATES[slot], f"certificate {slot}")
        return objects.read_certificate(value)

    def pin_tries(self) -> Tries:
        """Ask for the PIN counter with an empty VERIFY, which costs nothing."""
        response = self._send(Command(0x20, 0x00, PIN))
        if response.is_ok:
            return Tries(None)
        left = tries_of(response.sw)
        if left is None:
            raise UnexpectedStatus(ins="20", sw=f"{response.sw:04X}")
        return Tries(left)

    # --- PIN and PUK ----------------------------------------------------------

    def verify(self, pin: Secret) -> None:
        """VERIFY. WrongPin, PinBlocked."""
        response = self._send_secret(0x20, 0x00, PIN, pin)
        if not response.is_ok:
            raise _pin_error(response.sw, 0x20)

    def logout(self) -> None:
        """VERIFY with P1 FF: the verified state is gone."""
        self._send(Command(0x20, 0xFF, PIN))

    def change_pin(self, old: Secret, new: Secret) -> None:
        """CHANGE REFERENCE DATA of the PIN. WrongPin, PinBlocked, PinRefused."""
        response = self._send_secret(0x24, 0x00, PIN, old, new)
        if not response.is_ok:
            raise _pin_error(response.sw, 0x24)

    def change_puk(self, old: Secret, new: Secret) -> None:
        """CHANGE REFERENCE DATA of the PUK. WrongPuk, PukBlocked, NotSupported."""
        response = self._send_secret(0x24, 0x00, PUK, old, new)
        if not response.is_ok:
            raise _puk_error(response.sw, 0x24)

    def reset_retry_counter(self, puk: Secret, new: Secret) -> None:
        """RESET RETRY COUNTER. WrongPuk, PukBlocked, PinRefused, NotSupported."""
        response = self._send_secret(0x2C, 0x00, PIN, puk, new)
        if not response.is_ok:
            raise _puk_error(response.sw, 0x2C)

    def _send_secret(self, ins: int, p1: int, p2: int, *values: Secret) -> Response:
        data = padded(*values)
        try:
            return self._send(Command(ins, p1, p2, data, secret=True))
        finally:
            wipe(data)

    # --- keys -----------------------------------------------------------------

    def sign(self, slot: KeySlot, algorithm: KeyAlgorithm, message: bytes) -> bytes:
        """GENERAL AUTHENTICATE: sign. NotVerified, ObjectMissing."""
        template = tlv.pack(0x82, b"") + tlv.pack(0x81, to_sign(algorithm, message))
        response = self.general_authenticate(
            IDENTIFIER[algorithm], int(slot, 16), template
        )
        if response.sw == 0x6982:
            raise NotVerified
        if response.sw in _NOT_THERE:
            raise ObjectMissing(object=f"key {slot}")
        self._must_be_ok(response, 0x87)
        inner = tlv.need(response.data, 0x7C, "signature")
        return tlv.need(inner, 0x82, "signature")

    def general_authenticate(
        self, algorithm: int, key: int, template: bytes
    ) -> Response:
        """Send one dynamic authentication template (tag 7C)."""
        data = tlv.pack(0x7C, template)
        return self._send(Command(0x87, algorithm, key, data, le=0))

    def put(self, tag: int, value: bytes) -> None:
        """PUT DATA. NotVerified without the management key."""
        data = tlv.pack(0x5C, tag.to_bytes(3, "big")) + tlv.pack(0x53, value)
        self._admin(Command(0xDB, 0x3F, 0xFF, data), 0xDB)

    def generate(self, slot: KeySlot, algorithm: KeyAlgorithm) -> bytes:
        """GENERATE ASYMMETRIC KEY PAIR; return the value of 7F49."""
        control = tlv.pack(0xAC, tlv.pack(0x80, bytes((IDENTIFIER[algorithm],))))
        command = Command(0x47, 0x00, int(slot, 16), control, le=0)
        return tlv.need(self._admin(command, 0x47).data, 0x7F49, "public key")

    def set_management_key(self, algorithm: int, key: Secret) -> None:
        """Replace 9B (YubiKey FF). NotSupported on cards that do it otherwise."""
        data = bytearray((algorithm, 0x9B, len(key))) + key.reveal()
        try:
            self._admin(Command(0xFF, 0xFF, 0xFF, data, secret=True), 0xFF)
        finally:
            wipe(data)

    def _admin(self, command: Command, ins: int) -> Response:
        response = self._send(command)
        if response.sw == 0x6982:
            raise NotVerified
        if response.sw in _NO_INSTRUCTION:
            raise NotSupported(what=f"{ins:02X}")
        self._must_be_ok(response, ins)
        return response

    @staticmethod
    def _must_be_ok(response: Response, ins: int) -> None:
        if not response.is_ok:
            raise UnexpectedStatus(ins=f"{ins:02X}", sw=f"{response.sw:04X}")


def public_key(certificate: bytes) -> bytes:
    """Return the DER SubjectPublicKeyInfo of a certificate. MalformedAnswer."""
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    try:
        key = x509.load_der_x509_certificate(certificate).public_key()
        return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except ValueError as error:
        raise MalformedAnswer(object="certificate", offset=0) from error


def _pin_error(sw: int, ins: int) -> Exception:
    left = tries_of(sw)
    if left == 0:
        return PinBlocked()
    if left is not None:
        return WrongPin(left)
    if sw == 0x6300:
        return WrongPin(-1)
    if sw in _REFUSED:
        return PinRefused()
    return UnexpectedStatus(ins=f"{ins:02X}", sw=f"{sw:04X}")


def _puk_error(sw: int, ins: int) -> Exception:
    left = tries_of(sw)
    if left == 0:
        return PukBlocked()
    if left is not None:
        return WrongPuk(left)
    if sw == 0x6300:
        return WrongPuk(-1)
    if sw in _REFUSED:
        return PinRefused()
    if sw in _NO_INSTRUCTION or sw == 0x6A88:
        return NotSupported(what=f"{ins:02X}")
    return UnexpectedStatus(ins=f"{ins:02X}", sw=f"{sw:04X}")

"""A PIV card made of software: raw APDUs in, raw answers out.

The same object serves a simulated reader in this process and, behind the virtual
reader, a real pcscd. It implements what SP 800-73-5 asks of a card and what the
measured cards do, as `PivOptions` says. Not for real use: its keys are ordinary
Python objects.
"""

from __future__ import annotations

from cryptography.hazmat.primitives.serialization import Encoding

from kiosk.cards import status, tlv
from kiosk.cards.piv import objects
from kiosk.cards.piv.attestation import CERTIFICATE as ATTESTATION
from kiosk.cards.ports import MalformedAnswer
from kiosk.cards.simulated import attestation
from kiosk.cards.simulated.admin import AdminKey
from kiosk.cards.simulated.framing import Framing, Request
from kiosk.cards.simulated.keys import (
    PrivateKey,
    generate,
    public_value,
    sign_raw,
)
from kiosk.cards.simulated.metadata import metadata, policies
from kiosk.cards.simulated.options import PivOptions
from kiosk.cards.simulated.references import References
from kiosk.cards.simulated.status import Status
from kiosk.entropy import Entropy

ATR = bytes.fromhex("3B8D80018073C021C057597562694B6579F9")
_APPLICATION = bytes.fromhex("A000000308000010000100")
_AID = bytes.fromhex("A000000308")
_ADMIN, _KEY_9A, _KEY_9C, _KEY_9E = 0x9B, 0x9A, 0x9C, 0x9E
KEYS = frozenset({_KEY_9A, _KEY_9C, 0x9D, _KEY_9E, *range(0x82, 0x96)})
_NEED_PIN = frozenset({0x5FC109, 0x5FC103, 0x5FC108, 0x5FC121})
"""Printed information, fingerprints, face, iris (SP 800-73-5 part 1, table 3)."""
_OVER_THE_AIR = frozenset({objects.CHUID, objects.CERTIFICATE_9E, objects.DISCOVERY})
_CONTACT_ONLY = frozenset({0x20, 0x24, 0x2C, 0x47, 0xDB, 0xFA, 0xFF})


class SimulatedPivCard:
    """The card. One thread at a time."""

    def __init__(
        self,
        *,
        entropy: Entropy,
        options: PivOptions | None = None,
        pin: bytes = b"123456",
        puk: bytes = b"12345678",
    ) -> None:
        """Make a blank card with these reference data (ASCII, at most 8 bytes)."""
        self.options = options or PivOptions()
        self.objects: dict[int, bytes] = {}
        """Data objects: container tag → value inside tag 53."""
        self.keys: dict[int, PrivateKey] = {}
        """Key reference → key."""
        self.atr = ATR
        self.is_touched = True
        """Whether somebody touches the contact in time (`PivOptions.touch`)."""
        self.commands: list[int] = []
        """Instruction bytes received since power-on: headers only, never data."""
        self.references = References(
            self.options, pin=pin, puk=puk, both_blocked=self._both_blocked
        )
        self.admin = AdminKey(entropy, self.options.management_algorithm)
        self.maker: attestation.Maker | None = None
        """Who states what keys it has made; made when it is first asked."""
        self._framing = Framing(self.options.chunk)
        self._is_selected = False
        self._is_fresh = False
        """VERIFY was the command before."""

    # --- what a test or rehearsal observes, and does behind everybody's back -------

    @property
    def pin_tries_left(self) -> int:
        return self.references.pin.left

    @property
    def puk_tries_left(self) -> int:
        return self.references.puk.left

    @property
    def is_verified(self) -> bool:
        return self.references.is_verified

    def has_pin(self, pin: bytes | bytearray) -> bool:
        """Say whether this is the PIN, without a try."""
        return self.references.pin.is_value(pin)

    def has_puk(self, puk: bytes | bytearray) -> bool:
        """Say whether this is the PUK, without a try."""
        return self.references.puk.is_value(puk)

    def set_tries(self, *, pin: int | None = None, puk: int | None = None) -> None:
        """Set the counters, e.g. for a card that arrives blocked."""
        if pin is not None:
            self.references.pin.left = pin
        if puk is not None:
            self.references.puk.left = puk

    def set_pin(self, pin: bytes) -> None:
        """Change the PIN elsewhere."""
        self.references.pin.replace(pin)

    # --- power and bytes --------------------------------------------------------

    def power_on(self) -> bytes:
        """Power on or reset: all security state is gone. Returns the ATR."""
        self._framing.power_off()
        self._forget()
        self._is_selected = False
        self.commands.clear()
        return self.atr

    def transmit(self, apdu: bytes | bytearray) -> bytearray:
        """Take one command APDU, return data and status word."""
        self.commands.extend(apdu[1:2])
        return self._framing.transmit(apdu, self._execute)

    def _execute(self, request: Request) -> bytes:
        is_fresh, self._is_fresh = self._is_fresh, False
        try:
            if request.ins == 0xA4:
                return self._select(request)
            if not self._is_selected:
                raise Status(status.NOTHING_SELECTED)
            if self.options.contactless and request.ins in _CONTACT_ONLY:
                raise Status(status.UNSUPPORTED)
            return self._command(request, is_fresh=is_fresh)
        except MalformedAnswer:
            raise Status(status.WRONG_DATA) from None

    def _select(self, request: Request) -> bytes:
        aid = bytes(request.data)
        if not _APPLICATION.startswith(aid) or len(aid) < len(_AID):
            was_selected = self._is_selected
            if self.options.unknown_aid_deselects:
                self._forget()
                self._is_selected = False
            unknown = self.options.unknown_aid if was_selected else status.NOT_FOUND
            raise Status(unknown)
        if not self.options.select_keeps_pin:
            self._forget()
        self._is_selected = True
        if request.p2 == 0x0C:
            return b""
        authority = tlv.pack(0x79, tlv.pack(0x4F, _AID))
        return tlv.pack(0x61, tlv.pack(0x4F, _APPLICATION[5:]) + authority)

    def _command(self, request: Request, *, is_fresh: bool) -> bytes:
        p1, p2, data = request.p1, request.p2, request.data
        match request.ins:
            case 0x20:
                answer = self.references.verify(p1, p2, data)
                self._is_fresh = self.references.is_verified and bool(data)
                return answer
            case 0x24:
                return self.references.change(p2, data)
            case 0x2C:
                return self.references.reset(p2, data)
            case 0x87:
                return self._authenticate(p1, p2, bytes(data), is_fresh=is_fresh)
            case 0x47:
                return self._generate(p2, bytes(data))
            case 0xCB:
                return self._get(bytes(data))
            case 0xDB:
                return self._put(bytes(data))
        return self._vendor(request)

    def _vendor(self, request: Request) -> bytes:
        """What YubiKeys have besides."""
        match request.ins:
            case 0xFD if self.options.version:
                return self.options.version
            case 0xF8 if self.options.serial:
                return self.options.serial
            case 0xF7 if self.options.has_metadata:
                return metadata(self, request.p2)
            case 0xF9 if self.options.attests:
                return self._attest(request.p1)
            case 0xFA if self.options.version:
                return self._set_tries(request.p1, request.p2)
            case 0xFB if self.options.version:
                return self._to_factory()
            case 0xFF:
                return self._set_admin(request.data)
        raise Status(status.UNKNOWN_INS)

    def _forget(self) -> None:
        self.references.is_verified = self._is_fresh = False
        self.admin.forget()

    # --- keys -------------------------------------------------------------------

    def _authenticate(self, p1: int, p2: int, data: bytes, *, is_fresh: bool) -> bytes:
        parts = dict(tlv.walk(tlv.need(data, 0x7C, "command"), "command"))
        if p2 == _ADMIN:
            if self.options.contactless:
                raise Status(status.UNSUPPORTED)
            answer = self.admin.authenticate(p1, parts)
            return tlv.pack(0x7C, answer) if answer else b""
        key = self.keys.get(p2)
        if key is None:
            raise Status(status.WRONG_DATA)
        if p2 != _KEY_9E:
            self._must_allow(p2, is_fresh=is_fresh)
        signature = sign_raw(key, p1, parts.get(0x81, b""))
        if signature is None:
            raise Status(status.WRONG_DATA)
        return tlv.pack(0x7C, tlv.pack(0x82, signature))

    def _must_allow(self, key: int, *, is_fresh: bool) -> None:
        is_always = key == _KEY_9C or self.options.pin_always
        is_untouched = self.options.touch and key == _KEY_9A and not self.is_touched
        if (
            self.options.contactless
            or not self.references.is_verified
            or (is_always and not is_fresh)
            or is_untouched
        ):
            raise Status(status.NOT_SATISFIED)

    def _generate(self, p2: int, data: bytes) -> bytes:
        self._need_admin()
        if p2 not in KEYS:
            raise Status(status.WRONG_P1P2)
        wanted = tlv.need(tlv.need(data, 0xAC, "command"), 0x80, "command")
        key = generate(wanted[0]) if wanted else None
        if key is None:
            raise Status(status.WRONG_DATA)
        self.keys[p2] = key
        return tlv.pack(0x7F49, public_value(key, self.options.exponent))

    def _need_admin(self) -> None:
        if not self.admin.is_authenticated:
            raise Status(status.NOT_SATISFIED)

    def _set_admin(self, data: bytearray) -> bytes:
        self._need_admin()
        if len(data) < 3 or data[1] != _ADMIN or data[2] != len(data) - 3:
            raise Status(status.WRONG_DATA)
        self.admin.replace(data[0], data[3:])
        return b""

    # --- objects ----------------------------------------------------------------

    def _get(self, data: bytes) -> bytes:
        tag = int.from_bytes(tlv.need(data, 0x5C, "command"), "big")
        if self.options.contactless and tag not in _OVER_THE_AIR:
            raise Status(status.NOT_SATISFIED)
        if tag == objects.DISCOVERY:
            policy = tlv.pack(0x5F2F, b"\x40\x00")
            return tlv.pack(tag, tlv.pack(0x4F, _APPLICATION) + policy)
        if tag in _NEED_PIN and not self.references.is_verified:
            raise Status(status.NOT_SATISFIED)
        if tag == ATTESTATION and self.options.attests:
            der = self._maker().certificate.public_bytes(Encoding.DER)
            return tlv.pack(0x53, objects.write_certificate(der))
        if tag not in self.objects:
            raise Status(status.NOT_FOUND)
        return tlv.pack(0x53, self.objects[tag])

    def _put(self, data: bytes) -> bytes:
        self._need_admin()
        tag = int.from_bytes(tlv.need(data, 0x5C, "command"), "big")
        value = tlv.need(data, 0x53, "command")
        if value:
            self.objects[tag] = value
        else:
            self.objects.pop(tag, None)
        return b""

    # --- a YubiKey's own commands -----------------------------------------------

    def _attest(self, slot: int) -> bytes:
        """F9: the factory's word that the key of a slot was made here."""
        serial = int.from_bytes(self.options.serial, "big")
        told = {
            attestation.FIRMWARE: self.options.version,
            attestation.SERIAL: tlv.pack(
                0x02, serial.to_bytes(serial.bit_length() // 8 + 1, "big")
            ),
            attestation.POLICIES: policies(self, slot),
        }
        return attestation.statement(self._maker(), self.keys.get(slot), slot, told)

    def _maker(self) -> attestation.Maker:
        if self.maker is None:
            self.maker = attestation.new_maker()
        return self.maker

    def _set_tries(self, pin: int, puk: int) -> bytes:
        """FA: new counters, and PIN and PUK back to their defaults."""
        self._need_admin()
        if not self.references.is_verified or not pin or not puk:
            raise Status(status.NOT_SATISFIED)
        self.references.to_factory(pin, puk)
        return b""

    def _to_factory(self) -> bytes:
        """FB: only once PIN and PUK are both blocked."""
        references = self.references
        if references.pin.left or references.puk.left:
            raise Status(status.CONDITIONS)
        references.to_factory(references.pin.total, references.puk.total)
        self.admin.to_factory()
        self._erase()
        return b""

    def _both_blocked(self) -> None:
        if self.options.both_blocked_erases:
            self._erase()

    def _erase(self) -> None:
        self.keys.clear()
        self.objects.clear()

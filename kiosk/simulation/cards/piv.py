"""A PIV card made of software: raw APDUs in, raw answers out.

The same object serves a simulated reader in this process and, behind the virtual
reader, a real pcscd. It implements what SP 800-73-5 asks of a card and what the
measured cards do, as `PivOptions` says. Not for real use: its keys are ordinary
Python objects.
"""

from __future__ import annotations

import functools

from cryptography.hazmat.primitives.serialization import Encoding

from kiosk.cards import status, tlv
from kiosk.cards.errors import MalformedAnswer
from kiosk.cards.piv import objects
from kiosk.cards.piv.attestation import CERTIFICATE as ATTESTATION
from kiosk.core.clock import Clock
from kiosk.core.entropy import Entropy
from kiosk.simulation.cards import attestation, management, yubikey
from kiosk.simulation.cards.admin import AdminKey
from kiosk.simulation.cards.framing import Framing, Request, Status
from kiosk.simulation.cards.keys import (
    PrivateKey,
    agree,
    generate,
    public_value,
    sign_raw,
)
from kiosk.simulation.cards.metadata import (
    touch_lasts,
    wants_no_pin,
    wants_pin_each_time,
)
from kiosk.simulation.cards.options import PivOptions
from kiosk.simulation.cards.references import References
from kiosk.simulation.cards.touch import Contact

ATR = bytes.fromhex("3BDD18008131FE458073C021C057597562694B65793B")
ATR_OVER_THE_AIR = bytes.fromhex("3B8D80018073C021C057597562694B6579F9")
"""As a reader makes it up for a contactless card."""
_LABEL = b"Simulated PIV card"
_ALGORITHMS = bytes.fromhex("800107800111800114060100")
_APPLICATION = bytes.fromhex("A000000308000010000100")
_AID = bytes.fromhex("A000000308")
_ADMIN, _KEY_9A, _KEY_9C, _KEY_9E = 0x9B, 0x9A, 0x9C, 0x9E
KEYS = frozenset({_KEY_9A, _KEY_9C, 0x9D, _KEY_9E, *range(0x82, 0x96)})
_NEED_PIN = frozenset({0x5FC109, 0x5FC103, 0x5FC108, 0x5FC121})
"""Printed information, fingerprints, face, iris (SP 800-73-5 part 1, table 3)."""
_OVER_THE_AIR = frozenset({objects.CHUID, objects.CERTIFICATE_9E, objects.DISCOVERY})
_FINGERS = 0x96
_EXPONENTIATION = 0x85
"""The other side's point, in key agreement (part 2, §3.2.4)."""
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
        clock: Clock | None = None,
    ) -> None:
        """Make a blank card with these reference data (ASCII, at most 8 bytes).

        Touches are waited for on `clock`; without one, nobody waits.
        """
        self.options = options or PivOptions()
        self.objects: dict[int, bytes] = {}
        """Data objects: container tag → value inside tag 53."""
        self.keys: dict[int, PrivateKey] = {}
        """Key reference → key."""
        self.policies: dict[int, tuple[int, int]] = {}
        """Key reference → PIN and touch policy that were asked for; 0: the slot's."""
        self.imported: set[int] = set()
        """References of keys that were made elsewhere."""
        self.atr = ATR_OVER_THE_AIR if self.options.contactless else ATR
        self.contact = Contact(
            clock,
            seconds=self.options.touch_seconds,
            timeout=self.options.touch_timeout,
        )
        self.commands: list[int] = []
        """Instruction bytes received since power-on: headers only, never data."""
        self.references = References(
            self.options, pin=pin, puk=puk, both_blocked=self._both_blocked
        )
        self._entropy = entropy
        self.admin = AdminKey(entropy, self.options.management_algorithm)
        self.maker: attestation.Maker | None = None
        """Who states what keys it has made; made when it is first asked."""
        self._framing = Framing(self.options.chunk)
        self._is_selected = False
        self._is_managed = False
        """The Management application is selected in its place."""
        self._is_fresh = False
        """VERIFY was the command before."""

    # --- what a test or rehearsal observes, and does behind everybody's back -------

    @property
    def pin_tries_left(self) -> int:
        return self.references.holder.left

    @property
    def puk_tries_left(self) -> int:
        return self.references.puk.left

    @property
    def is_verified(self) -> bool:
        return self.references.is_verified

    def has_pin(self, pin: bytes | bytearray) -> bool:
        """Say whether this is the PIN, without a try."""
        return self.references.holder.is_value(pin)

    def has_puk(self, puk: bytes | bytearray) -> bool:
        """Say whether this is the PUK, without a try."""
        return self.references.puk.is_value(puk)

    def set_tries(self, *, pin: int | None = None, puk: int | None = None) -> None:
        """Set the counters, e.g. for a card that arrives blocked."""
        if pin is not None:
            self.references.holder.left = pin
        if puk is not None:
            self.references.puk.left = puk

    def set_pin(self, pin: bytes) -> None:
        """Change the PIN elsewhere."""
        self.references.holder.replace(pin)

    # --- power and bytes --------------------------------------------------------

    def power_on(self) -> bytes:
        """Power on or reset: all security state is gone. Returns the ATR."""
        self._framing.power_off()
        self._forget()
        self.contact.forget()
        self._is_selected = self._is_managed = False
        self.commands.clear()
        return self.atr

    def transmit(self, apdu: bytes | bytearray) -> bytearray:
        """Take one command APDU, return data and status word."""
        self.commands.extend(apdu[1:2])
        answer = self._framing.transmit(apdu, self._execute)
        if self.options.select_warns and apdu[1:2] == b"\xa4":
            return _warned(answer, self.options.select_warns)
        return answer

    def _execute(self, request: Request) -> bytes:
        is_fresh, self._is_fresh = self._is_fresh, False
        try:
            if request.ins == 0xA4:
                return self._select(request)
            if self._is_managed:
                reset = functools.partial(yubikey.to_factory, self)
                return management.command(self.options, request, reset)
            if not self._is_selected:
                raise Status(status.NOTHING_SELECTED)
            if self.options.contactless and request.ins in _CONTACT_ONLY:
                raise Status(self.options.contactless_refusal)
            return self._command(request, is_fresh=is_fresh)
        except MalformedAnswer:
            raise Status(status.WRONG_DATA) from None

    def _select(self, request: Request) -> bytes:
        aid = bytes(request.data)
        if aid == management.AID and self.options.version:
            self._forget()
            self._is_selected, self._is_managed = False, True
            return management.greeting(self.options)
        if not self._is_its_name(aid):
            was_selected = self._is_selected
            if self.options.unknown_aid_deselects:
                self._forget()
                self._is_selected = False
            unknown = self.options.unknown_aid if was_selected else status.NOT_FOUND
            raise Status(unknown)
        if not self.options.select_keeps_pin:
            self._forget()
        self._is_selected, self._is_managed = True, False
        if self.options.takes_any_name or request.p2 == 0x0C:
            return b""
        return self._template()

    def _is_its_name(self, aid: bytes) -> bool:
        if self.options.takes_any_name:
            return True
        is_short = len(aid) < self.options.shortest_name
        return _APPLICATION.startswith(aid) and not is_short

    def _template(self) -> bytes:
        """Return the application property template (part 2, table 3)."""
        told = tlv.pack(0x4F, _APPLICATION[5:]) + tlv.pack(0x79, tlv.pack(0x4F, _AID))
        if not self.options.is_yubikey:
            told += tlv.pack(0x50, _LABEL) + tlv.pack(0xAC, _ALGORITHMS)
        return tlv.pack(0x61, told)

    def _command(self, request: Request, *, is_fresh: bool) -> bytes:
        p1, p2, data = request.p1, request.p2, request.data
        match request.ins:
            case 0x20 if p2 == _FINGERS and self.options.has_fingers:
                # Nobody has shown a finger yet: three tries, and none of them counts.
                raise Status(0x63C3)
            case 0x20 if not data and p1 == 0 and self.options.empty_verify:
                raise Status(self.options.empty_verify)
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
        return yubikey.command(self, request)

    def _forget(self) -> None:
        self.references.is_verified = self._is_fresh = False
        self.admin.forget()

    # --- keys -------------------------------------------------------------------

    def _authenticate(self, p1: int, p2: int, data: bytes, *, is_fresh: bool) -> bytes:
        parts = dict(tlv.walk(tlv.need(data, 0x7C, "command"), "command"))
        if p2 == _ADMIN:
            if self.options.contactless:
                raise Status(self.options.contactless_refusal)
            answer = self.admin.authenticate(p1, parts)
            return tlv.pack(0x7C, answer) if answer else b""
        key = self.keys.get(p2)
        if key is None:
            raise Status(status.WRONG_DATA)
        self._must_allow(p2, is_fresh=is_fresh)
        other = parts.get(_EXPONENTIATION)
        if other is not None:
            result = agree(key, p1, other)
        else:
            result = sign_raw(key, p1, parts.get(0x81, b""))
        if result is None:
            raise Status(status.WRONG_DATA)
        return tlv.pack(0x7C, tlv.pack(0x82, result))

    def _must_allow(self, key: int, *, is_fresh: bool) -> None:
        if self.options.contactless and key != _KEY_9E:
            raise Status(status.NOT_SATISFIED)
        is_open = self.references.is_verified or wants_no_pin(self, key)
        if not is_open or (wants_pin_each_time(self, key) and not is_fresh):
            raise Status(status.NOT_SATISFIED)
        lasts = touch_lasts(self, key)
        if lasts is not None and not self.contact.is_touched(lasts=lasts):
            raise Status(status.NOT_SATISFIED)

    def _generate(self, p2: int, data: bytes) -> bytes:
        self.need_admin()
        parts = dict(tlv.walk(tlv.need(data, 0xAC, "command"), "command"))
        wanted = parts.get(0x80, b"")
        key = generate(wanted[0], self._entropy) if wanted else None
        if key is None:
            raise Status(status.WRONG_DATA)
        self.put_key(p2, key, yubikey.wanted_policies(parts))
        return tlv.pack(0x7F49, public_value(key, self.options.exponent))

    # --- objects ----------------------------------------------------------------

    def _get(self, data: bytes) -> bytes:
        tag = int.from_bytes(tlv.need(data, 0x5C, "command"), "big")
        if self.options.contactless and tag not in _OVER_THE_AIR:
            raise Status(status.NOT_SATISFIED)
        if tag == objects.DISCOVERY and self.options.discovery is not None:
            return self.options.discovery
        if tag == objects.DISCOVERY and self.options.has_discovery:
            usage = b"\x60\x20" if self.options.global_pin else b"\x40\x00"
            policy = tlv.pack(0x5F2F, usage)
            return tlv.pack(tag, tlv.pack(0x4F, _APPLICATION) + policy)
        if tag in _NEED_PIN and not self.references.is_verified:
            raise Status(status.NOT_SATISFIED)
        if tag == ATTESTATION and self.options.attests:
            der = self.its_maker().certificate.public_bytes(Encoding.DER)
            return tlv.pack(0x53, objects.write_certificate(der))
        if tag not in self.objects:
            raise Status(self.options.missing_object)
        return tlv.pack(0x53, self.objects[tag])

    def _put(self, data: bytes) -> bytes:
        self.need_admin()
        tag = int.from_bytes(tlv.need(data, 0x5C, "command"), "big")
        value = tlv.need(data, 0x53, "command")
        if value:
            self.objects[tag] = value
        else:
            self.objects.pop(tag, None)
        return b""

    # --- what a YubiKey's own commands do ------------------------------------------

    def its_maker(self) -> attestation.Maker:
        """Return who states what keys the card has made."""
        if self.maker is None:
            self.maker = attestation.new_maker()
        return self.maker

    def need_admin(self) -> None:
        """Status 6982 unless the management key is authenticated."""
        if not self.admin.is_authenticated:
            raise Status(status.NOT_SATISFIED)

    def put_key(self, slot: int, key: PrivateKey, wanted: tuple[int, int]) -> None:
        """Put a key into a slot. Status 6A86 if there is none."""
        if slot not in KEYS:
            raise Status(status.WRONG_P1P2)
        self.drop_key(slot)
        self.keys[slot], self.policies[slot] = key, wanted

    def drop_key(self, slot: int) -> None:
        """Leave a slot empty."""
        self.keys.pop(slot, None)
        self.policies.pop(slot, None)
        self.imported.discard(slot)

    def _both_blocked(self) -> None:
        if self.options.both_blocked_erases:
            self.erase()

    def erase(self) -> None:
        """Keys and objects are gone."""
        for slot in tuple(self.keys):
            self.drop_key(slot)
        self.objects.clear()


def _warned(answer: bytearray, sw: int) -> bytearray:
    """Return an answer that was fine with a warning in its place."""
    if answer[-2:] == status.OK.to_bytes(2, "big"):
        answer[-2:] = sw.to_bytes(2, "big")
    return answer

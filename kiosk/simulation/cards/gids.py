"""A GIDS card made of software: raw APDUs in, raw answers out.

What the "Windows generic minidriver card" does, as an open-source applet was measured.
A blank one is in creation state: everything is allowed until it is made operational.
Not for real use: its keys are ordinary Python objects.
"""

from __future__ import annotations

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.rsa import (
    RSAPrivateKey,
    generate_private_key,
)

from kiosk.cards import status, tlv
from kiosk.cards.apdu import wipe
from kiosk.cards.errors import MalformedAnswer
from kiosk.cards.gids.application import AID
from kiosk.core.entropy import Entropy
from kiosk.simulation.cards.framing import Framing, Request, Status
from kiosk.simulation.cards.gids_admin import FACTORY_KEY, GidsAdminKey
from kiosk.simulation.cards.gids_files import GENERATE, GET, MASTER, PUT, USE, GidsFiles
from kiosk.simulation.cards.keys import decipher, identifier, public_value, sign_raw
from kiosk.simulation.cards.options import GidsOptions

ATR = bytes.fromhex("3B80800101")
_FCI = bytes.fromhex("61124F0BA00000039742544659020173034001C0")
_FCP = bytes.fromhex("62088201388C03033030")
_FMD = bytes.fromhex("640C5F2F01607F6506800101810100")
_PIN, _PUK, _LOGOUT = 0x80, 0x81, 0x82
_LONGEST_PIN = 16
_SHORTEST_PIN = 4
_ADMIN_KEY = 0x80
_NOT_YET = 0x6986
"""A command that the applet does not know before it is operational."""
_GENERATES = {0x06: 1024, 0x07: 2048, 0x08: 3072, 0x09: 4096}
"""Key identifier → bits."""
_DECIPHER = 0x8086
_PADDINGS: dict[int, hashes.HashAlgorithm | None] = {
    0x40: None,
    0x80: hashes.SHA1(),  # noqa: S303 - the card's own
}
"""Upper half of an algorithm reference → hash of OAEP; None: PKCS #1 v1.5."""
_EXPONENT = b"\x01\x00\x01"


class SimulatedGidsCard:
    """The card. One thread at a time."""

    def __init__(
        self,
        *,
        entropy: Entropy,
        options: GidsOptions | None = None,
        pin: bytes = b"",
        puk: bytes = b"",
        admin_key: bytes = FACTORY_KEY,
    ) -> None:
        """`pin` empty: a blank card in creation state."""
        self.options = options or GidsOptions()
        self.atr = ATR
        self.keys: dict[int, RSAPrivateKey] = {}
        """Key reference → key."""
        self.commands: list[int] = []
        """Instruction bytes received since power-on: headers only, never data."""
        self.admin = GidsAdminKey(entropy, admin_key, self.options.admin_tries)
        self.file_system = GidsFiles(
            is_user=lambda: self.is_verified,
            is_admin=lambda: self.admin.is_authenticated,
        )
        if pin:
            self.file_system.make_all()
        self.is_verified = False
        self.pin_tries_left = self.options.pin_tries
        self.puk_tries_left = self.options.puk_tries
        self._pin = bytearray(pin)
        self._puk = bytearray(puk)
        self._framing = Framing(self.options.chunk)
        self._is_selected = False
        self._algorithm = self._key = 0

    # --- what a test or rehearsal observes, and does behind everybody's back -------

    @property
    def files(self) -> dict[int, dict[int, bytes]]:
        """File identifier → data object → value."""
        return self.file_system.contents

    @property
    def is_operational(self) -> bool:
        """It is not in creation state any more."""
        return self.file_system.is_operational

    def has_pin(self, pin: bytes | bytearray) -> bool:
        """Say whether this is the PIN, without a try."""
        return bool(self._pin) and self._pin == pin

    def has_puk(self, puk: bytes | bytearray) -> bool:
        """Say whether this is the PUK, without a try."""
        return bool(self._puk) and self._puk == puk

    def set_tries(self, *, pin: int | None = None, puk: int | None = None) -> None:
        """Set the counters, e.g. for a card that arrives blocked."""
        self.pin_tries_left = self.pin_tries_left if pin is None else pin
        self.puk_tries_left = self.puk_tries_left if puk is None else puk

    def set_pin(self, pin: bytes) -> None:
        """Change the PIN elsewhere."""
        self._pin[:] = pin
        self.pin_tries_left = self.options.pin_tries

    # --- power and bytes --------------------------------------------------------

    def power_on(self) -> bytes:
        """Power on or reset: all security state is gone. Returns the ATR."""
        self._framing.power_off()
        self._forget()
        self._is_selected = False
        self.file_system.leave()
        self.commands.clear()
        return self.atr

    def _forget(self) -> None:
        self.is_verified = False
        self.admin.forget()
        self._algorithm = self._key = 0

    def transmit(self, apdu: bytes | bytearray) -> bytearray:
        """Carry out one APDU."""
        if len(apdu) > 1:
            self.commands.append(apdu[1])
        return self._framing.transmit(apdu, self._execute)

    def _execute(self, request: Request) -> bytes:
        if request.ins not in (0x87, 0xC0):
            self.admin.let_challenge_die()
        if request.ins != 0xA4 and not self._is_selected:
            raise Status(status.UNKNOWN_INS)
        try:
            return self._carry_out(request)
        except MalformedAnswer:
            raise Status(status.WRONG_DATA) from None

    def _carry_out(self, request: Request) -> bytes:
        data = bytes(request.data)
        p1p2 = request.p1 << 8 | request.p2
        match request.ins:
            case 0xA4:
                return self._select(request, data)
            case 0x20:
                return self._verify(request.p2, request.data)
            case 0x24:
                return self._change(request.p1, request.p2, request.data)
            case 0x2C:
                return self._reset(request.p1, request.p2, request.data)
            case 0x22:
                return self._choose(request, data)
            case 0x87:
                return self._authenticate(data)
            case 0x2A if p1p2 == _DECIPHER:
                return self._decipher(data)
            case 0x2A:
                return self._sign(p1p2, data)
            case 0xCB:
                return self._get(p1p2, data)
            case 0xDB:
                return self._put(p1p2, data)
            case 0xE0:
                self.file_system.create(data)
                return b""
            case 0x44:
                self.file_system.activate()
                return b""
            case 0x47:
                return self._generate(data)
            case _:
                raise Status(status.UNKNOWN_INS)

    # --- selection ----------------------------------------------------------------

    def _select(self, request: Request, data: bytes) -> bytes:
        if request.p1 == 0x04:
            if len(data) < 5 or not (AID + b"\x02\x01").startswith(data):
                raise Status(status.NOT_FOUND)
            self._is_selected = True
            self.file_system.leave()
            self._forget()
        elif not self._is_selected:
            raise Status(status.NOT_FOUND)
        else:
            self.file_system.select(data)
        return {0x00: _FCI, 0x04: _FCP, 0x08: _FMD}.get(request.p2 & 0x0C, b"")

    # --- PIN and PUK --------------------------------------------------------------

    def _verify(self, p2: int, data: bytearray) -> bytes:
        if p2 == _LOGOUT:
            self._forget()
            return b""
        self._must_be_pin(p2)
        if not data:
            if self.pin_tries_left == 0:
                raise Status(status.BLOCKED)
            if not self.is_operational:
                return b""  # nothing is asked of anybody yet
            raise Status(0x63C0 | self.pin_tries_left)
        self._compare(data)
        self.pin_tries_left = self.options.pin_tries
        self.is_verified = True
        return b""

    def _compare(self, given: bytes | bytearray) -> None:
        if self.pin_tries_left == 0:
            raise Status(status.BLOCKED)
        if self._pin == given:
            return
        self.is_verified = False
        self.pin_tries_left -= 1
        if self.pin_tries_left == 0:
            raise Status(status.BLOCKED)
        raise Status(0x63C0 | self.pin_tries_left)

    def _change(self, p1: int, p2: int, data: bytearray) -> bytes:
        if p1 == 0x01:
            return self._set(p2, data)
        self._must_be_pin(p2)
        count = len(self._pin)
        old, new = data[:count], data[count:]
        try:
            self._compare(old)
            self._must_be_proper(new)
            self._pin[:] = new
            self.pin_tries_left = self.options.pin_tries
            self.is_verified = True
        finally:
            wipe(old)
            wipe(new)
        return b""

    def _set(self, p2: int, data: bytearray) -> bytes:
        """Set a PIN or PUK without the old one."""
        self._must_be_free()
        self._must_be_proper(data)
        if p2 == _PUK:
            self._puk[:] = data
            self.puk_tries_left = self.options.puk_tries or 3
        else:
            self._must_be_pin(p2)
            self._pin[:] = data
            self.pin_tries_left = self.options.pin_tries
        return b""

    def _reset(self, p1: int, p2: int, data: bytearray) -> bytes:
        self._must_be_pin(p2)
        if not self.is_operational:
            raise Status(_NOT_YET)
        if p1 == 0x02:
            if not self.admin.is_authenticated:
                raise Status(status.NOT_SATISFIED)
            new = bytearray(data)
        else:
            new = self._after_puk(data)
        try:
            self._must_be_proper(new)
            self._pin[:] = new
        finally:
            wipe(new)
        self.pin_tries_left = self.options.pin_tries
        self._forget()
        return b""

    def _after_puk(self, data: bytearray) -> bytearray:
        """Compare the PUK that the data begin with; return what follows."""
        if not self._puk:
            raise Status(status.NO_REFERENCE)
        if self.puk_tries_left == 0:
            raise Status(status.BLOCKED)
        count = len(self._puk)
        if data[:count] != self._puk:
            self.puk_tries_left -= 1
            left = self.puk_tries_left
            raise Status(0x63C0 | left if left else status.BLOCKED)
        return data[count:]

    def _must_be_pin(self, p2: int) -> None:
        if p2 not in (0x00, _PIN) or not (self._pin or not self.is_operational):
            raise Status(status.NO_REFERENCE)

    @staticmethod
    def _must_be_proper(new: bytes | bytearray) -> None:
        if not _SHORTEST_PIN <= len(new) <= _LONGEST_PIN:
            raise Status(status.WRONG_DATA)

    def _must_be_free(self) -> None:
        """Creation state, or the administrator."""
        if self.is_operational and not self.admin.is_authenticated:
            raise Status(status.NOT_SATISFIED)

    # --- keys -----------------------------------------------------------------------

    def _choose(self, request: Request, data: bytes) -> bytes:
        if request.p2 == 0xA4:
            if tlv.find(data, 0x83, "command") != bytes((_ADMIN_KEY,)):
                raise Status(status.NO_REFERENCE)
            self.file_system.key_file(_ADMIN_KEY, USE)
            self.admin.choose(request.p1)
            return b""
        algorithm = tlv.need(data, 0x80, "command")
        reference = tlv.find(data, 0x84, "command") or tlv.need(data, 0x83, "command")
        self.file_system.key_file(reference[0], USE)
        if reference[0] not in self.keys:
            raise Status(status.NO_REFERENCE)
        self._algorithm, self._key = algorithm[0], reference[0]
        return b""

    def _authenticate(self, data: bytes) -> bytes:
        if not self.is_operational:
            raise Status(_NOT_YET)
        return self.admin.authenticate(data)

    def _sign(self, p1p2: int, data: bytes) -> bytes:
        if p1p2 != 0x9E9A or not self._key:
            raise Status(status.WRONG_P1P2)
        if not self.is_verified:
            raise Status(status.NOT_SATISFIED)
        key = self.keys[self._key]
        size = (key.key_size + 7) // 8
        if len(data) > size - 11:
            raise Status(status.WRONG_LENGTH)
        block = b"\x00\x01" + b"\xff" * (size - len(data) - 3) + b"\x00" + data
        return sign_raw(key, identifier(key), block) or b""

    def _decipher(self, cryptogram: bytes) -> bytes:
        """Take a cryptogram as long as the key, no padding indicator before it."""
        if not self._key:
            raise Status(status.CONDITIONS)
        if not self.is_verified:
            raise Status(status.NOT_SATISFIED)
        key = self.keys[self._key]
        if len(cryptogram) != key.key_size // 8:
            raise Status(status.WRONG_LENGTH)
        if (padded := self._algorithm & 0xF0) not in _PADDINGS:
            raise Status(status.NO_REFERENCE)
        plain = decipher(key, cryptogram, _PADDINGS[padded])
        if plain is None:
            raise Status(status.WRONG_DATA)
        return plain

    def _generate(self, data: bytes) -> bytes:
        wanted = tlv.need(data, 0xAC, "command")
        algorithm = tlv.need(wanted, 0x80, "command")[0]
        reference = tlv.need(wanted, 0x83, "command")[0]
        self.file_system.key_file(reference, GENERATE)
        if algorithm not in _GENERATES:
            raise Status(status.WRONG_DATA)
        self.keys[reference] = generate_private_key(65537, _GENERATES[algorithm])
        return self._public(reference)

    def _public(self, reference: int) -> bytes:
        if reference not in self.keys:
            raise Status(status.NO_REFERENCE)
        return tlv.pack(0x7F49, public_value(self.keys[reference], _EXPONENT))

    # --- files ----------------------------------------------------------------------

    def _get(self, fid: int, data: bytes) -> bytes:
        wanted = tlv.find(data, 0x5C, "command")
        if wanted is None:
            asked = tlv.need(data, 0x70, "command")
            reference = tlv.need(asked, 0x84, "command")[0]
            self.file_system.key_file(reference, GET)
            return self._public(reference)
        do = int.from_bytes(wanted, "big")
        if fid in (MASTER, 0x0000):
            return self._counter(do)
        return self.file_system.get(fid, do)

    def _counter(self, do: int) -> bytes:
        if do == 0x7F71:
            left, total = self.pin_tries_left, self.options.pin_tries
        elif do == 0x7F73 and self._puk:
            left, total = self.puk_tries_left, self.options.puk_tries
        else:
            raise Status(status.NO_REFERENCE)
        told = tlv.pack(0x97, bytes((left,))) + tlv.pack(0x93, bytes((total,)))
        return tlv.pack(do, told)

    def _put(self, fid: int, data: bytes) -> bytes:
        if fid == MASTER:
            return self._put_key(tlv.need(data, 0x70, "command"))
        self.file_system.put(fid, data)
        return b""

    def _put_key(self, data: bytes) -> bytes:
        """The administrator key, set in creation state or by itself."""
        reference = tlv.need(data, 0x84, "command")[0]
        self.file_system.key_file(reference, PUT)
        if reference != _ADMIN_KEY:
            raise Status(status.NO_REFERENCE)
        inner = tlv.need(data, 0xA5, "command")
        key = tlv.need(inner, 0x87, "command")
        if len(key) != len(self.admin.key):
            raise Status(status.WRONG_DATA)
        self.admin.key[:] = key
        return b""

"""A GIDS card made of software: raw APDUs in, raw answers out.

What the "Windows generic minidriver card" does, as an open-source applet was measured.
A blank one is in creation state: everything is allowed until it is made operational.
Not for real use: its keys are ordinary Python objects.
"""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.rsa import (
    RSAPrivateKey,
)

from kiosk.cards import status, tlv
from kiosk.cards.errors import MalformedAnswer
from kiosk.cards.gids.application import AID
from kiosk.core.entropy import Entropy
from kiosk.simulation.cards.framing import Framing, Request, Status
from kiosk.simulation.cards.gids_admin import FACTORY_KEY, GidsAdminKey
from kiosk.simulation.cards.gids_files import GET, MASTER, PUT, USE, GidsFiles
from kiosk.simulation.cards.gids_keys import GidsKeys
from kiosk.simulation.cards.gids_pins import NOT_YET, GidsPins
from kiosk.simulation.cards.options import GidsOptions

ATR = bytes.fromhex("3B80800101")
_FCI = bytes.fromhex("61124F0BA00000039742544659020173034001C0")
_FCP = bytes.fromhex("62088201388C03033030")
_FMD = bytes.fromhex("640C5F2F01607F6506800101810100")
_LOGOUT = 0x82
_ADMIN_KEY = 0x80
_DECIPHER = 0x8086


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
            is_user=lambda: self.pins.is_verified,
            is_admin=lambda: self.admin.is_authenticated,
        )
        if pin:
            self.file_system.make_all()
        self.pins = GidsPins(
            self.options,
            pin,
            puk,
            is_operational=lambda: self.is_operational,
            is_admin=lambda: self.admin.is_authenticated,
        )
        self._framing = Framing(self.options.chunk)
        self._is_selected = False
        self.private = GidsKeys(
            self.keys, self.file_system, is_verified=lambda: self.pins.is_verified
        )

    # --- what a test or rehearsal observes, and does behind everybody's back -------

    @property
    def files(self) -> dict[int, dict[int, bytes]]:
        """File identifier → data object → value."""
        return self.file_system.contents

    @property
    def is_operational(self) -> bool:
        """It is not in creation state any more."""
        return self.file_system.is_operational

    @property
    def is_verified(self) -> bool:
        return self.pins.is_verified

    @property
    def pin_tries_left(self) -> int:
        return self.pins.pin_tries_left

    def has_pin(self, pin: bytes | bytearray) -> bool:
        """Say whether this is the PIN, without a try."""
        return self.pins.has_pin(pin)

    @property
    def puk_tries_left(self) -> int:
        return self.pins.puk_tries_left

    def has_puk(self, puk: bytes | bytearray) -> bool:
        """Say whether this is the PUK, without a try."""
        return self.pins.has_puk(puk)

    def set_pin(self, pin: bytes) -> None:
        """Change the PIN elsewhere."""
        self.pins.set_pin(pin)

    def set_tries(self, *, pin: int | None = None, puk: int | None = None) -> None:
        """Set the counters, e.g. for a card that arrives blocked."""
        self.pins.set_tries(pin=pin, puk=puk)

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
        self.pins.is_verified = False
        self.admin.forget()
        self.private.forget()

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
                return self._verify(request)
            case 0x24:
                return self.pins.change(request.p1, request.p2, request.data)
            case 0x2C:
                return self._reset(request)
            case 0x22:
                return self._choose(request, data)
            case 0x87:
                return self._authenticate(data)
            case 0x2A if p1p2 == _DECIPHER:
                return self.private.decipher(data)
            case 0x2A:
                return self.private.sign(p1p2, data)
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
                return self.private.generate(data)
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

    def _verify(self, request: Request) -> bytes:
        if request.p2 == _LOGOUT:
            self._forget()
            return b""
        return self.pins.verify(request.p2, request.data)

    def _reset(self, request: Request) -> bytes:
        self.pins.reset(request.p1, request.p2, request.data)
        self._forget()
        return b""

    # --- keys -----------------------------------------------------------------------

    def _choose(self, request: Request, data: bytes) -> bytes:
        if request.p2 == 0xA4:
            if tlv.find(data, 0x83, "command") != bytes((_ADMIN_KEY,)):
                raise Status(status.NO_REFERENCE)
            self.file_system.key_file(_ADMIN_KEY, USE)
            self.admin.choose(request.p1)
            return b""
        self.private.choose(data)
        return b""

    def _authenticate(self, data: bytes) -> bytes:
        if not self.is_operational:
            raise Status(NOT_YET)
        return self.admin.authenticate(data)

    # --- files ----------------------------------------------------------------------

    def _get(self, fid: int, data: bytes) -> bytes:
        wanted = tlv.find(data, 0x5C, "command")
        if wanted is None:
            asked = tlv.need(data, 0x70, "command")
            reference = tlv.need(asked, 0x84, "command")[0]
            self.file_system.key_file(reference, GET)
            return self.private.public(reference)
        do = int.from_bytes(wanted, "big")
        if fid in (MASTER, 0x0000):
            return self._counter(do)
        return self.file_system.get(fid, do)

    def _counter(self, do: int) -> bytes:
        if do == 0x7F71:
            left, total = self.pins.pin_tries_left, self.options.pin_tries
        elif do == 0x7F73 and self.pins.has_any_puk:
            left, total = self.pins.puk_tries_left, self.options.puk_tries
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

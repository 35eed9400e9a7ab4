"""A PIV card made of software: raw APDUs in, raw answers out.

The same object serves a simulated reader in this process and, behind the virtual
reader, a real pcscd. It implements what SP 800-73-5 asks of a card and what the
measured cards do, as `PivOptions` says. Not for real use: its keys are ordinary
Python objects.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from kiosk.cards import tlv
from kiosk.cards.apdu import wipe
from kiosk.cards.simulated.admin import AdminKey
from kiosk.cards.simulated.keys import PrivateKey, generate, public_value, sign_raw
from kiosk.cards.simulated.options import PivOptions
from kiosk.entropy import Entropy

ATR = bytes.fromhex("3B8D80018073C021C057597562694B6579F9")
_APPLICATION = bytes.fromhex("A000000308000010000100")
_AID = bytes.fromhex("A000000308")
_PIN, _PUK, _ADMIN = 0x80, 0x81, 0x9B
_OBJECT_KEYS = frozenset({0x9A, 0x9C, 0x9D, 0x9E, *range(0x82, 0x96)})


class Status(Exception):
    """Ends a command with a status word."""

    def __init__(self, sw: int) -> None:
        super().__init__(f"{sw:04X}")
        self.sw = sw


@dataclass(slots=True)
class Counter:
    """A PIN or PUK: its padded value and its tries."""

    value: bytearray
    total: int
    left: int
    is_default: bool = False


@dataclass(slots=True)
class _Session:
    """What power-off forgets."""

    selected: bool = False
    verified: bool = False
    fresh: bool = False
    """VERIFY was the command before."""
    chain: bytearray = field(default_factory=bytearray)
    chain_head: bytes = b""
    waiting: bytes = b""


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
        self.keys: dict[int, PrivateKey] = {}
        self.atr = ATR
        self.commands: list[int] = []
        """Instruction bytes received since power-on: headers only, never data."""
        self._pin = self._counter(pin, self.options.pin_tries)
        self._puk = self._counter(puk, self.options.puk_tries)
        self._admin = AdminKey(entropy)
        self._session = _Session()

    @staticmethod
    def _counter(value: bytes, tries: int) -> Counter:
        return Counter(bytearray(value.ljust(8, b"\xff")), tries, tries)

    # --- what a test or rehearsal observes --------------------------------------

    @property
    def pin_tries_left(self) -> int:
        return self._pin.left

    @property
    def puk_tries_left(self) -> int:
        return self._puk.left

    def has_pin(self, pin: bytes | bytearray) -> bool:
        """Say whether this is the PIN, without a try."""
        return self._pin.value == bytes(pin).ljust(8, b"\xff")

    def has_puk(self, puk: bytes | bytearray) -> bool:
        """Say whether this is the PUK, without a try."""
        return self._puk.value == bytes(puk).ljust(8, b"\xff")

    def set_tries(self, *, pin: int | None = None, puk: int | None = None) -> None:
        """Set the counters, e.g. for a card that arrives blocked."""
        if pin is not None:
            self._pin.left = pin
        if puk is not None:
            self._puk.left = puk

    def set_pin(self, pin: bytes) -> None:
        """Change the PIN behind everybody's back."""
        self._pin.value[:] = pin.ljust(8, b"\xff")
        self._pin.left = self._pin.total

    # --- power and bytes --------------------------------------------------------

    def power_on(self) -> bytes:
        """Power on or reset: all security state is gone. Returns the ATR."""
        self._session = _Session()
        self.commands.clear()
        return self.atr

    def transmit(self, apdu: bytes | bytearray) -> bytearray:
        """Take one command APDU, return data and status word."""
        if len(apdu) < 4:
            return bytearray((0x67, 0x00))
        self.commands.append(apdu[1])
        data, le = _body(apdu)
        try:
            answer = self._dispatch(apdu, data, le)
        except Status as status:
            return bytearray(status.sw.to_bytes(2, "big"))
        finally:
            wipe(data)
        return answer

    def _dispatch(
        self, apdu: bytes | bytearray, data: bytearray, le: int | None
    ) -> bytearray:
        cla, ins, p1, p2 = apdu[:4]
        session = self._session
        if ins == 0xC0:
            return self._answer(le)
        session.waiting = b""
        if cla & 0x10:
            return self._collect(bytes(apdu[1:4]), data)
        if session.chain_head == bytes(apdu[1:4]):
            data[:0] = session.chain
        wipe(session.chain)
        session.chain, session.chain_head = bytearray(), b""
        fresh, session.fresh = session.fresh, False
        if ins == 0xA4:
            session.waiting = self._select(bytes(data))
        elif not session.selected:
            raise Status(0x6986)
        else:
            session.waiting = self._command(ins, p1, p2, data, fresh=fresh)
        return self._answer(le)

    def _collect(self, head: bytes, data: bytearray) -> bytearray:
        session = self._session
        if session.chain_head != head:
            wipe(session.chain)
            session.chain, session.chain_head = bytearray(), head
        session.chain += data
        return bytearray((0x90, 0x00))

    def _answer(self, le: int | None) -> bytearray:
        """Give out what waits, in chunks; Le smaller than it leaves the rest."""
        limit = min(le or 256, self.options.chunk)
        waiting = self._session.waiting
        part, rest = waiting[:limit], waiting[limit:]
        self._session.waiting = rest
        if rest:
            return bytearray(part + bytes((0x61, min(len(rest), 0xFF))))
        return bytearray(part + b"\x90\x00")

    # --- commands ---------------------------------------------------------------

    def _select(self, aid: bytes) -> bytes:
        session = self._session
        if not _APPLICATION.startswith(aid) or len(aid) < len(_AID):
            raise Status(self.options.unknown_aid if session.selected else 0x6A82)
        if not self.options.select_keeps_pin:
            session.verified = False
        session.selected = True
        self._admin.forget()
        authority = tlv.pack(0x79, tlv.pack(0x4F, _AID))
        return tlv.pack(0x61, tlv.pack(0x4F, _APPLICATION[5:]) + authority)

    def _command(
        self, ins: int, p1: int, p2: int, data: bytearray, *, fresh: bool
    ) -> bytes:
        handlers: dict[int, Callable[[], bytes]] = {
            0x20: lambda: self._verify(p1, p2, data),
            0x24: lambda: self._change(p2, data),
            0x2C: lambda: self._reset(p2, data),
            0x87: lambda: self._authenticate(p1, p2, bytes(data), fresh=fresh),
            0x47: lambda: self._generate(p2, bytes(data)),
            0xCB: lambda: self._get(bytes(data)),
            0xDB: lambda: self._put(bytes(data)),
            0xFF: lambda: self._set_admin(data),
            0xFD: lambda: self._constant(self.options.version),
            0xF8: lambda: self._constant(self.options.serial),
            0xF7: lambda: self._metadata(p2),
        }
        handler = handlers.get(ins)
        if handler is None:
            raise Status(0x6D00)
        return handler()

    @staticmethod
    def _constant(value: bytes) -> bytes:
        if not value:
            raise Status(0x6D00)
        return value

    # --- PIN and PUK ------------------------------------------------------------

    def _verify(self, p1: int, p2: int, data: bytearray) -> bytes:
        if p2 != _PIN:
            raise Status(0x6A88)
        if self.options.contactless:
            raise Status(0x6A81)
        if p1 == 0xFF:
            self._session.verified = False
            return b""
        if not data:
            return self._query()
        if len(data) != 8:
            raise Status(0x6700)
        self._session.verified = False
        self._compare(self._pin, data)
        self._session.verified = self._session.fresh = True
        return b""

    def _query(self) -> bytes:
        if self._session.verified:
            return b""
        if self._pin.left == 0:
            raise Status(self.options.blocked_query)
        raise Status(self._counted(self._pin))

    def _counted(self, counter: Counter) -> int:
        form = 0x6300 if self.options.old_counter_form else 0x63C0
        return form | min(counter.left, 0x0F)

    def _compare(self, counter: Counter, given: bytearray) -> None:
        """Compare and count. The only place where a try is spent."""
        if counter.left == 0:
            raise Status(0x6983)
        if given == counter.value:
            counter.left = counter.total
            return
        counter.left -= 1
        if counter.left == 0 and not self.options.counts_down_to_zero:
            raise Status(0x6983)
        raise Status(self._counted(counter))

    def _check_new(self, new: bytearray) -> None:
        digits = bytes(new).rstrip(b"\xff")
        if self.options.checks_new_pin and not (
            6 <= len(digits) <= 8 and digits.isdigit()
        ):
            raise Status(0x6A80)
        if self.options.refuses_simple and len(set(digits)) == 1:
            raise Status(0x6985)

    def _change(self, p2: int, data: bytearray) -> bytes:
        if p2 not in (_PIN, _PUK):
            raise Status(0x6A88)
        if len(data) != 16:
            raise Status(0x6700)
        counter = self._pin if p2 == _PIN else self._puk
        old, new = data[:8], data[8:]
        if p2 == _PIN:
            self._session.verified = False
        try:
            self._compare(counter, old)
            if p2 == _PIN:
                self._check_new(new)
            counter.value[:] = new
        finally:
            wipe(old)
            wipe(new)
        if p2 == _PIN:
            self._session.verified = self.options.change_leaves_verified
        return b""

    def _reset(self, p2: int, data: bytearray) -> bytes:
        if not self.options.has_puk:
            raise Status(0x6D00)
        if p2 != _PIN:
            raise Status(0x6A88)
        if len(data) != 16:
            raise Status(0x6700)
        puk, new = data[:8], data[8:]
        try:
            if self._puk.left == 0:
                raise Status(0x6983)
            self._check_new(new)
            self._session.verified = False
            self._compare(self._puk, puk)
            self._pin.value[:] = new
            self._pin.left = self._pin.total
        finally:
            wipe(puk)
            wipe(new)
        return b""

    # --- keys -------------------------------------------------------------------

    def _authenticate(self, p1: int, p2: int, data: bytes, *, fresh: bool) -> bytes:
        template = _value(data, 0x7C)
        if p2 == _ADMIN:
            answer = self._admin.authenticate(p1, template)
            if answer is None:
                raise Status(0x6982)
            return tlv.pack(0x7C, answer) if answer else b""
        key = self.keys.get(p2)
        if key is None:
            raise Status(0x6A80)
        if p2 != 0x9E and not self._session.verified:
            raise Status(0x6982)
        if (self.options.pin_always or p2 == 0x9C) and not (fresh or p2 == 0x9E):
            raise Status(0x6982)
        signature = sign_raw(key, p1, _value(template, 0x81))
        if signature is None:
            raise Status(0x6A80)
        return tlv.pack(0x7C, tlv.pack(0x82, signature))

    def _generate(self, p2: int, data: bytes) -> bytes:
        self._need_admin()
        if p2 not in _OBJECT_KEYS:
            raise Status(0x6A86)
        key = generate(_value(_value(data, 0xAC), 0x80)[0])
        if key is None:
            raise Status(0x6A80)
        self.keys[p2] = key
        return tlv.pack(0x7F49, public_value(key, self.options.exponent))

    def _need_admin(self) -> None:
        if not self._admin.is_authenticated:
            raise Status(0x6982)

    def _set_admin(self, data: bytearray) -> bytes:
        self._need_admin()
        if len(data) < 3 or data[1] != _ADMIN or data[2] != len(data) - 3:
            raise Status(0x6A80)
        self._admin.replace(data[0], bytes(data[3:]))
        return b""

    # --- objects ----------------------------------------------------------------

    def _get(self, data: bytes) -> bytes:
        tag = int.from_bytes(_value(data, 0x5C), "big")
        if tag == 0x7E:
            policy = tlv.pack(0x5F2F, b"\x40\x00")
            return tlv.pack(0x7E, tlv.pack(0x4F, _APPLICATION) + policy)
        if tag not in self.objects:
            raise Status(0x6A82)
        return tlv.pack(0x53, self.objects[tag])

    def _put(self, data: bytes) -> bytes:
        self._need_admin()
        tag = int.from_bytes(_value(data, 0x5C), "big")
        value = _value(data, 0x53)
        if value:
            self.objects[tag] = value
        else:
            self.objects.pop(tag, None)
        return b""

    def _metadata(self, reference: int) -> bytes:
        if not self.options.has_metadata:
            raise Status(0x6D00)
        if reference in (_PIN, _PUK):
            counter = self._pin if reference == _PIN else self._puk
            parts = (
                (0x01, b"\xff"),
                (0x05, bytes((counter.is_default,))),
                (0x06, bytes((counter.total, counter.left))),
            )
            return b"".join(tlv.pack(tag, value) for tag, value in parts)
        key = self.keys.get(reference)
        if key is None:
            raise Status(0x6A88)
        policy = bytes((3 if self.options.pin_always else 2, 1))
        return (
            tlv.pack(0x01, bytes((_algorithm(key),)))
            + tlv.pack(0x02, policy)
            + tlv.pack(0x03, b"\x01")
            + tlv.pack(0x04, public_value(key, self.options.exponent))
        )


def _algorithm(key: PrivateKey) -> int:
    match key:
        case ec.EllipticCurvePrivateKey():
            return 0x14 if key.curve.key_size == 384 else 0x11
        case ed25519.Ed25519PrivateKey():
            return 0xE0
        case rsa.RSAPrivateKey():
            return {2048: 0x07, 3072: 0x05, 4096: 0x16}.get(key.key_size, 0x06)


def _body(apdu: bytes | bytearray) -> tuple[bytearray, int | None]:
    """Return data and Le of a short or extended APDU (ISO/IEC 7816-3 §12.1)."""
    rest = apdu[4:]
    if not rest:
        return bytearray(), None
    if len(rest) == 1:
        return bytearray(), rest[0] or 256
    if rest[0] == 0 and len(rest) >= 3:
        return _extended(rest)
    count = rest[0]
    data = bytearray(rest[1 : 1 + count])
    le = rest[1 + count :]
    return data, (le[0] or 256) if le else None


def _extended(rest: bytes | bytearray) -> tuple[bytearray, int | None]:
    count = rest[1] << 8 | rest[2]
    if len(rest) == 3:
        return bytearray(), count or 1 << 16
    le = rest[3 + count :]
    value = int.from_bytes(le[:2], "big") or 1 << 16
    return bytearray(rest[3 : 3 + count]), value if le else None


def _value(data: bytes, tag: int) -> bytes:
    """Return the value of `tag`; 6A80 if the data are not TLV or lack it."""
    from kiosk.cards.ports import MalformedAnswer

    try:
        value = tlv.find(data, tag, "command")
    except MalformedAnswer:
        value = None
    if value is None:
        raise Status(0x6A80)
    return value

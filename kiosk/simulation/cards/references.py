"""PIN and PUK of a simulated card: the only place where tries are spent.

Follows SP 800-73-5 part 2 §3.2 where the options do not say otherwise; in
particular a refused new PIN changes nothing, whatever else was right.
"""

from __future__ import annotations

from collections.abc import Callable

from kiosk.cards import status
from kiosk.cards.apdu import wipe
from kiosk.simulation.cards.framing import Status
from kiosk.simulation.cards.options import PivOptions

GLOBAL, PIN, PUK = 0x00, 0x80, 0x81
DEFAULTS = {PIN: b"123456", PUK: b"12345678"}
_LENGTH = 8
_UNKNOWN = b"90817263"
"""The PIV PIN of a card whose holder knows the global one only."""


class Counter:
    """One reference value, FF-padded, and its tries."""

    def __init__(self, reference: int, value: bytes, total: int) -> None:
        self.value = bytearray(value.ljust(_LENGTH, b"\xff"))
        self.total = self.left = total
        self._reference = reference

    @property
    def is_default(self) -> bool:
        """The value is the one every factory sets."""
        default = DEFAULTS.get(self._reference, b"")
        return self.value == default.ljust(_LENGTH, b"\xff")

    def replace(self, value: bytes | bytearray) -> None:
        """Set a new value with all its tries."""
        self.value[:] = bytes(value).ljust(_LENGTH, b"\xff")
        self.left = self.total

    def is_value(self, given: bytes | bytearray) -> bool:
        """Compare without counting: for those who watch."""
        return self.value == bytes(given).ljust(_LENGTH, b"\xff")


class References:
    """Both values, and whether the PIN is verified."""

    def __init__(
        self,
        options: PivOptions,
        *,
        pin: bytes,
        puk: bytes,
        both_blocked: Callable[[], None],
    ) -> None:
        self._options = options
        self._both_blocked = both_blocked
        own = _UNKNOWN if options.global_pin else pin
        self.pin = Counter(PIN, own, options.pin_tries)
        self.puk = Counter(PUK, puk, options.puk_tries)
        self.global_pin: Counter | None = None
        if options.global_pin:
            self.global_pin = Counter(GLOBAL, pin, options.pin_tries)
        self.is_verified = False

    @property
    def holder(self) -> Counter:
        """What the card's holder types."""
        return self.global_pin or self.pin

    def to_factory(self, pin_tries: int, puk_tries: int) -> None:
        """Set the default values and new counters."""
        self.pin = Counter(PIN, DEFAULTS[PIN], pin_tries)
        self.puk = Counter(PUK, DEFAULTS[PUK], puk_tries)
        self.is_verified = False

    # --- commands ---------------------------------------------------------------

    def verify(self, p1: int, p2: int, data: bytearray) -> bytes:
        """VERIFY, its query without data, and its logout."""
        counter = self._pin(p2)
        if p1 == 0xFF and not data:
            self.is_verified = False
            return b""
        if p1 != 0x00:
            raise Status(status.WRONG_P1P2)
        if not data:
            return self._query(counter)
        _must_have(data, _LENGTH)
        self._compare(counter, data)
        counter.left = counter.total
        self.is_verified = True
        return b""

    def change(self, p2: int, data: bytearray) -> bytes:
        """CHANGE REFERENCE DATA of PIN or PUK."""
        self._must_be(p2, PIN, *((PUK,) if self._options.has_puk else ()))
        _must_have(data, 2 * _LENGTH)
        counter = self.pin if p2 == PIN else self.puk
        old, new = data[:_LENGTH], data[_LENGTH:]
        try:
            self._compare(counter, old)
            if p2 == PIN:
                self._check_new(new)
                self.is_verified = self._options.change_leaves_verified
            elif self._options.digits_only_puk and not bytes(new).isdigit():
                raise Status(status.WRONG_DATA)
            counter.replace(new)
        finally:
            wipe(old)
            wipe(new)
        return b""

    def reset(self, p2: int, data: bytearray) -> bytes:
        """RESET RETRY COUNTER; leaves the verified state as it is."""
        if not self._options.has_puk:
            raise Status(status.UNKNOWN_INS)
        self._must_be(p2, PIN)
        _must_have(data, 2 * _LENGTH)
        puk, new = data[:_LENGTH], data[_LENGTH:]
        try:
            self._compare(self.puk, puk)
            self._check_new(new)
            self.puk.left = self.puk.total
            self.pin.replace(new)
        finally:
            wipe(puk)
            wipe(new)
        return b""

    # --- parts ------------------------------------------------------------------

    def _pin(self, reference: int) -> Counter:
        """Return the PIN of a reference. Status 6A88 if there is none."""
        if reference == GLOBAL and self.global_pin is not None:
            return self.global_pin
        self._must_be(reference, *(() if self._options.lacks_own_pin else (PIN,)))
        return self.pin

    def _query(self, counter: Counter) -> bytes:
        if self.is_verified:
            return b""
        blocked = self._options.blocked_query
        raise Status(self._told(counter) if counter.left else blocked)

    def _compare(self, counter: Counter, given: bytearray) -> None:
        """Count a wrong value; a right one does not give the tries back yet."""
        if counter.left == 0:
            raise Status(status.BLOCKED)
        if given == counter.value:
            return
        counter.left -= 1
        self.is_verified = False
        if self.pin.left == 0 and self.puk.left == 0:
            self._both_blocked()
        if counter.left == 0 and not self._options.counts_down_to_zero:
            raise Status(status.BLOCKED)
        raise Status(self._told(counter))

    def _told(self, counter: Counter) -> int:
        form = 0x6300 if self._options.old_counter_form else 0x63C0
        return form | min(counter.left, 0x0F)

    def _check_new(self, new: bytearray) -> None:
        digits = bytes(new).rstrip(b"\xff")
        is_proper = 6 <= len(digits) <= _LENGTH and digits.isdigit()
        if self._options.checks_new_pin and not is_proper:
            raise Status(status.WRONG_DATA)
        if self._options.refuses_simple and len(set(digits)) == 1:
            raise Status(status.CONDITIONS)

    @staticmethod
    def _must_be(reference: int, *known: int) -> None:
        if reference not in known:
            raise Status(status.NO_REFERENCE)


def _must_have(data: bytearray, length: int) -> None:
    if len(data) != length:
        raise Status(status.WRONG_DATA)

"""PIN and PUK of a simulated GIDS card, and their counters."""

from __future__ import annotations

from collections.abc import Callable

from kiosk.cards import status
from kiosk.cards.apdu import wipe
from kiosk.simulation.cards.framing import Status
from kiosk.simulation.cards.options import GidsOptions

NOT_YET = 0x6986
"""A command that the applet does not know before it is operational."""
_PIN, _PUK = 0x80, 0x81
_LONGEST_PIN = 16
_SHORTEST_PIN = 4


class GidsPins:
    """What a card compares. Whoever owns it forgets the rest of its security state."""

    def __init__(
        self,
        options: GidsOptions,
        pin: bytes,
        puk: bytes,
        *,
        is_operational: Callable[[], bool],
        is_admin: Callable[[], bool],
    ) -> None:
        self._options = options
        self._pin = bytearray(pin)
        self._puk = bytearray(puk)
        self._is_operational = is_operational
        self._is_admin = is_admin
        self.is_verified = False
        self.pin_tries_left = options.pin_tries
        self.puk_tries_left = options.puk_tries

    @property
    def has_any_puk(self) -> bool:
        """There is something to compare with."""
        return bool(self._puk)

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
        self.pin_tries_left = self._options.pin_tries

    def verify(self, p2: int, data: bytearray) -> bytes:
        """VERIFY: compare, or tell the counter where nothing is given."""
        self._must_be_pin(p2)
        if not data:
            if self.pin_tries_left == 0:
                raise Status(status.BLOCKED)
            if not self._is_operational():
                return b""  # nothing is asked of anybody yet
            raise Status(0x63C0 | self.pin_tries_left)
        self._compare(data)
        self.pin_tries_left = self._options.pin_tries
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

    def change(self, p1: int, p2: int, data: bytearray) -> bytes:
        """CHANGE REFERENCE DATA: old and new, or new alone."""
        if p1 == 0x01:
            return self._set(p2, data)
        self._must_be_pin(p2)
        count = len(self._pin)
        old, new = data[:count], data[count:]
        try:
            self._compare(old)
            self._must_be_proper(new)
            self._pin[:] = new
            self.pin_tries_left = self._options.pin_tries
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
            self.puk_tries_left = self._options.puk_tries or 3
        else:
            self._must_be_pin(p2)
            self._pin[:] = data
            self.pin_tries_left = self._options.pin_tries
        return b""

    def reset(self, p1: int, p2: int, data: bytearray) -> bytes:
        """RESET RETRY COUNTER: by the PUK, or by the administrator."""
        self._must_be_pin(p2)
        if not self._is_operational():
            raise Status(NOT_YET)
        if p1 == 0x02:
            if not self._is_admin():
                raise Status(status.NOT_SATISFIED)
            new = bytearray(data)
        else:
            new = self._after_puk(data)
        try:
            self._must_be_proper(new)
            self._pin[:] = new
        finally:
            wipe(new)
        self.pin_tries_left = self._options.pin_tries
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
        if p2 not in (0x00, _PIN) or not (self._pin or not self._is_operational()):
            raise Status(status.NO_REFERENCE)

    @staticmethod
    def _must_be_proper(new: bytes | bytearray) -> None:
        if not _SHORTEST_PIN <= len(new) <= _LONGEST_PIN:
            raise Status(status.WRONG_DATA)

    def _must_be_free(self) -> None:
        """Creation state, or the administrator."""
        if self._is_operational() and not self._is_admin():
            raise Status(status.NOT_SATISFIED)

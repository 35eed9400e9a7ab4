"""A simulated reader's PIN pad: reads the structures of PC/SC part 10 as hardware does.

What will be typed is arranged beforehand: `will_type`, `will_cancel`; nothing arranged
is nobody there. The pad holds its reader to what part 10 allows and answers 6B80
otherwise.
"""

from __future__ import annotations

import struct
from collections import deque
from collections.abc import Callable

from kiosk.cards.apdu import wipe
from kiosk.cards.pinpad import MODIFY_DIRECT, VERIFY_DIRECT

_CODES = {0x42330006: VERIFY_DIRECT, 0x42330007: MODIFY_DIRECT}
"""Control code → feature; the codes are the driver's own choice."""
FEATURES = b"".join(
    bytes((feature, 4)) + code.to_bytes(4, "big") for code, feature in _CODES.items()
)
"""What this reader answers when it is asked for its features."""

_VERIFY = struct.Struct("=2x3BH2BHB3xI")
_MODIFY = struct.Struct("=2x5BH3BH3B3xI")
_FORMAT = 0x82
_HEADER = 5
"""CLA INS P1 P2 Lc."""
TIMED_OUT, CANCELLED, MISMATCH, WRONG_SIZE = 0x6400, 0x6401, 0x6402, 0x6403
WRONG_STRUCTURE = 0x6B80

Transmit = Callable[[bytearray], bytearray]


class PadRefusal(Exception):
    """The pad answers this status word in place of the card."""

    def __init__(self, sw: int) -> None:
        super().__init__(f"{sw:04X}")
        self.sw = sw


class SimulatedPad:
    """The keys of one reader. Card worker's thread, but for what will be typed."""

    def __init__(self) -> None:
        self._coming: deque[bytes | None] = deque()
        self.prompts = 0
        """How often somebody was asked to type."""

    def will_type(self, *values: bytes) -> None:
        """Let somebody type these, one after the other: new values come twice."""
        self._coming.extend(values)

    def will_cancel(self) -> None:
        """Let somebody press the cancel key."""
        self._coming.append(None)

    def control(self, code: int, structure: bytearray, transmit: Transmit) -> bytes:
        """Do what the driver of such a reader does; return the status word."""
        try:
            apdu = self._entered(_CODES.get(code), structure)
        except PadRefusal as refusal:
            return refusal.sw.to_bytes(2, "big")
        try:
            return bytes(transmit(apdu)[-2:])
        finally:
            wipe(apdu)

    def _entered(self, feature: int | None, structure: bytearray) -> bytearray:
        if feature == VERIFY_DIRECT:
            return self._verify(structure)
        if feature == MODIFY_DIRECT:
            return self._modify(structure)
        raise PadRefusal(WRONG_STRUCTURE)

    def _verify(self, structure: bytearray) -> bytearray:
        told, apdu = _split(_VERIFY, structure)
        form, block, length, sizes, _validation, messages, _language, _message, _ = told
        if (form, length, messages) != (_FORMAT, 0, 1):
            raise PadRefusal(WRONG_STRUCTURE)
        _put(apdu, self._typed(sizes), block, 0)
        return apdu

    def _modify(self, structure: bytearray) -> bytearray:
        told, apdu = _split(_MODIFY, structure)
        form, block, length, old_at, new_at, sizes, confirm, _validation, messages = (
            told[:9]
        )
        asks_current, confirms = bool(confirm & 2), bool(confirm & 1)
        if (form, length) != (_FORMAT, 0) or messages != 1 + asks_current + confirms:
            raise PadRefusal(WRONG_STRUCTURE)
        if asks_current:
            _put(apdu, self._typed(sizes), block, old_at)
        new = self._typed(sizes)
        if confirms and self._typed(sizes) != new:
            raise PadRefusal(MISMATCH)
        _put(apdu, new, block, new_at)
        return apdu

    def _typed(self, sizes: int) -> bytes:
        self.prompts += 1
        if not self._coming:
            raise PadRefusal(TIMED_OUT)
        value = self._coming.popleft()
        if value is None:
            raise PadRefusal(CANCELLED)
        if not sizes >> 8 <= len(value) <= sizes & 0xFF:
            raise PadRefusal(WRONG_SIZE)
        return value


def _split(
    form: struct.Struct, structure: bytearray
) -> tuple[tuple[int, ...], bytearray]:
    """Return the fields and the command, whose length is the last field."""
    if len(structure) < form.size:
        raise PadRefusal(WRONG_STRUCTURE)
    told = form.unpack_from(structure)
    apdu = structure[form.size :]
    if told[-1] != len(apdu) or len(apdu) < _HEADER:
        raise PadRefusal(WRONG_STRUCTURE)
    return told, apdu


def _put(apdu: bytearray, value: bytes, block: int, at: int) -> None:
    """Put a value into its place, or, where values are not padded, behind the last."""
    if not block:
        apdu += value
        apdu[4] += len(value)
        return
    place = _HEADER + at
    if place + block > len(apdu) or len(value) > block:
        raise PadRefusal(WRONG_STRUCTURE)
    apdu[place : place + len(value)] = value

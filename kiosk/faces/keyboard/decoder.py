"""Bytes of a terminal, one after the other, into keys."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum, auto
from typing import Final

from kiosk.faces.keyboard.names import CONTROLS, ESCAPE, NO_CHARACTER, PASTE, Key, typed
from kiosk.faces.keyboard.sequences import (
    is_paste,
    keys_after_csi,
    keys_after_ss3,
    keys_of_linux,
)

_ESC, _BEL, _TAB = 0x1B, 0x07, 0x09
_LONGEST_SEQUENCE: Final = 40
_MOUSE_BYTES: Final = 3
_PASTE_END: Final = b"\x1b[201~"


class _At(Enum):
    """Where in a sequence the next byte stands."""

    GROUND = auto()
    ESCAPE = auto()
    CSI = auto()
    LINUX = auto()
    """After CSI [, a function key of the Linux console."""
    SS3 = auto()
    STRING = auto()
    """In a device's string (OSC, DCS, APC, PM, SOS), none of which is kept."""
    STRING_ESCAPE = auto()
    MOUSE = auto()
    PASTE = auto()


_AFTER_ESCAPE: Final = {
    ord("["): _At.CSI,
    ord("O"): _At.SS3,
    **dict.fromkeys(b"]PX^_", _At.STRING),
}
_PATIENCE: Final = {
    _At.ESCAPE: 0.1,
    **dict.fromkeys((_At.CSI, _At.LINUX, _At.SS3, _At.MOUSE), 0.5),
    **dict.fromkeys((_At.STRING, _At.STRING_ESCAPE), 0.5),
    _At.PASTE: 2.0,
}
"""Seconds without a byte after which a sequence will not be ended any more."""
_PATIENCE_IN_CHARACTER: Final = 0.5
"""The same within a character of several bytes."""

_SECOND_BYTES: Final = {
    0xE0: (0xA0, 0xBF),
    0xED: (0x80, 0x9F),
    0xF0: (0x90, 0xBF),
    0xF4: (0x80, 0x8F),
}
"""Where UTF-8 allows fewer second bytes than 80 to BF (RFC 3629)."""


class Decoder:
    """Feed it what was read; it says what was pressed. Never raises.

    What is not ended (`patience` without a byte) is given up by `pause`.
    """

    def __init__(self) -> None:
        self._at = _At.GROUND
        self._parameters = bytearray()
        self._skipped = 0
        """Bytes of a mouse report, or of the end of a paste, that have come."""
        self._point, self._missing = 0, 0
        """A character whose UTF-8 has begun, and how many bytes it lacks."""
        self._allowed = (0x80, 0xBF)
        self._keys: list[Key] = []

    @property
    def patience(self) -> float | None:
        """Seconds to wait for a byte until `pause`; None: as long as it takes."""
        if self._missing:
            return _PATIENCE_IN_CHARACTER
        return _PATIENCE.get(self._at)

    def feed(self, data: Iterable[int]) -> list[Key]:
        """Take bytes as they came; return the keys that they end."""
        for byte in data:
            self._take(byte)
        return self._pressed()

    def pause(self) -> list[Key]:
        """Nothing has come for a while: return what that makes of what had begun."""
        if self._at is _At.ESCAPE:
            self._end(ESCAPE)
        elif self._at is not _At.GROUND or self._missing:
            self._point = self._missing = 0
            self._end(NO_CHARACTER)
        return self._pressed()

    def _pressed(self) -> list[Key]:
        keys, self._keys = self._keys, []
        return keys

    # --- sequences ----------------------------------------------------------------

    def _take(self, byte: int) -> None:
        match self._at:
            case _At.GROUND:
                self._ground(byte)
            case _At.ESCAPE:
                self._escape(byte)
            case _At.CSI | _At.SS3 | _At.LINUX:
                self._sequence(byte)
            case _At.STRING | _At.STRING_ESCAPE:
                self._string(byte)
            case _At.MOUSE:
                self._mouse(byte)
            case _At.PASTE:
                self._paste(byte)

    def _end(self, *keys: Key) -> None:
        """Return to the ground, with what the sequence was."""
        self._parameters[:] = bytes(len(self._parameters))
        self._parameters.clear()
        self._skipped = 0
        self._at = _At.GROUND
        self._keys += keys

    def _give_up(self, byte: int) -> None:
        """End what this byte cannot belong to, and take the byte for itself."""
        self._end(NO_CHARACTER)
        self._ground(byte)

    def _escape(self, byte: int) -> None:
        if byte in _AFTER_ESCAPE:
            self._at = _AFTER_ESCAPE[byte]
        elif byte == _TAB:
            self._end(Key("shift+tab"))  # the Linux console
        else:
            self._end(ESCAPE)
            self._ground(byte)

    def _sequence(self, byte: int) -> None:
        if not 0x20 <= byte <= 0x7E:
            self._give_up(byte)
        elif self._at is _At.LINUX:
            self._end(*keys_of_linux(chr(byte)))
        elif byte == 0x5B and self._at is _At.CSI and not self._parameters:
            self._at = _At.LINUX
        elif byte >= 0x40 or (byte == 0x24 and self._parameters.isdigit()):
            self._end_sequence(chr(byte))
        elif byte == 0x20 and self._at is _At.SS3 and not self._parameters:
            self._end_sequence(" ")
        elif len(self._parameters) <= _LONGEST_SEQUENCE:
            self._parameters.append(byte)

    def _end_sequence(self, end: str) -> None:
        parameters = self._parameters
        if len(parameters) > _LONGEST_SEQUENCE:
            self._end(NO_CHARACTER)
        elif self._at is _At.SS3:
            self._end(*keys_after_ss3(parameters, end))
        elif is_paste(parameters, end):
            self._end()
            self._at = _At.PASTE
        elif end == "M" and not parameters:
            self._at = _At.MOUSE
        else:
            self._end(*keys_after_csi(parameters, end))

    def _string(self, byte: int) -> None:
        if self._at is _At.STRING_ESCAPE:
            self._end(*(() if byte == 0x5C else (NO_CHARACTER,)))
            if byte != 0x5C:
                self._at = _At.ESCAPE
                self._escape(byte)
        elif byte == _BEL:
            self._end()
        elif byte == _ESC:
            self._at = _At.STRING_ESCAPE
        elif byte < 0x20:
            self._give_up(byte)

    def _mouse(self, byte: int) -> None:
        self._skipped += 1
        if byte < 0x20:
            self._give_up(byte)
        elif self._skipped == _MOUSE_BYTES:
            self._end()

    def _paste(self, byte: int) -> None:
        if byte != _PASTE_END[self._skipped]:
            self._skipped = 0
        if byte == _PASTE_END[self._skipped]:
            self._skipped += 1
        if self._skipped == len(_PASTE_END):
            self._end(PASTE)

    # --- characters ---------------------------------------------------------------

    def _ground(self, byte: int) -> None:
        if self._missing:
            self._continue(byte)
        elif byte == _ESC:
            self._at = _At.ESCAPE
        elif byte in CONTROLS:
            self._keys.append(Key(CONTROLS[byte]))
        elif byte < 0x80:
            self._keys.append(typed(chr(byte)))
        elif byte < 0xA0:
            self._c1(byte)
        else:
            self._begin(byte)

    def _c1(self, code: int) -> None:
        """An 8-bit control is ESC and a letter in one."""
        self._at = _AFTER_ESCAPE.get(code - 0x40, _At.GROUND)
        if self._at is _At.GROUND:
            self._keys.append(NO_CHARACTER)

    def _begin(self, byte: int) -> None:
        """Begin a character in UTF-8."""
        self._allowed = _SECOND_BYTES.get(byte, (0x80, 0xBF))
        if 0xC2 <= byte <= 0xDF:
            self._point, self._missing = byte & 0x1F, 1
        elif 0xE0 <= byte <= 0xEF:
            self._point, self._missing = byte & 0x0F, 2
        elif 0xF0 <= byte <= 0xF4:
            self._point, self._missing = byte & 0x07, 3
        else:
            self._keys.append(NO_CHARACTER)

    def _continue(self, byte: int) -> None:
        lowest, highest = self._allowed
        if not lowest <= byte <= highest:
            self._point = self._missing = 0
            self._keys.append(NO_CHARACTER)
            self._ground(byte)
            return
        self._allowed = (0x80, 0xBF)
        self._point = self._point << 6 | byte & 0x3F
        self._missing -= 1
        if not self._missing:
            point, self._point = self._point, 0
            if point < 0xA0:
                self._c1(point)
            else:
                self._keys.append(typed(chr(point)))

"""One line as it is typed: bytes that can be wiped, in a buffer that never grows."""

from __future__ import annotations

from enum import Enum, auto

from kiosk.pinrules import Alphabet
from kiosk.secret import Secret

_ENTER = b"\r\n"
_ERASE = b"\x08\x7f"
_ERASE_ALL = 0x15
_ESCAPE = 0x1B
_FIRST_SHOWN, _LAST_SHOWN = 0x20, 0x7E


class Typed(Enum):
    """What a byte was."""

    CHARACTER = auto()
    ERASED = auto()
    """One character less."""
    ALL_ERASED = auto()
    DONE = auto()
    """Enter."""
    NOTHING = auto()
    """Nothing that a line takes: an arrow, a function key, a control character."""


class Entry:
    """Takes byte after byte. Wiped by leaving its `with`."""

    def __init__(self, alphabet: Alphabet, maximum: int) -> None:
        """`maximum` in characters; what is typed beyond is counted, not kept."""
        self._alphabet = alphabet
        self._buffer = bytearray(maximum)
        self._length = 0
        self._beyond = 0
        self.is_foreign = False
        """A character was typed that the field does not take."""
        self._sequence = b""
        """The part of a key's escape sequence that has come."""

    @property
    def length(self) -> int:
        """How many characters were typed, those beyond the maximum as well."""
        return self._length + self._beyond

    @property
    def is_overfull(self) -> bool:
        return self._beyond > 0

    def take(self, byte: int) -> Typed:
        """Take a byte from the terminal (0–255); say what it was."""
        if self._sequence or byte == _ESCAPE:
            return self._in_sequence(byte)
        if byte in _ENTER:
            return Typed.DONE
        if byte in _ERASE:
            return self._erase()
        if byte == _ERASE_ALL:
            self.wipe()
            return Typed.ALL_ERASED
        if byte < _FIRST_SHOWN:
            return Typed.NOTHING
        self._put(byte)
        return Typed.CHARACTER

    def copy(self) -> Secret:
        """Return what was typed; the caller wipes it."""
        with memoryview(self._buffer) as view:
            return Secret(view[: self._length])

    def wipe(self) -> None:
        """Forget everything."""
        self._buffer[:] = bytes(len(self._buffer))
        self._length = self._beyond = 0
        self.is_foreign = False

    def __enter__(self) -> Entry:
        return self

    def __exit__(self, *_: object) -> None:
        self.wipe()

    def _put(self, byte: int) -> None:
        is_digit = 0x30 <= byte <= 0x39
        fits = is_digit if self._alphabet is Alphabet.DIGITS else byte <= _LAST_SHOWN
        self.is_foreign = self.is_foreign or not fits
        if self._length == len(self._buffer):
            self._beyond += 1
        else:
            self._buffer[self._length] = byte
            self._length += 1

    def _erase(self) -> Typed:
        if self._beyond:
            self._beyond -= 1
        elif self._length:
            self._length -= 1
            self._buffer[self._length] = 0
        else:
            return Typed.NOTHING
        if not self.length:
            self.is_foreign = False
        return Typed.ERASED

    def _in_sequence(self, byte: int) -> Typed:
        """Swallow an arrow or function key whole (ECMA-48, 5.4; SS3 of xterm)."""
        self._sequence += bytes([byte])
        if len(self._sequence) == 1:
            return Typed.NOTHING
        if len(self._sequence) == 2:
            if byte not in b"[O":
                self._sequence = b""
        elif 0x40 <= byte <= _LAST_SHOWN:
            self._sequence = b""
        return Typed.NOTHING

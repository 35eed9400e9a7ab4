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
_LONGEST_SEQUENCE = 16


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


class _Key(Enum):
    """How far the escape sequence of a key has come; its bytes are not kept."""

    NONE = auto()
    BEGUN = auto()
    """After ESC."""
    PARAMETERS = auto()
    """After ESC and a bracket (ECMA-48, 5.4)."""
    ONE_MORE = auto()
    """After SS3, or the second bracket of a Linux console's function key."""


class Entry:
    """Takes byte after byte. Wiped by leaving its `with`."""

    def __init__(
        self, alphabet: Alphabet, maximum: int, *, ignores: bytes = b""
    ) -> None:
        """`maximum` in characters; what is typed beyond is counted, not kept.

        `ignores`: characters that may be typed and mean nothing.
        """
        self._alphabet = alphabet
        self._ignores = ignores
        self._buffer = bytearray(maximum)
        self._length = 0
        self._beyond = 0
        self._key = _Key.NONE
        self._key_bytes = 0

    @property
    def length(self) -> int:
        """How many bytes were typed, those beyond the maximum as well."""
        return self._length + self._beyond

    @property
    def is_overfull(self) -> bool:
        return self._beyond > 0

    @property
    def is_foreign(self) -> bool:
        """A character is in it that the field does not take."""
        return not all(self._fits(byte) for byte in self._buffer[: self._length])

    def take(self, byte: int) -> Typed:
        """Take a byte from the terminal (0–255); say what it was."""
        if byte == _ESCAPE:
            self._key, self._key_bytes = _Key.BEGUN, 0
            return Typed.NOTHING
        if self._key is not _Key.NONE and self._is_of_key(byte):
            return Typed.NOTHING
        if byte in _ENTER:
            return Typed.DONE
        if byte in _ERASE:
            return self._erase()
        if byte == _ERASE_ALL:
            self.wipe()
            return Typed.ALL_ERASED
        if byte < _FIRST_SHOWN:
            return Typed.NOTHING
        if byte not in self._ignores:
            self._put(byte)
        return Typed.CHARACTER

    def pause(self) -> None:
        """Nothing has come for a while: an Esc was a key of its own."""
        self._key = _Key.NONE

    def copy(self) -> Secret:
        """Return what was typed; the caller wipes it."""
        with memoryview(self._buffer) as view:
            return Secret(view[: self._length])

    def wipe(self) -> None:
        """Forget everything."""
        self._buffer[:] = bytes(len(self._buffer))
        self._length = self._beyond = 0
        self._key = _Key.NONE

    def __enter__(self) -> Entry:
        return self

    def __exit__(self, *_: object) -> None:
        self.wipe()

    def _fits(self, byte: int) -> bool:
        if self._alphabet is Alphabet.DIGITS:
            return 0x30 <= byte <= 0x39
        return _FIRST_SHOWN <= byte <= _LAST_SHOWN

    def _put(self, byte: int) -> None:
        if self._length == len(self._buffer):
            self._beyond += 1
        else:
            self._buffer[self._length] = byte
            self._length += 1

    def _erase(self) -> Typed:
        """Take back a character; of UTF-8, all its bytes."""
        if self._beyond:
            self._beyond -= 1
            return Typed.ERASED
        if not self._length:
            return Typed.NOTHING
        is_continued = True
        while is_continued and self._length:
            self._length -= 1
            is_continued = self._buffer[self._length] & 0xC0 == 0x80
            self._buffer[self._length] = 0
        return Typed.ERASED

    def _is_of_key(self, byte: int) -> bool:
        """Swallow an arrow or function key whole; False: the byte is none of it."""
        self._key_bytes += 1
        is_shown = _FIRST_SHOWN <= byte <= _LAST_SHOWN
        if not is_shown or self._key_bytes > _LONGEST_SEQUENCE:
            self._key = _Key.NONE
            return False
        match self._key:
            case _Key.BEGUN:
                begun = {0x5B: _Key.PARAMETERS, 0x4F: _Key.ONE_MORE}
                self._key = begun.get(byte, _Key.NONE)
                return self._key is not _Key.NONE
            case _Key.PARAMETERS if byte == 0x5B and self._key_bytes == 2:
                self._key = _Key.ONE_MORE
            case _Key.PARAMETERS if not 0x40 <= byte <= _LAST_SHOWN:
                pass
            case _:
                self._key = _Key.NONE
        return True

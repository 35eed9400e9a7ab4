"""One line as it is typed: bytes that can be wiped, in a buffer that never grows."""

from __future__ import annotations

from enum import Enum, auto

from kiosk.core.errors import Message
from kiosk.core.secret import Secret
from kiosk.faces.typed import Repertoire
from kiosk.pin.rules import Alphabet

_ENTER = b"\r\n"
_ERASE = b"\x08\x7f"
_ERASE_ALL = 0x15
_ESCAPE = 0x1B
_FIRST_SHOWN, _LAST_SHOWN = 0x20, 0x7E
_LONGEST_SEQUENCE = 16
_UNUSABLE = 0
"""Stands in the buffer for a key that cannot be used."""


class TypedLine(Enum):
    """What a byte was."""

    CHARACTER = auto()
    ERASED = auto()
    """One character less."""
    ALL_ERASED = auto()
    DONE = auto()
    """Enter."""
    UNUSABLE = auto()
    """A key that no line can use: it refuses this one."""
    NOTHING = auto()
    """Nothing that could be meant for a line: a function key, or half a key."""


class _Key(Enum):
    """How far the escape sequence of a key has come; its bytes are not kept."""

    NONE = auto()
    BEGUN = auto()
    """After ESC."""
    PARAMETERS = auto()
    """After ESC and a bracket (ECMA-48, 5.4)."""
    ONE_MORE = auto()
    """After SS3, or the second bracket of a Linux console's function key."""


class LineEntry:
    """Takes byte after byte. Wiped by leaving its `with`."""

    def __init__(self, alphabet: Alphabet, maximum: int, *, ignores: str = "") -> None:
        """`maximum` in characters; what is typed beyond is counted, not kept.

        `ignores`: characters that may be typed and mean nothing.
        """
        self._alphabet = alphabet
        self._ignores = ignores.encode()
        self._buffer = bytearray(maximum)
        self._length = 0
        self._beyond: list[bool] = []
        """Of each byte beyond the maximum: whether the field could use it."""
        self._early = 0
        self._key = _Key.NONE
        self._key_bytes = 0
        self._parameter = 0

    @property
    def length(self) -> int:
        """How many bytes were typed, those that were not kept as well."""
        return self._length + len(self._beyond) + self._early

    @property
    def refusal(self) -> Message | None:
        """Say why the line cannot be used; None: it can."""
        if self._early:
            return Message("tui.form.too_early", {"count": self._early})
        used = self._buffer[: self._length]
        foreign = [each for each in used if not self._fits(each)]
        begun = sum(each & 0xC0 != 0x80 for each in foreign)
        unusable = begun or min(1, len(foreign))  # broken text may only go on
        unusable += self._beyond.count(False)
        if unusable:
            return Repertoire(self._alphabet).refusal(unusable)
        if self._beyond:
            return Message("tui.form.too_long", {"maximum": len(self._buffer)})
        return None

    def come_early(self, count: int) -> None:
        """Refuse the line for keys that were pressed before it was asked for."""
        self._early += count

    def take(self, byte: int) -> TypedLine:
        """Take a byte from the terminal (0–255); say what it was."""
        if byte == _ESCAPE:
            self._key, self._key_bytes, self._parameter = _Key.BEGUN, 0, 0
            return TypedLine.NOTHING
        if self._key is not _Key.NONE:
            typed = self._of_key(byte)
            if typed is not None:
                return typed
        if byte in _ENTER:
            return TypedLine.DONE
        if byte in _ERASE:
            return self._erase()
        if byte == _ERASE_ALL:
            self.wipe()
            return TypedLine.ALL_ERASED
        if byte < _FIRST_SHOWN:
            return self._refuse()
        if byte not in self._ignores:
            self._put(byte)
        return TypedLine.CHARACTER

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
        self._length = self._early = 0
        self._beyond.clear()
        self._key = _Key.NONE

    def __enter__(self) -> LineEntry:
        return self

    def __exit__(self, *_: object) -> None:
        self.wipe()

    def _fits(self, byte: int) -> bool:
        if self._alphabet is Alphabet.DIGITS:
            return 0x30 <= byte <= 0x39
        return _FIRST_SHOWN <= byte <= _LAST_SHOWN

    def _refuse(self) -> TypedLine:
        """Keep the place of a key that cannot be used; Backspace takes it back."""
        self._put(_UNUSABLE)
        return TypedLine.UNUSABLE

    def _put(self, byte: int) -> None:
        if self._early:
            self._early += 1  # it belongs to a line whose beginning is not known
        elif self._length == len(self._buffer):
            self._beyond.append(self._fits(byte))
        else:
            self._buffer[self._length] = byte
            self._length += 1

    def _erase(self) -> TypedLine:
        """Take back a character; of UTF-8, all its bytes."""
        if self._early:
            self._early -= 1
            return TypedLine.ERASED
        if self._beyond:
            self._beyond.pop()
            return TypedLine.ERASED
        if not self._length:
            return TypedLine.NOTHING
        is_continued = True
        while is_continued and self._length:
            self._length -= 1
            is_continued = self._buffer[self._length] & 0xC0 == 0x80
            self._buffer[self._length] = 0
        return TypedLine.ERASED

    def _of_key(self, byte: int) -> TypedLine | None:
        """Take the next byte of an arrow, a function key or a chord with Alt.

        None: the byte is none of it. A key that would edit elsewhere in a line refuses
        it: whoever pressed it believes in another value.
        """
        self._key_bytes += 1
        is_shown = _FIRST_SHOWN <= byte <= _LAST_SHOWN
        if not is_shown or self._key_bytes > _LONGEST_SEQUENCE:
            self._key = _Key.NONE
            return None
        match self._key:
            case _Key.BEGUN if byte in _INTRODUCERS:
                self._key = _INTRODUCERS[byte]
                return TypedLine.NOTHING
            case _Key.BEGUN:
                self._key = _Key.NONE
                return self._refuse()
            case _Key.PARAMETERS if byte == _BRACKET and self._key_bytes == 2:
                self._key = _Key.ONE_MORE
                return TypedLine.NOTHING
            case _Key.PARAMETERS if not 0x40 <= byte <= _LAST_SHOWN:
                is_first = 0x30 <= byte <= 0x39 and self._key_bytes == 2
                self._parameter = byte if is_first else self._parameter and _SEVERAL
                return TypedLine.NOTHING
            case _:
                self._key = _Key.NONE
        if byte in _MOVING or (byte == _TILDE and self._parameter in _EDITING):
            return self._refuse()
        return TypedLine.NOTHING


_BRACKET, _TILDE = 0x5B, 0x7E
_INTRODUCERS = {_BRACKET: _Key.PARAMETERS, 0x4F: _Key.ONE_MORE}
_MOVING = frozenset(b"CDHF")
"""What ends right, left, home and end (`ESC [ C`, `ESC O C`)."""
_EDITING = frozenset(b"123478")
"""Before a tilde: home, insert, delete, end, home, end; other keys have more digits."""
_SEVERAL = 0xFF

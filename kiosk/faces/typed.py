"""What was typed into one field: every key of it, or nothing.

A key that the field cannot use holds its place like any other: the entry is refused
as a whole, and Backspace takes back what was pressed last. Nothing that was typed is
ever left out of what is used. UI thread.
"""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.core.errors import Message
from kiosk.core.secret import Secret
from kiosk.faces.keyboard.names import UNREADABLE
from kiosk.pin.alphabet import Alphabet

_UNUSABLE = 0
"""Stands in the buffer for a key that cannot be used; no key types it."""
_LONGEST_CHARACTER = 4
"""Bytes of UTF-8."""
_MOST_REMEMBERED = 256
"""Keys beyond the maximum of which it is known whether the field could use them."""
_MODIFIERS = frozenset({"ctrl", "alt", "super", "hyper", "meta"})
_MOVING = frozenset({"left", "right", "home", "end", "insert", "delete"})


@dataclass(frozen=True, slots=True)
class Repertoire:
    """Which characters a field takes."""

    alphabet: Alphabet | None
    """None: every printable character of Unicode, as in a directory's passwords."""

    def has(self, character: str) -> bool:
        """Say whether a field can use a character."""
        if len(character) != 1 or not character.isprintable():
            return False
        if character == UNREADABLE:
            return False
        if self.alphabet is Alphabet.DIGITS:
            return character in _DIGITS
        return self.alphabet is None or " " <= character <= "~"

    def refusal(self, count: int) -> Message:
        """Say of an entry that so many keys of it cannot be used."""
        kind = {Alphabet.DIGITS: "digits", Alphabet.PRINTABLE: "characters"}
        name = "keys" if self.alphabet is None else kind[self.alphabet]
        return Message(f"tui.form.not_{name}", {"count": count})


def edits_elsewhere(key: str) -> bool:
    """Say of a key's name whether its person may now believe in another value.

    It moves in the line, or it is a chord, which does something in other programs.
    """
    *held, name = key.split("+")
    return name in _MOVING or not _MODIFIERS.isdisjoint(held)


ANY = Repertoire(None)
_DIGITS = frozenset("0123456789")


class Typed:
    """The keys of one entry, in a buffer that never grows; its owner wipes it."""

    def __init__(
        self, repertoire: Repertoire, maximum: int, *, ignores: str = ""
    ) -> None:
        """`maximum` in characters. `ignores`: what may be typed and means nothing."""
        self.maximum = maximum
        self._repertoire = repertoire
        self._ignores = ignores
        self._buffer = bytearray(maximum * _LONGEST_CHARACTER)
        self._used = 0
        self._characters = 0
        self._beyond: list[bool] = []
        """Of each key beyond the maximum: whether the field could use it."""
        self._uncounted = 0
        """Keys beyond even those."""
        self._early = 0
        self._pasted = 0
        """What was pasted, and keys after it."""

    # --- keys -------------------------------------------------------------------

    def put(self, character: str) -> None:
        """Take in what a key typed."""
        if character and character in self._ignores:
            return
        if self._pasted:
            self._pasted += 1
        elif self._early:
            self._early += 1  # it belongs to an entry whose beginning is not known
        elif len(self._beyond) == _MOST_REMEMBERED:
            self._uncounted += 1
        elif self._characters == self.maximum:
            self._beyond.append(self._repertoire.has(character))
        elif self._repertoire.has(character):
            self._append(character.encode())
        else:
            self._append(bytes((_UNUSABLE,)))

    def refuse(self) -> None:
        """Take in a key that types nothing which a field could use."""
        self.put("")

    def paste(self) -> None:
        """Refuse the entry for what was not typed."""
        self._pasted += 1

    def come_early(self, count: int) -> None:
        """Refuse the entry for keys that were pressed before they could be taken."""
        self._early += count

    def erase(self) -> None:
        """Take back the key that was pressed last."""
        if self._pasted:
            self._pasted -= 1
        elif self._early:
            self._early -= 1
        elif self._uncounted:
            self._uncounted -= 1
        elif self._beyond:
            self._beyond.pop()
        elif self._used:
            self._erase_character()

    def wipe(self) -> None:
        """Forget what was typed."""
        for index in range(self._used):
            self._buffer[index] = 0
        self._used = self._characters = self._uncounted = 0
        self._early = self._pasted = 0
        self._beyond.clear()

    # --- what it is -------------------------------------------------------------

    def __len__(self) -> int:
        """How many characters there are, of those that fit."""
        return self._characters

    def __bool__(self) -> bool:
        """An entry is one, empty or not."""
        return True

    @property
    def keys(self) -> int:
        """How many keys the entry has, those that cannot be used as well."""
        beyond = len(self._beyond) + self._uncounted
        return self._characters + beyond + self._early + self._pasted

    @property
    def refusal(self) -> Message | None:
        """Say why the entry cannot be used; None: it can."""
        if self._pasted:
            return Message("tui.form.pasted")
        if self._early:
            return Message("tui.form.too_early", {"count": self._early})
        unusable = self._buffer.count(_UNUSABLE, 0, self._used)
        unusable += self._beyond.count(False)
        if unusable and not self._uncounted:
            return self._repertoire.refusal(unusable)
        if self._beyond:
            return Message("tui.form.too_long", {"maximum": self.maximum})
        return None

    def copy(self) -> Secret:
        """Return a copy of what was typed; the caller wipes it."""
        with memoryview(self._buffer) as view:
            return Secret(view[: self._used])

    def text(self) -> str:
        """Return what was typed where it is no secret; "?" for what is no use."""
        known = self._buffer[: self._used].replace(b"\0", b"?").decode()
        return known + "?" * (self._early + self._pasted)

    def shown(self, index: int) -> str:
        """Return one character of a secret that its person wants to see."""
        if index >= self._characters:
            return "?"
        start = self._starts()[index]
        end = start + 1
        while end < self._used and self._buffer[end] & 0xC0 == 0x80:
            end += 1
        character = self._buffer[start:end].decode()
        return "?" if character == chr(_UNUSABLE) else character

    def _starts(self) -> list[int]:
        used = range(self._used)
        return [index for index in used if self._buffer[index] & 0xC0 != 0x80]

    def _append(self, encoded: bytes) -> None:
        end = self._used + len(encoded)
        self._buffer[self._used : end] = encoded
        self._used = end
        self._characters += 1

    def _erase_character(self) -> None:
        is_continued = True
        while is_continued:
            self._used -= 1
            is_continued = self._buffer[self._used] & 0xC0 == 0x80
            self._buffer[self._used] = 0
        self._characters -= 1

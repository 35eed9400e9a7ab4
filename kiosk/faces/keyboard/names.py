"""The keys of terminals: what they send, and how they are called.

Names are Textual's: modifiers in alphabetical order, then the key.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple, TypeVar

UNREADABLE: Final = "\N{REPLACEMENT CHARACTER}"
"""Stands for a character that was typed and could not be told: no field takes it."""


class Key(NamedTuple):
    """A key that was pressed; a key with a character is named by it."""

    name: str
    character: str | None = None


PASTE: Final = Key("paste")
"""Something was pasted; what it was has not been kept."""

NO_CHARACTER: Final = Key(UNREADABLE, UNREADABLE)

ESCAPE: Final = Key("escape")
T = TypeVar("T")


def _named(codes: Iterable[T], names: str) -> dict[T, str]:
    return dict(zip(codes, names.split(), strict=True))


CONTROLS: Final = {
    0x00: "ctrl+@",
    **{code: f"ctrl+{chr(code + 0x60)}" for code in range(0x01, 0x1B)},
    0x08: "backspace",
    0x09: "tab",
    0x0D: "enter",
    0x1C: "ctrl+backslash",
    0x1D: "ctrl+right_square_bracket",
    0x1E: "ctrl+circumflex_accent",
    0x1F: "ctrl+underscore",
    0x7F: "backspace",
}
"""Control characters but ESC."""

LETTERS: Final = _named("ABCDFHPQRS", "up down right left end home f1 f2 f3 f4")
"""CSI and SS3 sequences that end in a letter."""

NUMBERS: Final = {
    **_named(range(1, 7), "home insert delete end pageup pagedown"),
    **_named(range(7, 9), "home end"),
    **_named(range(11, 16), "f1 f2 f3 f4 f5"),
    **_named(range(17, 22), "f6 f7 f8 f9 f10"),
    **_named((23, 24, 25, 26, 28, 29), "f11 f12 f13 f14 f15 f16"),
    **_named(range(31, 35), "f17 f18 f19 f20"),
}
"""CSI sequences that end in ~, ^ (Ctrl), $ (Shift) or @ (both; rxvt's)."""

LINUX: Final = _named("ABCDE", "f1 f2 f3 f4 f5")
"""The Linux console's function keys, after CSI [."""

RXVT_ARROWS: Final = _named("abcd", "up down right left")
"""Arrows of rxvt: with Shift after CSI, with Ctrl after SS3."""

KEYPAD: Final = {
    **_named("pqrstuvwxy", "0 1 2 3 4 5 6 7 8 9"),
    **_named("jklmnoX", "* + , - . / ="),
    " ": " ",
}
"""The keypad in application mode, after SS3."""

CODES: Final = {
    **_named((8, 9, 13, 27, 127), "backspace tab enter escape backspace"),
    **_named(range(57414, 57415), "enter"),
    **_named(range(57417, 57421), "left right up down"),
    **_named(range(57421, 57425), "pageup pagedown home end"),
    **_named(range(57425, 57427), "insert delete"),
    **{57376 + number: f"f{13 + number}" for number in range(23)},
}
"""Keys by the numbers of the kitty protocol and of modifyOtherKeys."""

CODES_OF_CHARACTERS: Final = {
    **_named(range(57399, 57409), "0 1 2 3 4 5 6 7 8 9"),
    **_named((57409, 57410, 57411, 57412, 57413, 57415, 57416), ". / * - + = ,"),
}
"""The keypad of the kitty protocol."""

_MODIFIERS: Final = ("shift", "alt", "ctrl", "super", "hyper", "meta")
_MOST_MODIFIERS: Final = 256
SHIFT: Final = 1
CAPS_LOCK: Final = 64
_CHORD: Final = 0b111110
"""Modifiers that make of a character something else than a character."""
_ALT: Final = 2
_AS_PLAIN: Final = frozenset({"enter", "backspace", "escape"})
"""With Shift they are the same keys: most terminals cannot even tell."""


def chord(modifiers: int, key: str) -> Key:
    """Return a key with its modifiers (bits, as terminals number them)."""
    if modifiers & SHIFT and not modifiers & _CHORD and key in _AS_PLAIN:
        return Key(key)
    held = [name for bit, name in enumerate(_MODIFIERS) if modifiers >> bit & 1]
    return Key("+".join([*sorted(held), key]))


def modifiers_of(number: int | None) -> int | None:
    """Return the bits of a sequence's modifier parameter; None: it has no legal one."""
    if number is None or number == 0:
        return 0
    return number - 1 if number <= _MOST_MODIFIERS else None


def typed(character: str) -> Key:
    """Return the key of a character; of one that cannot be seen, UNREADABLE."""
    shown = character if character.isprintable() else UNREADABLE
    return Key(shown, shown)


def typed_with(modifiers: int, character: str) -> Key:
    """Return the key of a character with modifiers held."""
    if not modifiers & _CHORD or character == UNREADABLE:
        return typed(character)
    if modifiers & _CHORD == _ALT:
        return NO_CHARACTER  # no command of ours, and not what was meant
    return chord(modifiers, "space" if character == " " else character.lower())

"""Whole escape sequences: which key each is, if it is one."""

from __future__ import annotations

from typing import Final

from kiosk.faces.keyboard.names import (
    CAPS_LOCK,
    CODES,
    CODES_OF_CHARACTERS,
    KEYPAD,
    LETTERS,
    LINUX,
    NO_CHARACTER,
    NUMBERS,
    RXVT_ARROWS,
    SHIFT,
    UNREADABLE,
    Key,
    chord,
    modifiers_of,
    typed,
    typed_with,
)

_DIGITS: Final = b"0123456789"
_LONGEST_NUMBER: Final = 7
_LAST_CHARACTER: Final = 0x10FFFF
_SURROGATES: Final = range(0xD800, 0xE000)
_PRIVATE: Final = range(0xE000, 0xF900)
"""Where the kitty protocol has its keys that are no characters."""
_RELEASED: Final = 3
_OTHER_KEYS: Final = 27
_PASTE_END: Final = 201
_CTRL: Final = 4
_RXVT: Final = {"^": _CTRL, "$": SHIFT, "@": _CTRL | SHIFT}
"""What ends rxvt's sequences, and the modifiers that it means."""
_SHIFTED: Final = frozenset('~!@#$%^&*()_+{}|:"<>?')
"""Never without Shift: a terminal that names one has Shift in it already."""
_PRIVATELY: Final = (b"<", b"=", b">", b"?")
"""How most answers begin."""
_ANSWERS: Final = frozenset("RIOMmctnxy")
"""Ends of what a terminal answers: position, focus, mouse, itself, size, modes."""
_MEANINGLESS: Final = frozenset("EG")
"""The keypad's 5 without Num Lock."""

Fields = list[list[int | None]]
"""Parameters, each with its subparameters; None: left out."""
_NOTHING: Final[list[Key]] = []
_UNREAD: Final = [NO_CHARACTER]


def keys_after_csi(parameters: bytearray, end: str) -> list[Key]:
    """Return the keys of a CSI sequence."""
    is_key = not parameters and end in "Rc"
    if parameters.startswith(_PRIVATELY) or (end in _ANSWERS and not is_key):
        return _NOTHING
    fields = _fields(parameters)
    modifiers = _held(fields)
    if modifiers is None:
        return _NOTHING if _is_released(fields) else _UNREAD
    if end in _RXVT and parameters.isdigit():
        return _named(NUMBERS.get(fields[0][0] or 0), _RXVT[end])
    if end == "u":
        return _of_code(fields, modifiers)
    if end == "~":
        return _of_number(fields, modifiers)
    if end == "Z" and len(fields) <= 2:
        return [Key("shift+tab")]
    return _of_letter(fields, modifiers, end)


def keys_after_ss3(parameters: bytearray, end: str) -> list[Key]:
    """Return the keys of an SS3 sequence; some terminals put modifiers into it."""
    if parameters:
        fields = _fields(parameters)
        modifiers = modifiers_of(fields[-1][0]) if 0 < len(fields) <= 2 else None
        return _UNREAD if modifiers is None else _named(LETTERS.get(end), modifiers)
    if end in KEYPAD:
        return [typed(KEYPAD[end])]
    if end in ("M", "I"):
        return [Key("enter" if end == "M" else "tab")]
    if end in RXVT_ARROWS:
        return _named(RXVT_ARROWS[end], _CTRL)
    return _NOTHING if end in _MEANINGLESS else _named(LETTERS.get(end), 0)


def keys_of_linux(end: str) -> list[Key]:
    """Return the function key of a Linux console."""
    return _named(LINUX.get(end), 0)


def is_paste(parameters: bytearray, end: str) -> bool:
    """Say whether something pasted begins."""
    return end == "~" and parameters == b"200"


def _fields(parameters: bytearray) -> Fields:
    """Split parameters; empty: not all of them are numbers of a sensible size."""
    fields: Fields = []
    for parameter in parameters.split(b";"):
        subparameters: list[int | None] = []
        for digits in parameter.split(b":"):
            if len(digits) > _LONGEST_NUMBER or digits.strip(_DIGITS):
                return []
            subparameters.append(int(digits) if digits else None)
        fields.append(subparameters)
    return fields


def _named(name: str | None, modifiers: int) -> list[Key]:
    return _UNREAD if name is None else [chord(modifiers, name)]


def _is_released(fields: Fields) -> bool:
    """Say whether a key went up; that it went down has been told before."""
    return len(fields) > 1 and fields[1][1:] == [_RELEASED]


def _held(fields: Fields) -> int | None:
    """Return the modifiers of a key that went down; None: there is no such key."""
    if not fields or _is_released(fields):
        return None
    if len(fields) == 1:
        return 0
    return modifiers_of(fields[1][0]) if len(fields[1]) <= 2 else None


def _of_letter(fields: Fields, modifiers: int, end: str) -> list[Key]:
    """CSI 1 ; modifiers and a letter, or the letter alone."""
    if end in _MEANINGLESS:
        return _NOTHING
    if fields == [[None]] and end in RXVT_ARROWS:
        return _named(RXVT_ARROWS[end], SHIFT)
    if len(fields) > 2 or fields[0] not in ([1], [None]):
        return _UNREAD
    return _named(LETTERS.get(end), modifiers)


def _of_number(fields: Fields, modifiers: int) -> list[Key]:
    number = fields[0][0]
    if number is None or len(fields[0]) > 1:
        return _UNREAD
    if number == _OTHER_KEYS and len(fields) == 3:
        return _of_other_key(fields[2], modifiers)
    if number == _PASTE_END:
        return _NOTHING
    return _named(NUMBERS.get(number), modifiers) if len(fields) <= 2 else _UNREAD


def _of_other_key(codes: list[int | None], modifiers: int) -> list[Key]:
    """modifyOtherKeys: Shift is in the character already."""
    code = codes[0]
    if code is None or len(codes) > 1:
        return _UNREAD
    if code in CODES:
        return [chord(modifiers, CODES[code])]
    return [typed_with(modifiers, _character(code))]


def _of_code(fields: Fields, modifiers: int) -> list[Key]:
    """CSI code : shifted : base ; modifiers : event ; text u (kitty's protocol)."""
    code, *others = fields[0]
    if code is None or len(fields) > 3 or len(others) > 2:
        return _UNREAD
    text = fields[2] if len(fields) == 3 else []
    if any(each is not None for each in text):
        return [typed(_character(each)) for each in text]
    if code in CODES:
        return [chord(modifiers, CODES[code])]
    if code in CODES_OF_CHARACTERS:
        return [typed_with(modifiers, CODES_OF_CHARACTERS[code])]
    if code in _PRIVATE:
        return _NOTHING
    if modifiers & SHIFT and others and others[0] is not None:
        return [typed_with(modifiers, _character(others[0]))]
    return [typed_with(modifiers, _shifted(_character(code), modifiers))]


def _shifted(character: str, modifiers: int) -> str:
    """Return what Shift and Caps Lock make of a character, where that can be known."""
    if character.isalpha():
        is_upper = bool(modifiers & SHIFT) != bool(modifiers & CAPS_LOCK)
        shifted = character.upper() if is_upper else character
        return shifted if len(shifted) == 1 else UNREADABLE
    is_told = not modifiers & SHIFT or character == " " or character in _SHIFTED
    return character if is_told else UNREADABLE


def _character(code: int | None) -> str:
    """Return the character of a number; UNREADABLE: there is none."""
    if code is None or not 0x20 <= code <= _LAST_CHARACTER:
        return UNREADABLE
    return UNREADABLE if code in _SURROGATES or code in _PRIVATE else chr(code)

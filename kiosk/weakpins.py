"""PINs that people choose and thieves try first.

Pure, on bytes. Refused: all characters equal, runs up or down (also past 9), a
repeated group of two or three, pairs (112233), mirrored halves (123321), columns
and lines of a number pad, dates, and the top of published lists.
"""

from __future__ import annotations

import itertools

_TOP = frozenset(
    {
        b"159753",
        b"147258",
        b"147852",
        b"258025",
        b"258000",
        b"147147",
        b"369369",
        b"789456",
        b"456789",
        b"741852",
        b"741852963",
        b"852456",
        b"963852",
        b"14725836",
        b"159357",
        b"520520",
        b"5201314",
        b"password",
        b"abc123",
        b"qwerty",
        b"696969",
        b"102030",
        b"010203",
        b"987654",
    }
)
_MONTHS = range(1, 13)
_DAYS = range(1, 32)


def is_weak(pin: bytes | bytearray) -> bool:
    """Say whether `pin` (ASCII) is one of those. Short values are weak, too."""
    return (
        len(set(pin)) <= 1
        or _is_run(pin)
        or _is_repeated(pin)
        or _is_paired(pin)
        or _is_mirrored(pin)
        or bytes(pin).lower() in _TOP
        or _is_date(pin)
    )


def _is_run(pin: bytes | bytearray) -> bool:
    steps = {(after - before) % 10 for before, after in itertools.pairwise(pin)}
    if pin.isdigit():
        return steps in ({1}, {9})
    plain = {after - before for before, after in itertools.pairwise(pin)}
    return plain in ({1}, {-1})


def _is_repeated(pin: bytes | bytearray) -> bool:
    for length in (2, 3, 4):
        if len(pin) >= 2 * length and all(
            pin[index] == pin[index % length] for index in range(len(pin))
        ):
            return True
    return False


def _is_paired(pin: bytes | bytearray) -> bool:
    """Doubled characters in a run or repeat: 112233, 998877."""
    if len(pin) < 6 or len(pin) % 2 or pin[::2] != pin[1::2]:
        return False
    return _is_run(pin[::2]) or _is_repeated(pin[::2])


def _is_mirrored(pin: bytes | bytearray) -> bool:
    half = len(pin) // 2
    return (
        len(pin) >= 6 and len(pin) % 2 == 0 and pin[:half] == pin[half:][::-1]
    ) and _is_run(pin[:half])


def _is_date(pin: bytes | bytearray) -> bool:
    """DDMMYY, MMDDYY, YYMMDD, YYYYMM, MMYYYY, and with a four-digit year."""
    if not pin.isdigit() or len(pin) not in (6, 8):
        return False
    return any(_fits(pin, form) for form in _FORMS[len(pin)])


_FORMS = {
    6: ("DMy", "MDy", "yMD", "YM", "MY"),
    8: ("DMY", "MDY", "YMD", "YDM"),
}


def _fits(pin: bytes | bytearray, form: str) -> bool:
    position = 0
    for part in form:
        width = 4 if part == "Y" else 2
        value = int(pin[position : position + width])
        position += width
        ranges = {"D": _DAYS, "M": _MONTHS, "Y": range(1900, 2100), "y": range(100)}
        if value not in ranges[part]:
            return False
    return True

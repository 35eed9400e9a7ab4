"""PINs that people choose and thieves try first.

Pure, on the buffer itself: nothing is copied that nobody could wipe. Refused: all
characters equal, runs up or down (also past 9), a repeated group of up to four,
doubled runs (112233), mirrored runs (123321), lines of a number pad, dates, and the
top of published lists.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from enum import StrEnum


class Weakness(StrEnum):
    """Why a PIN is one of those; `rule.weak.<value>` in the catalogue."""

    SAME = "same"
    UP = "up"
    DOWN = "down"
    REPEATED = "repeated"
    DOUBLED = "doubled"
    MIRRORED = "mirrored"
    COMMON = "common"
    PAD = "pad"
    DATE = "date"


_COMMON = (
    *(b"520520", b"5201314", b"696969", b"102030", b"010203", b"258000"),
    *(b"password", b"passw0rd", b"p@ssw0rd", b"password1", b"welcome1"),
    *(b"abc123", b"qwerty", b"qwerty12", b"qwerty123", b"iloveyou", b"letmein"),
    *(b"1q2w3e4r", b"1qaz2wsx", b"qwertz", b"admin123"),
)
_TOP = {
    length: tuple(word for word in _COMMON if len(word) == length)
    for length in sorted({len(word) for word in _COMMON})
}
"""By their lengths."""
_PAD = (b"123", b"456", b"789", b"147", b"2580", b"258", b"369", b"159", b"357")
_LINES = (*_PAD, *(line[::-1] for line in _PAD))
_SHORTEST = 4
"""Below this, lines and dates say nothing about a value."""

_DATES = {
    4: ("Y", "DM", "MD"),
    6: ("DMy", "MDy", "yMD", "YM", "MY"),
    8: ("DMY", "MDY", "YMD", "YDM"),
}
_RANGES = {
    "D": range(1, 32),
    "M": range(1, 13),
    "Y": range(1900, 2100),
    "y": range(100),
}


def is_weak(pin: bytes | bytearray) -> bool:
    """Say whether `pin` (ASCII) is one of those. One character or none is weak, too."""
    return weakness(pin) is not None


def weakness(pin: bytes | bytearray) -> Weakness | None:
    """Say why `pin` (ASCII) is weak; None: it is not."""
    with memoryview(pin) as view:
        if len(set(view)) <= 1:
            return Weakness.SAME
        if _is_run(view):
            return Weakness.UP if (view[1] - view[0]) in (1, -9) else Weakness.DOWN
        if _is_repeated(view):
            return Weakness.REPEATED
        if _is_doubled(view):
            return Weakness.DOUBLED
        if _is_mirrored(view):
            return Weakness.MIRRORED
        if any(_reads(view, word) for word in _TOP.get(len(view), ())):
            return Weakness.COMMON
        if _is_digits(view) and _is_on_lines(view):
            return Weakness.PAD
        if _is_digits(view) and _is_date(view):
            return Weakness.DATE
    return None


def _is_digits(pin: Sequence[int]) -> bool:
    return all(0x30 <= byte <= 0x39 for byte in pin)


def _is_run(pin: Sequence[int]) -> bool:
    steps = {after - before for before, after in itertools.pairwise(pin)}
    if _is_digits(pin):
        return {step % 10 for step in steps} in ({1}, {9})
    return steps in ({1}, {-1})


def _is_repeated(pin: Sequence[int]) -> bool:
    return any(
        len(pin) >= 2 * length
        and all(byte == pin[index % length] for index, byte in enumerate(pin))
        for length in (2, 3, 4)
    )


def _is_doubled(pin: Sequence[int]) -> bool:
    """Every character twice, in a run or a repeat: 112233, 998877."""
    if len(pin) < 6 or len(pin) % 2:
        return False
    once, again = pin[::2], pin[1::2]
    return once == again and (_is_run(once) or _is_repeated(once))


def _is_mirrored(pin: Sequence[int]) -> bool:
    """A run there and back: 123321, 1234321."""
    half = (len(pin) + 1) // 2
    return len(pin) >= 6 and pin == pin[::-1] and _is_run(pin[:half])


def _reads(pin: Sequence[int], word: bytes) -> bool:
    """Say whether `pin` is `word`, which is as long, whatever its case."""
    return all(map(_is_letter, pin, word))


def _is_letter(typed: int, wanted: int) -> bool:
    return typed == wanted or (0x41 <= typed <= 0x5A and typed + 0x20 == wanted)


def _is_on_lines(pin: Sequence[int], start: int = 0) -> bool:
    """Lines of a number pad, one after the other; the last may be cut short."""
    if len(pin) < _SHORTEST or start >= len(pin):
        return start >= len(pin) >= _SHORTEST
    return any(
        pin[start] == line[0]
        and all(byte == wanted for byte, wanted in zip(pin[start:], line, strict=False))
        and _is_on_lines(pin, start + len(line))
        for line in _LINES
    )


def _is_date(pin: Sequence[int]) -> bool:
    """A day and month, a month and year, all three, or a year alone."""
    return any(_fits(pin, form) for form in _DATES.get(len(pin), ()))


def _fits(pin: Sequence[int], form: str) -> bool:
    start = 0
    for part in form:
        value = 0
        width = 4 if part == "Y" else 2
        for byte in pin[start : start + width]:
            value = 10 * value + byte - 0x30
        if value not in _RANGES[part]:
            return False
        start += width
    return True

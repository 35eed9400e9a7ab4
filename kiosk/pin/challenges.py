"""Eight bytes over the telephone: a challenge of a card, and its answer.

Twenty decimal digits in five groups of four, each group with a check digit of its own
(ISO/IEC 7064, MOD 11,10, begun with the group's number, so that swapped groups are
noticed, too): what a number pad can type and an ear can check group by group. Sixteen
hexadecimal digits are taken as well: that is how other programs say the same.
"""

from __future__ import annotations

from kiosk.core.secret import Secret

BLOCK_BYTES = 8
GROUPS = 5
GROUP_DIGITS = 5
DIGITS = GROUPS * GROUP_DIGITS
HEX_DIGITS = 2 * BLOCK_BYTES
_PLAIN = GROUP_DIGITS - 1


def _check_digit(group: int, digits: bytes | bytearray) -> int:
    product = 10 - group
    for digit in digits:
        total = (product + digit - 0x30) % 10 or 10
        product = total * 2 % 11
    return (11 - product) % 10


def spoken(block: bytes) -> str:
    """Return eight bytes as they are read out, e.g. `12149 70079 90935 61979 43653`."""
    digits = b"%020d" % int.from_bytes(block, "big")
    groups = []
    for group in range(GROUPS):
        part = digits[group * _PLAIN : (group + 1) * _PLAIN]
        groups.append(f"{part.decode()}{_check_digit(group, part)}")
    return " ".join(groups)


def in_hex(block: bytes) -> str:
    """Return eight bytes as other programs show them, e.g. `A892 D756 0161 7C5D`."""
    text = block.hex().upper()
    return " ".join(text[at : at + 4] for at in range(0, HEX_DIGITS, 4))


def heard(typed: Secret) -> bytearray | None:
    """Return the eight bytes that were typed, blanks and dashes aside.

    None: misheard or mistyped. The caller wipes what it gets.
    """
    plain = bytearray(byte for byte in typed.reveal() if byte not in b" -")
    try:
        if len(plain) == HEX_DIGITS:
            return bytearray.fromhex(plain.decode("ascii"))
        if len(plain) == DIGITS and plain.isdigit():
            return _of_groups(plain)
    except ValueError:
        return None
    finally:
        for index in range(len(plain)):
            plain[index] = 0
    return None


def _of_groups(digits: bytearray) -> bytearray | None:
    number = 0
    for group in range(GROUPS):
        start = group * GROUP_DIGITS
        part = digits[start : start + _PLAIN]
        if digits[start + _PLAIN] - 0x30 != _check_digit(group, part):
            return None
        number = number * 10**_PLAIN + int(part)
    if number >= 1 << 8 * BLOCK_BYTES:
        return None
    return bytearray(number.to_bytes(BLOCK_BYTES, "big"))

"""Status words of ISO/IEC 7816-4 §5.6, with what PIV cards mean by them."""

from __future__ import annotations

OK = 0x9000
WRONG_UNCOUNTED = 0x6300
"""The comparison failed and the counter is not told."""
WRONG_LENGTH = 0x6700
NOT_SATISFIED = 0x6982
"""PIN, management key or touch is missing."""
BLOCKED = 0x6983
CONDITIONS = 0x6985
"""Conditions not satisfied; a YubiKey's own rules refuse the new PIN."""
NOTHING_SELECTED = 0x6986
WRONG_DATA = 0x6A80
UNSUPPORTED = 0x6A81
"""Function not supported: also a contact-only command over the air."""
NOT_FOUND = 0x6A82
WRONG_P1P2 = 0x6A86
NO_REFERENCE = 0x6A88
WRONG_P1P2_OLD = 0x6B00
UNKNOWN_INS = 0x6D00
UNKNOWN_CLA = 0x6E00

ABSENT = frozenset({NOT_FOUND, NO_REFERENCE})
"""There is no such object, key or reference."""
INCAPABLE = frozenset(
    {UNSUPPORTED, WRONG_P1P2, NO_REFERENCE, WRONG_P1P2_OLD, UNKNOWN_INS, UNKNOWN_CLA}
)
"""This card has no such command, or not for this reference."""


def is_warning(sw: int) -> bool:
    """62xx: done, and something about the state of the card is to be known."""
    return sw >> 8 == 0x62


def is_comparison(sw: int) -> bool:
    """63xx or 6983: something was compared, or cannot be any more."""
    return sw >> 8 == 0x63 or sw == BLOCKED


def is_more(sw: int) -> bool:
    """61xx: more data wait for GET RESPONSE."""
    return sw >> 8 == 0x61


def is_wrong_le(sw: int) -> bool:
    """6Cxx: the same command again, with Le xx."""
    return sw >> 8 == 0x6C


def is_old_count(sw: int) -> bool:
    """630x: tries left in the form of old YubiKeys, or whatever else a card means."""
    return sw & 0xFFF0 == 0x6300


def tries_of(sw: int) -> int | None:
    """Return the tries a status word tells; None: it tells none.

    63Cx (x at most 15) and 6983; 6301 to 630F is the form of old YubiKeys.
    """
    if sw == BLOCKED:
        return 0
    if sw & 0xFFF0 == 0x63C0 or (sw & 0xFFF0 == 0x6300 and sw != WRONG_UNCOUNTED):
        return sw & 0x0F
    return None

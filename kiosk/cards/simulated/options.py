"""How one simulated card differs from another: every switch, documented here."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Variant(StrEnum):
    """The two independent open-source cards whose differences were measured."""

    A = "a"
    """Five tries, 63C0 before 6983, checks the new PIN, SELECT keeps the PIN."""
    B = "b"
    """Three tries, 6983 at once, takes short PINs, SELECT forgets the PIN."""


class PivOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The behaviour of a simulated PIV card."""

    pin_tries: int = 3
    puk_tries: int = 3
    counts_down_to_zero: bool = True
    """The exhausting try answers 63C0 (else 6983 at once)."""
    blocked_query: int = 0x6983
    """What an empty VERIFY answers while blocked (6983 or 63C0)."""
    checks_new_pin: bool = True
    """A new PIN that is not 6–8 digits is refused with 6A80."""
    select_keeps_pin: bool = True
    """Selecting PIV again keeps the PIN verified."""
    change_leaves_verified: bool = False
    """CHANGE REFERENCE DATA leaves the PIN verified."""
    chunk: int = 256
    """Bytes of an answer before 61xx."""
    exponent: bytes = b"\x01\x00\x01"
    """How the RSA exponent is written in 7F49."""
    unknown_aid: int = 0x6A82
    """What SELECT of another application answers."""
    old_counter_form: bool = False
    """630x instead of 63Cx."""
    pin_always: bool = False
    """Each signature of 9A needs a VERIFY directly before."""
    contactless: bool = False
    """PIN commands answer 6A81."""
    has_puk: bool = True
    """False: RESET RETRY COUNTER answers 6D00 (a Bio key)."""
    has_metadata: bool = False
    serial: bytes = b""
    """A YubiKey's serial (4 bytes); empty: INS F8 answers 6D00."""
    version: bytes = b""
    """Firmware (3 bytes) for INS FD; empty: 6D00."""
    refuses_simple: bool = False
    """The card's own complexity rule: six equal digits answer 6985."""


def of_variant(variant: Variant) -> PivOptions:
    """Return the options of one of the two measured cards."""
    if variant is Variant.A:
        return PivOptions(
            pin_tries=5,
            counts_down_to_zero=True,
            blocked_query=0x6983,
            chunk=255,
            unknown_aid=0x6D00,
        )
    return PivOptions(
        pin_tries=3,
        counts_down_to_zero=False,
        blocked_query=0x63C0,
        checks_new_pin=False,
        select_keeps_pin=False,
        chunk=256,
        exponent=b"\x00\x01\x00\x01",
    )

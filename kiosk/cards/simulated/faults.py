"""What can go wrong with a card, as data: tests and scenario files share it.

`at` counts APDUs from 1, from when the fault was set. Each happens once, except
`Mute` and `Slow`, which last.
"""

from __future__ import annotations

import msgspec


class CardFault(msgspec.Struct, frozen=True, kw_only=True, tag_field="fault"):
    """Base of all card faults."""


class PullBefore(CardFault, frozen=True, kw_only=True, tag="pull_before"):
    """The card leaves before APDU `at` reaches it."""

    at: int


class PullAfter(CardFault, frozen=True, kw_only=True, tag="pull_after"):
    """The card executes APDU `at` and leaves before its answer arrives."""

    at: int


class WrongStatus(CardFault, frozen=True, kw_only=True, tag="wrong_status"):
    """The next command with this instruction answers `sw` and does nothing."""

    ins: int
    sw: int


class Garbage(CardFault, frozen=True, kw_only=True, tag="garbage"):
    """APDU `at` is answered with bytes that mean nothing (and 9000)."""

    at: int
    data: bytes = b"\x53\x83\xff\xff\xff\x01"


class Endless(CardFault, frozen=True, kw_only=True, tag="endless"):
    """From APDU `at` on every answer says that more is waiting."""

    at: int


class Mute(CardFault, frozen=True, kw_only=True, tag="mute"):
    """The card answers nothing at all."""


class Slow(CardFault, frozen=True, kw_only=True, tag="slow"):
    """Every APDU takes `seconds` longer."""

    seconds: float


AnyCardFault = PullBefore | PullAfter | WrongStatus | Garbage | Endless | Mute | Slow

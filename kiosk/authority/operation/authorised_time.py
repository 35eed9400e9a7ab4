"""How long an authorisation holds, by the wall clock and by one that nobody sets."""

from __future__ import annotations

from kiosk.authority.required_ports import RequiredPorts
from storage.records import Operation

WRITE_SECONDS = 60.0
CLOCK_STEP = 1.0
"""Seconds by which a wall clock that is being corrected may go back at a time."""


def is_late(parts: RequiredPorts, operation: Operation) -> bool:
    """Say whether an authorisation has run out, or was given later than now.

    The wall clock may have been set since; in the process that authorised, the other
    one counts, too. A clock that is corrected by a little makes nothing late.
    """
    left = left_of(parts, operation)
    return not 0 <= left <= WRITE_SECONDS + CLOCK_STEP


def left_of(parts: RequiredPorts, operation: Operation) -> float:
    """Return the seconds that an authorisation has left; negative: it has run out."""
    if operation.authorised_until is None:
        return -1.0
    left = operation.authorised_until - parts.clock.now()
    until = parts.fences.allowed_until(operation.id)
    if until is None or left > WRITE_SECONDS + CLOCK_STEP:
        return left
    return min(left, until - parts.clock.monotonic())

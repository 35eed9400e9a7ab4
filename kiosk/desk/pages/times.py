"""Times as people read them, in the form of the language that is spoken at the desk.

The zone is named where somebody else is told the time, or compares it with another
record. In a sentence of the catalogue a time stands as `{at:moment}`.
"""

from __future__ import annotations

from kiosk.core.errors import Message


def moment(at: float) -> Message:
    """Return day and minute."""
    return Message("desk.when.moment", {"at": int(at)})


def zoned(at: float) -> Message:
    """Return day and minute, with the zone."""
    return Message("desk.when.zoned", {"at": int(at)})


def day(at: float) -> Message:
    """Return the day alone."""
    return Message("desk.when.day", {"at": int(at)})

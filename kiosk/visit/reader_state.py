"""How the readers of a station are, in one word for its authority elsewhere. Pure."""

from __future__ import annotations

from kiosk.cards.ports import ReaderEvent
from kiosk.cards.values import ReadersChanged, ServiceLost

UNKNOWN = "unknown"
MISSING = ("none", "no_service")
"""There is nothing that a card could be put into."""


def state_after(event: ReaderEvent, before: str) -> str:
    """Return the state after the monitor saw that (`report_call.ReaderStanding`)."""
    match event:
        case ReadersChanged(readers=names):
            return "ready" if names else "none"
        case ServiceLost():
            return "no_service"
        case _:
            return before

"""Pages that follow each other: how a card is issued, and how a list of them is."""

from __future__ import annotations

from kiosk.core.errors import Message
from kiosk.desk.views import Flow

_ISSUING = ("person", "template", "card", "handover")
_BATCH = ("list", "cards", "results")


def issuing(step: str) -> Flow:
    """Return where the pages are that issue one card."""
    return _flow(_ISSUING, step)


def batch(step: str) -> Flow:
    """Return where the pages are that issue a list of cards."""
    return _flow(_BATCH, step)


def _flow(steps: tuple[str, ...], step: str) -> Flow:
    names = tuple(Message(f"desk.flow.{each}") for each in steps)
    return Flow(names, steps.index(step))

"""How many tries are left at the PIN that is about to be typed, beside its field."""

from __future__ import annotations

from kiosk.authority.office.ports import OFFICE_ERRORS
from kiosk.cards.ports import Card
from kiosk.core.errors import Message


def tries_at(card: Card | None) -> Message | None:
    """Ask the card, which costs no try; None: there is none, or it does not tell."""
    if card is None:
        return None
    try:
        left = card.recognise().pin_tries.left
    except OFFICE_ERRORS:
        return None  # what is wrong with it is told when it is used
    if left is None:
        return None
    key = {0: "tui.tries.none", 1: "desk.one_try_left"}.get(left, "tui.tries.left")
    return Message(key, {"left": left})

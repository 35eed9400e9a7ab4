"""A page that wants a card's PIN: a field for it, or word that the reader asks for it.

With it goes how many tries are left, where the card tells. Authority worker's thread.
"""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.authority.office.ports import OFFICE_ERRORS
from kiosk.cards.errors import PadRequired
from kiosk.cards.ports import Card
from kiosk.core.errors import Message
from kiosk.desk.views import FieldKind, PageField, PageLine, Style


@dataclass(frozen=True, slots=True, kw_only=True)
class AskingPin:
    """What the page shows for it."""

    fields: tuple[PageField, ...] = ()
    """One, where the PIN is typed here."""
    lines: tuple[PageLine, ...] = ()
    """What is said instead, where it is typed at the reader's own keys."""


def asking_pin(
    card: Card | None,
    name: str,
    label: Message,
    *,
    heading: Message | None = None,
    is_needed: bool = False,
) -> AskingPin:
    """Return how the PIN of `card` is asked for, without a try.

    None: of a card that is still to come. Where the site wants the reader's keys and
    card or reader has no use for them, nothing is asked, and why is said.
    """
    try:
        recognised = None if card is None else card.recognise()
    except PadRequired as error:
        return AskingPin(lines=(PageLine(error.message, Style.WARNING),))
    except OFFICE_ERRORS:
        recognised = None  # what is wrong with it is told when it is used
    left = None if recognised is None else _tries(recognised.pin_tries.left)
    if recognised is not None and recognised.pinpad:
        told = Message("desk.pin_at_reader")
        return AskingPin(lines=(PageLine(told), *((PageLine(left),) if left else ())))
    field = PageField(
        name=name,
        label=label,
        kind=FieldKind.SECRET,
        heading=heading,
        is_needed=is_needed,
        help=left,
    )
    return AskingPin(fields=(field,))


def is_at_reader(card: Card | None) -> bool:
    """Tell whether its PIN is typed at the reader's own keys."""
    try:
        return card is not None and card.recognise().pinpad
    except PadRequired:
        return True  # and what is wrong is told when it is used
    except OFFICE_ERRORS:
        return False


def tries_at(card: Card | None) -> Message | None:
    """Ask the card, which costs no try; None: there is none, or it does not tell."""
    if card is None:
        return None
    try:
        return _tries(card.recognise().pin_tries.left)
    except OFFICE_ERRORS:
        return None  # what is wrong with it is told when it is used


def _tries(left: int | None) -> Message | None:
    if left is None:
        return None
    key = {0: "tui.tries.none", 1: "desk.one_try_left"}.get(left, "tui.tries.left")
    return Message(key, {"left": left})

"""Errors as a person meets them: is it the card, how it is inserted, or the station?"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from kiosk.authority.ports import NotOnRecord
from kiosk.cards.ports import (
    CardBusy,
    CardError,
    CardMute,
    CardRemoved,
    MalformedAnswer,
    ReaderGone,
    UnexpectedStatus,
    UnknownCard,
    WrongCard,
)
from kiosk.errors import Message
from kiosk.tui.words import of_error


class TroubleKind(StrEnum):
    """What kind of dead end; `tui.<value>.headline` is its headline."""

    UNKNOWN_CARD = "unknown_card"
    """A card that is not of this house."""
    UNREADABLE = "unreadable"
    """To be taken out and inserted again."""
    TROUBLE = "trouble"
    """Not the card's fault: the station cannot help now."""


_AGAIN = (
    CardBusy,
    CardMute,
    CardRemoved,
    MalformedAnswer,
    ReaderGone,
    UnexpectedStatus,
    WrongCard,
)


@dataclass(frozen=True, slots=True)
class Trouble:
    """An error put into what a screen says; the error itself stays on its thread."""

    kind: TroubleKind
    message: Message


def trouble_of(error: Exception) -> Trouble:
    """Judge an error that came out of a visit."""
    message = of_error(error)
    if isinstance(error, (UnknownCard, NotOnRecord)):
        return Trouble(TroubleKind.UNKNOWN_CARD, message)
    if isinstance(error, _AGAIN):
        return Trouble(TroubleKind.UNREADABLE, message)
    if isinstance(error, CardError):
        return Trouble(TroubleKind.UNKNOWN_CARD, message)
    return Trouble(TroubleKind.TROUBLE, message)

"""Errors as a person meets them: is it the card, how it is inserted, or the station?"""

from __future__ import annotations

import logging
import traceback
from dataclasses import dataclass
from enum import StrEnum

from kiosk.authority.errors import NotOnRecord
from kiosk.cards.errors import (
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
from kiosk.core.errors import Coded, Message, said_of

log = logging.getLogger(__name__)


class ErrorPageKind(StrEnum):
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
class ErrorPage:
    """An error put into what a screen says; the error itself stays on its thread."""

    kind: ErrorPageKind
    message: Message


def trouble_of(error: Exception) -> ErrorPage:
    """Judge an error that came out of a visit."""
    message = said_of(error)
    if isinstance(error, (UnknownCard, NotOnRecord)):
        return ErrorPage(ErrorPageKind.UNKNOWN_CARD, message)
    if isinstance(error, _AGAIN):
        return ErrorPage(ErrorPageKind.UNREADABLE, message)
    if isinstance(error, CardError):
        return ErrorPage(ErrorPageKind.UNKNOWN_CARD, message)
    return ErrorPage(ErrorPageKind.TROUBLE, message)


def record(error: Exception) -> None:
    """Write down a code, or where a defect is; never what an exception says."""
    if isinstance(error, Coded):
        log.warning("visit.failed code=%s", error.code)
    else:
        frames = "".join(traceback.format_tb(error.__traceback__))
        log.error("visit.failed type=%s\n%s", type(error).__name__, frames)

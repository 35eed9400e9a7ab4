"""What is in front of the screens: readers, cards, and what is missing. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from kiosk.cards.ports import Card, CardInserted
from kiosk.cards.values import CardLeft, CardUnreadable, ReadersChanged, ServiceLost
from kiosk.core.errors import Message

if TYPE_CHECKING:
    from kiosk.authority.values import StationFault
    from kiosk.cards.ports import ReaderEvent


class ReaderState:
    """Kept by the app from what the monitor and the authority tell it. UI thread."""

    def __init__(self) -> None:
        self.cards: dict[int, Card] = {}
        """By insertion, oldest first."""
        self.is_unreadable = False
        """Something is in a reader that does not answer."""
        self.faults: tuple[StationFault, ...] = ()
        self._has_reader = True
        self._has_service = True
        self._is_denied = False

    def take(self, event: ReaderEvent) -> None:
        """Take in what the monitor saw."""
        match event:
            case CardInserted(card=card):
                self.cards[card.insertion] = card
                self.is_unreadable = False
            case CardLeft(insertion=insertion):
                self.cards.pop(insertion, None)
            case CardUnreadable():
                self.is_unreadable = True
            case ReadersChanged(readers=readers):
                self._has_service, self._has_reader = True, bool(readers)
                self.is_unreadable = False
            case ServiceLost(is_denied=is_denied):
                self._has_service, self.is_unreadable = False, False
                self._is_denied = is_denied
                self.cards.clear()

    def missing(self) -> tuple[Message, ...]:
        """Return what this station lacks; empty: it can be used."""
        return (*self._missing_here(), *(fault.message for fault in self.faults))

    def _missing_here(self) -> Iterable[Message]:
        if not self._has_service:
            denied = "denied" if self._is_denied else "gone"
            yield Message(f"card.service_{denied}")
        elif not self._has_reader:
            yield Message("tui.out_of_service.reader")

"""The one card an operator means: waited for, and never guessed among several."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from contextlib import contextmanager

from kiosk.cards.errors import CardMute
from kiosk.cards.ports import Card, CardInserted, Monitor, ReaderEvent
from kiosk.cards.values import CardUnreadable, ServiceLost
from kiosk.core.errors import KioskError
from kiosk.enrollment.card_service import why_lost

SETTLE_SECONDS = 1.0
"""How long another card, already in another reader, may take to be noticed."""


class NoCard(KioskError):
    """No card came in time: `seconds`."""

    code = "enrollment.no_card"


class SeveralCards(KioskError):
    """Cards are in more than one reader, and none was named: `readers`."""

    code = "enrollment.several_cards"


@contextmanager
def one_card(monitor: Monitor, *, reader: str, seconds: float) -> Iterator[Card]:
    """Wait for a card and let go of it afterwards.

    `reader` is a part of a reader's name, or empty for whichever has the only card.
    NoCard, SeveralCards, CardMute, CardServiceLost, CardServiceDenied.
    """
    events: queue.SimpleQueue[ReaderEvent] = queue.SimpleQueue()
    monitor.start(events.put)
    card: Card | None = None
    try:
        card = _first(events, reader, seconds)
        _alone(events, card, reader)
        yield card
    finally:
        if card is not None:
            card.close()
        monitor.stop()


def _first(events: queue.SimpleQueue[ReaderEvent], reader: str, seconds: float) -> Card:
    while True:
        try:
            event = events.get(timeout=seconds)
        except queue.Empty:
            raise NoCard(seconds=round(seconds)) from None
        match event:
            case CardInserted(card=card) if reader in card.reader:
                return card
            case CardUnreadable(reader=name) if reader in name:
                raise CardMute(reader=name)
            case ServiceLost():
                raise why_lost(event)


def _alone(events: queue.SimpleQueue[ReaderEvent], card: Card, reader: str) -> None:
    """SeveralCards if another card lies in a reader that could be meant."""
    try:
        while True:
            match events.get(timeout=SETTLE_SECONDS):
                case CardInserted(card=other) if reader in other.reader:
                    names = f"{card.reader}, {other.reader}"
                    raise SeveralCards(readers=names)
    except queue.Empty:
        return

"""Card service, reader and card, as the monitor of this station sees them."""

from __future__ import annotations

import queue
from collections.abc import Iterator

from kiosk.cards.errors import CardError
from kiosk.cards.ports import Card, CardInserted, Monitor, ReaderEvent
from kiosk.cards.values import CardUnreadable, ReadersChanged, ServiceLost
from kiosk.core.untrusted_text import visible
from kiosk.doctor import Finding, Health, fail, ok, said, unknown, warn

SERVICE_SECONDS = 5.0
"""How long the monitor may take to find out whether there is a card service."""
CARD_SECONDS = 2.0
"""How long a card that is already in a reader may take to be noticed."""


def readers(monitor: Monitor) -> Iterator[Finding]:
    """Look at the service, the readers and the card that lies in one."""
    events: queue.SimpleQueue[ReaderEvent] = queue.SimpleQueue()
    monitor.start(events.put)
    try:
        yield from _listen(events)
    finally:
        monitor.stop()


def _listen(events: queue.SimpleQueue[ReaderEvent]) -> Iterator[Finding]:
    match _next(events, SERVICE_SECONDS):
        case ReadersChanged(readers=names, left_out=left_out):
            yield ok("card service", "service_answers")
            for name in left_out:
                yield warn("reader", "reader_left_out", reader=visible(name))
            if not names:
                yield fail("reader", "no_reader")
                yield unknown("card", "no_reader_no_card")
                return
            yield ok("reader", "reader_found", readers=", ".join(names))
            yield _card(_next(events, CARD_SECONDS))
        case ServiceLost(reason=reason, is_denied=is_denied):
            why = "service_denied" if is_denied else "service_lost"
            yield fail("card service", why, reason=reason)
            yield unknown("reader", "no_service")
            yield unknown("card", "no_service")
        case _:
            yield fail("card service", "service_silent")
            yield unknown("reader", "no_service")
            yield unknown("card", "no_service")


def _next(events: queue.SimpleQueue[ReaderEvent], seconds: float) -> ReaderEvent | None:
    try:
        return events.get(timeout=seconds)
    except queue.Empty:
        return None


def _card(event: ReaderEvent | None) -> Finding:
    match event:
        case CardInserted(card=card):
            try:
                return _recognised(card)
            finally:
                card.close()
        case CardUnreadable(reader=reader):
            return warn("card", "card_unreadable", reader=reader)
        case _:
            return unknown("card", "no_card")


def _recognised(card: Card) -> Finding:
    try:
        recognised = card.recognise()
    except CardError as error:
        return Finding("card", Health.WARN, said(error))
    identity = recognised.identity
    tries = recognised.pin_tries.left
    return ok(
        "card",
        "card_found",
        family=identity.family,
        card=identity.key,
        tries="?" if tries is None else tries,
    )

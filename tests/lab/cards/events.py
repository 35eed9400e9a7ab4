"""Events of a monitor, waited for instead of slept for."""

from __future__ import annotations

import queue
from typing import TypeVar

from kiosk.cards.ports import Card, CardInserted, Monitor, ReaderEvent

Event = TypeVar("Event")
SECONDS = 15.0
"""How long something may take that is known to come."""


class Watch:
    """A started monitor and what it told; leave it to stop."""

    def __init__(self, monitor: Monitor) -> None:
        self._monitor = monitor
        self._events: queue.SimpleQueue[ReaderEvent] = queue.SimpleQueue()
        self.seen: list[ReaderEvent] = []
        """Everything that was taken from the queue."""

    def __enter__(self) -> Watch:
        self._monitor.start(self._events.put)
        return self

    def __exit__(self, *error: object) -> None:
        """Stop, and let go of every card: a handle would keep others from it."""
        self._monitor.stop()
        for event in self.seen:
            if isinstance(event, CardInserted):
                event.card.close()

    def next(self) -> ReaderEvent:
        """Return the next event."""
        try:
            event = self._events.get(timeout=SECONDS)
        except queue.Empty:
            raise AssertionError(f"no event came after {self.seen}") from None
        self.seen.append(event)
        return event

    def until(self, kind: type[Event]) -> Event:
        """Return the next event of a kind; what comes before it is kept in `seen`."""
        while True:
            event = self.next()
            if isinstance(event, kind):
                return event

    def card(self, reader: str = "") -> Card:
        """Return the next card that comes into a reader (a part of its name)."""
        while True:
            card = self.until(CardInserted).card
            if reader in card.reader:
                return card

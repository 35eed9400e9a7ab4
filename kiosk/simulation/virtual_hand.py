"""Simulated cards in a real reader: a hand behind the virtual reader of a pcscd.

For rehearsals. `insert` returns when the real monitor has seen the card, so what the
visit gets went through pcscd and pyscard like any other card.
"""

from __future__ import annotations

import queue
from collections.abc import Callable

from kiosk.cards.errors import ServiceGone
from kiosk.cards.ports import Card, CardInserted, Monitor, ReaderEvent
from kiosk.cards.values import CardLeft, CardUnreadable, ServiceLost
from kiosk.simulation.cards.chip import Chip
from kiosk.simulation.cards.faults import Faults
from kiosk.simulation.virtual_reader import Connect, VirtualReader

SEEN_WITHIN = 10.0
"""Seconds a real reader may take to see a card come or go (it polls: about 0.4)."""


class VirtualHand:
    """One virtual reader, its monitor, and the hand."""

    def __init__(self, connect: Connect, monitor: Monitor) -> None:
        """`connect` reaches vpcd; `monitor` watches its reader."""
        self._reader = VirtualReader(connect)
        self._monitor = monitor
        self._events: queue.SimpleQueue[ReaderEvent] = queue.SimpleQueue()
        self._is_in = False
        self._monitor.start(self._events.put)

    @property
    def faults(self) -> Faults:
        return self._reader.faults

    def start(self, emit: Callable[[ReaderEvent], None]) -> None:
        raise NotImplementedError("a rehearsal moves the cards itself")

    def stop(self) -> None:
        self._reader.pull()
        self._monitor.stop()

    def insert(self, card: Chip) -> Card:
        """Put a card in and wait for the reader to see it. ServiceGone."""
        self.pull()
        self._reader.insert(card)
        self._is_in = True
        event = self._next((CardInserted, CardUnreadable))
        if not isinstance(event, CardInserted):
            raise ServiceGone
        return event.card

    def pull(self) -> None:
        """Take the card out and wait for the reader to see it. ServiceGone."""
        self._reader.pull()
        if self._is_in:
            self._is_in = False
            self._next((CardLeft,))

    def _next(self, wanted: tuple[type, ...]) -> ReaderEvent:
        while True:
            try:
                event = self._events.get(timeout=SEEN_WITHIN)
            except queue.Empty:
                raise ServiceGone from None
            if isinstance(event, ServiceLost):
                raise ServiceGone
            if isinstance(event, wanted):
                return event

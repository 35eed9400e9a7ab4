"""Readers made of software, with a hand that inserts, pulls and unplugs.

Implements `ports.Monitor`: events are emitted on the thread of whoever moves a card.
The hand may move on another thread than the one that speaks to the card.
What a card does behind a connection can be spoiled with `faults`.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable

from kiosk.cards.any_card import AnyCard, MakeCard
from kiosk.cards.errors import CardRemoved, ReaderGone, ServiceGone
from kiosk.cards.pinpad import pad_of, parse_features
from kiosk.cards.ports import CardInserted, Pinpad, ReaderEvent
from kiosk.cards.values import (
    CardLeft,
    CardUnreadable,
    Family,
    ReadersChanged,
    ServiceLost,
)
from kiosk.core.clock import Clock, SystemClock
from kiosk.simulation.cards.chip import Chip
from kiosk.simulation.cards.faults import FaultHand, Faults
from kiosk.simulation.cards.pinpad import FEATURES, SimulatedPad

READER = "Simulated reader"


class _ReaderSlot:
    """One reader and what is in it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.card: Chip | None = None
        self.insertion = 0
        self.is_unreadable = False
        self.is_unplugged = False
        self.pad: SimulatedPad | None = None
        self.moving = threading.Lock()
        """Held while an APDU is carried out, and while the card comes or goes."""
        self.transaction = threading.RLock()

    def put(self, card: Chip | None, insertion: int) -> None:
        """Let a card in, or out (None); either way it has no power before."""
        with self.moving:
            if self.card is not None:
                self.card.power_on()
            self.card, self.insertion = card, insertion


class SimulatedConnection:
    """`ports.Connection` to the card of one insertion."""

    def __init__(
        self, readers: SimulatedReaders, slot: _ReaderSlot, insertion: int
    ) -> None:
        self._readers = readers
        self._slot = slot
        self._insertion = insertion
        self._held = False
        self._atr = self._card().power_on()

    def _card(self) -> Chip:
        slot = self._slot
        if not self._readers.has_service:
            raise ServiceGone
        if slot.is_unplugged:
            raise ReaderGone(reader=slot.name)
        if slot.card is None or slot.insertion != self._insertion:
            raise CardRemoved(reader=slot.name)
        return slot.card

    @property
    def reader(self) -> str:
        return self._slot.name

    @property
    def atr(self) -> bytes:
        return self._atr

    @property
    def pinpad(self) -> Pinpad | None:
        pad = self._slot.pad
        if pad is None:
            return None
        return pad_of(
            parse_features(FEATURES),
            lambda code, structure: pad.control(code, structure, self.transmit),
        )

    def begin(self) -> None:
        self._card()
        self._slot.transaction.acquire()
        self._held = True

    def hold(self) -> None:
        self.begin()

    def end(self) -> None:
        if not self._held:
            return
        self._held = False
        slot = self._slot
        with slot.moving:
            if slot.card is not None and slot.insertion == self._insertion:
                slot.card.power_on()
        slot.transaction.release()

    def transmit(self, apdu: bytearray) -> bytearray:
        self._card()
        name = self._slot.name
        hand = FaultHand(
            reader=name,
            pull=lambda: self._readers.pull(name),
            swap=lambda card: self._readers.swap(card, name),
        )
        return self._readers.faults.transmit(apdu, self._exchange, hand)

    def _exchange(self, apdu: bytearray) -> bytearray:
        with self._slot.moving:
            return self._card().transmit(apdu)

    def close(self) -> None:
        self.end()


class SimulatedReaders:
    """`ports.Monitor`, and the hand that moves cards."""

    def __init__(
        self,
        *names: str,
        clock: Clock | None = None,
        more: dict[Family, MakeCard] | None = None,
    ) -> None:
        """`more`: cards that something else than we ourselves can speak to."""
        self.faults = Faults(clock or SystemClock())
        self.has_service = True
        self._slots = {name: _ReaderSlot(name) for name in names or (READER,)}
        self._ready: dict[str, Chip] = {}
        self._insertions = itertools.count(1)
        self._more = more
        self.requires_pads = False
        """PINs are typed at the readers' own keys only."""
        self._emit: Callable[[ReaderEvent], None] = _nobody

    # --- ports.Monitor ----------------------------------------------------------

    def start(self, emit: Callable[[ReaderEvent], None]) -> None:
        self._emit = emit
        self._announce()

    def stop(self) -> None:
        self._emit = _nobody

    # --- the hand ---------------------------------------------------------------

    def insert(self, card: Chip, reader: str = READER) -> AnyCard:
        """Put a card in, in place of what is there; return what the visit would get."""
        self.pull(reader)
        slot = self._slots[reader]
        slot.put(card, next(self._insertions))
        inserted = self._inserted(slot)
        if self.has_service:
            self._emit(CardInserted(inserted))
        return inserted

    def insert_wrongly(self, reader: str = READER) -> None:
        """Put something in that does not answer."""
        self.pull(reader)
        self._slots[reader].is_unreadable = True
        if self.has_service:
            self._emit(CardUnreadable(reader))

    def has_card(self, reader: str = READER) -> bool:
        """Say whether there is a card in that reader."""
        return self._slots[reader].card is not None

    def holds(self, card: Chip) -> bool:
        """Say whether that card is in one of them."""
        return any(slot.card is card for slot in self._slots.values())

    def pull(self, reader: str = READER) -> None:
        """Take out what is in the reader; a card's power is gone."""
        slot = self._slots[reader]
        had_card, insertion = slot.card is not None, slot.insertion
        slot.put(None, insertion)
        was_unreadable, slot.is_unreadable = slot.is_unreadable, False
        if not self.has_service:
            return
        if had_card:
            self._emit(CardLeft(insertion))
        elif was_unreadable:
            self._emit(ReadersChanged(tuple(self._slots)))

    def give(self, card: Chip) -> None:
        """Take that card out, wherever it is in."""
        for name, slot in tuple(self._slots.items()):
            if slot.card is card:
                self.pull(name)

    def fit_pad(self, reader: str = READER) -> SimulatedPad:
        """Give a reader a PIN pad; return its keys."""
        pad = self._slots[reader].pad = SimulatedPad()
        return pad

    def put_ready(self, name: str, card: Chip) -> None:
        """Keep a card at hand, for `swap`."""
        self._ready[name] = card

    def swap(self, name: str, reader: str = READER) -> AnyCard:
        """Put in a card that was put ready, in place of the one that is there."""
        return self.insert(self._ready[name], reader)

    def unplug(self, reader: str = READER) -> None:
        """Unplug a reader, with whatever is in it."""
        slot = self._slots.pop(reader)
        slot.is_unplugged = True
        had_card = slot.card is not None
        slot.put(None, slot.insertion)
        if self.has_service and had_card:
            self._emit(CardLeft(slot.insertion))
        self._announce_readers()

    def plug(self, reader: str = READER) -> None:
        """Plug in a reader, empty."""
        self._slots[reader] = _ReaderSlot(reader)
        self._announce_readers()

    def stop_service(self) -> None:
        """Let the smart-card service go away."""
        for slot in self._slots.values():
            if slot.card is not None:
                slot.card.power_on()
                self._emit(CardLeft(slot.insertion))
        self.has_service = False
        self._emit(ServiceLost("stopped"))

    def start_service(self) -> None:
        """Let it come back; cards that are in are found again."""
        self.has_service = True
        self._announce()

    def _announce(self) -> None:
        self._announce_readers()
        for slot in self._slots.values() if self.has_service else ():
            if slot.card is not None:
                slot.insertion = next(self._insertions)
                self._emit(CardInserted(self._inserted(slot)))
            elif slot.is_unreadable:
                self._emit(CardUnreadable(slot.name))

    def _announce_readers(self) -> None:
        if self.has_service:
            self._emit(ReadersChanged(tuple(self._slots)))
        else:
            self._emit(ServiceLost("stopped"))

    def _inserted(self, slot: _ReaderSlot) -> AnyCard:
        insertion = slot.insertion
        return AnyCard(
            lambda: SimulatedConnection(self, slot, insertion),
            reader=slot.name,
            insertion=insertion,
            more=self._more,
            requires_pad=self.requires_pads,
        )


def _nobody(event: ReaderEvent) -> None:
    """Nobody watches yet."""

"""Readers made of software, with a hand that inserts, pulls and unplugs.

Implements `ports.Monitor`: events are emitted on the thread of whoever moves a card.
What a card does behind a connection can be spoiled with `faults`.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable

from kiosk.cards.piv.card import PivCard
from kiosk.cards.ports import (
    CardInserted,
    CardLeft,
    CardMute,
    CardRemoved,
    CardUnreadable,
    ReaderEvent,
    ReadersChanged,
    ServiceLost,
)
from kiosk.cards.simulated.faults import (
    AnyCardFault,
    Endless,
    Garbage,
    Mute,
    PullAfter,
    PullBefore,
    Slow,
    WrongStatus,
)
from kiosk.cards.simulated.piv import SimulatedPivCard
from kiosk.clock import Clock, SystemClock

READER = "Simulated reader"


class Faults:
    """Faults of one card; counts the APDUs it has seen since the last was set."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._faults: list[AnyCardFault] = []
        self._count = 0

    def set(self, *faults: AnyCardFault) -> None:
        """Replace all faults and count from 1 again."""
        self._faults = list(faults)
        self._count = 0

    @property
    def count(self) -> int:
        """APDUs since `set`."""
        return self._count

    def transmit(
        self,
        card: SimulatedPivCard,
        apdu: bytearray,
        pull: Callable[[], None],
        name: str,
    ) -> bytearray:
        """Let `card` answer, or what the faults make of it."""
        self._count += 1
        for fault in tuple(self._faults):
            answer = self._spoil(fault, card, apdu, pull, name)
            if answer is not None:
                return answer
        return card.transmit(apdu)

    def _spoil(
        self,
        fault: AnyCardFault,
        card: SimulatedPivCard,
        apdu: bytearray,
        pull: Callable[[], None],
        name: str,
    ) -> bytearray | None:
        match fault:
            case PullBefore(at=at) if at == self._count:
                pull()
                raise CardRemoved(reader=name)
            case PullAfter(at=at) if at == self._count:
                card.transmit(apdu)
                pull()
                raise CardRemoved(reader=name)
            case WrongStatus(ins=ins, sw=sw) if ins == apdu[1]:
                self._faults.remove(fault)
                return bytearray(sw.to_bytes(2, "big"))
            case Garbage(at=at, data=data) if at == self._count:
                return bytearray(data + b"\x90\x00")
            case Endless(at=at) if at <= self._count:
                return bytearray(b"\x00" * 256 + b"\x61\x00")
            case Mute():
                raise CardMute(reader=name)
            case Slow(seconds=seconds):
                self._clock.sleep(seconds)
        return None


class _Slot:
    """One reader and what is in it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.card: SimulatedPivCard | None = None
        self.insertion = 0
        self.transaction = threading.RLock()


class SimulatedConnection:
    """`ports.Connection` to the card of one insertion."""

    def __init__(self, readers: SimulatedReaders, slot: _Slot, insertion: int) -> None:
        self._readers = readers
        self._slot = slot
        self._insertion = insertion
        self._held = False
        self._card().power_on()

    def _card(self) -> SimulatedPivCard:
        card = self._slot.card
        if card is None or self._slot.insertion != self._insertion:
            raise CardRemoved(reader=self._slot.name)
        return card

    @property
    def reader(self) -> str:
        return self._slot.name

    @property
    def atr(self) -> bytes:
        return self._card().atr

    def begin(self) -> None:
        self._card()
        self._slot.transaction.acquire()
        self._held = True

    def end(self) -> None:
        if self._held:
            self._held = False
            self._slot.transaction.release()
        if self._slot.card is not None and self._slot.insertion == self._insertion:
            self._slot.card.power_on()

    def transmit(self, apdu: bytearray) -> bytearray:
        card = self._card()
        return self._readers.faults.transmit(
            card, apdu, lambda: self._readers.pull(self._slot.name), self._slot.name
        )

    def close(self) -> None:
        self.end()


class SimulatedReaders:
    """`ports.Monitor`, and the hand that moves cards."""

    def __init__(self, *names: str, clock: Clock | None = None) -> None:
        self.faults = Faults(clock or SystemClock())
        self._slots = {name: _Slot(name) for name in names or (READER,)}
        self._insertions = itertools.count(1)
        self._emit: Callable[[ReaderEvent], None] = _nobody
        self._has_service = True

    # --- ports.Monitor ----------------------------------------------------------

    def start(self, emit: Callable[[ReaderEvent], None]) -> None:
        self._emit = emit
        self._announce()

    def stop(self) -> None:
        self._emit = _nobody

    # --- the hand ---------------------------------------------------------------

    def insert(self, card: SimulatedPivCard, reader: str = READER) -> PivCard:
        """Put a card in; return what the visit would get."""
        slot = self._slots[reader]
        slot.card, slot.insertion = card, next(self._insertions)
        inserted = self._inserted(slot)
        if self._has_service:
            self._emit(CardInserted(inserted))
        return inserted

    def insert_wrongly(self, reader: str = READER) -> None:
        """Put something in that does not answer."""
        self._emit(CardUnreadable(reader))

    def pull(self, reader: str = READER) -> None:
        """Take the card out; its power is gone."""
        slot = self._slots[reader]
        if slot.card is None:
            return
        slot.card.power_on()
        slot.card = None
        if self._has_service:
            self._emit(CardLeft(slot.insertion))

    def unplug(self, reader: str = READER) -> None:
        """Unplug a reader, with whatever is in it."""
        self.pull(reader)
        del self._slots[reader]
        self._announce()

    def plug(self, reader: str = READER) -> None:
        """Plug in a reader."""
        self._slots[reader] = _Slot(reader)
        self._announce()

    def stop_service(self) -> None:
        """Let the smart-card service go away."""
        self._has_service = False
        for slot in self._slots.values():
            if slot.card is not None:
                self._emit(CardLeft(slot.insertion))
        self._emit(ServiceLost("stopped"))

    def start_service(self) -> None:
        """Let it come back; cards that are in are found again."""
        self._has_service = True
        self._announce()

    def _announce(self) -> None:
        if not self._has_service:
            self._emit(ServiceLost("stopped"))
            return
        self._emit(ReadersChanged(tuple(self._slots)))
        for slot in self._slots.values():
            if slot.card is not None:
                slot.insertion = next(self._insertions)
                self._emit(CardInserted(self._inserted(slot)))

    def _inserted(self, slot: _Slot) -> PivCard:
        insertion = slot.insertion
        return PivCard(
            lambda: SimulatedConnection(self, slot, insertion),
            reader=slot.name,
            insertion=insertion,
        )


def _nobody(event: ReaderEvent) -> None:
    """Nobody watches yet."""

"""What states of readers mean: which card came, which left. Pure.

A card that leaves is told at once. One that does not answer is told only when that
has lasted a moment, because a card pushed in slowly is mute at first.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from kiosk.cards.pcsc.winscard import GONE, MUTE, PRESENT, events_of
from kiosk.cards.ports import Card, CardInserted, ReaderEvent
from kiosk.cards.values import CardLeft, CardUnreadable, ReadersChanged

SETTLE_SECONDS = 0.6
"""How long a card may be mute before we say so."""


@dataclass(slots=True)
class _Slot:
    """One reader. At most one of `insertion` and `mute_since` is set."""

    state: int = 0
    insertion: int | None = None
    mute_since: float | None = None
    is_told: bool = False
    """The mute card has been told."""


class Slots:
    """All readers that are watched. The monitor's thread."""

    def __init__(self, card_in: Callable[[str, int, int], Card]) -> None:
        """`card_in` makes the card of a reader, an insertion and an event counter."""
        self._card_in = card_in
        self._slots: dict[str, _Slot] = {}
        self._told: tuple[str, ...] | None = None
        """The names that were told last; None: nothing yet."""
        self._left_out: tuple[str, ...] = ()
        self._insertions = itertools.count(1)

    @property
    def states(self) -> dict[str, int]:
        """The last known state of every reader; 0: not known."""
        return {name: slot.state for name, slot in self._slots.items()}

    @property
    def is_settling(self) -> bool:
        """A card is mute and not told yet."""
        return any(
            slot.mute_since is not None and not slot.is_told
            for slot in self._slots.values()
        )

    def readers(
        self, names: Sequence[str], left_out: tuple[str, ...] = ()
    ) -> Iterator[ReaderEvent]:
        """Take note of which readers there are now; tells them if that is new."""
        if self._told == tuple(names) and self._left_out == left_out:
            return
        for name in [name for name in self._slots if name not in names]:
            yield from _empty(self._slots.pop(name))
        self._slots = {name: self._slots.get(name, _Slot()) for name in names}
        self._told, self._left_out = tuple(names), left_out
        yield ReadersChanged(self._told, left_out)

    def seen(self, name: str, state: int, now: float) -> Iterator[ReaderEvent]:
        """Take note of a reader's state (PC/SC's bits and event counter)."""
        slot = self._slots.get(name)
        if slot is None:
            return
        is_other = events_of(state) != events_of(slot.state)
        slot.state = state
        if state & GONE or not state & PRESENT:
            was_told = slot.is_told
            yield from _empty(slot)
            if was_told:
                yield ReadersChanged(tuple(self._slots), self._left_out)
        elif state & MUTE:
            if is_other or slot.mute_since is None:
                yield from _empty(slot)
                slot.mute_since = now
        elif is_other or slot.insertion is None:
            yield from _empty(slot)
            slot.insertion = next(self._insertions)
            card = self._card_in(name, slot.insertion, events_of(state))
            yield CardInserted(card)

    def settle(self, now: float) -> Iterator[ReaderEvent]:
        """Tell what has been mute for long enough. `now` in monotonic seconds."""
        for name, slot in self._slots.items():
            since = slot.mute_since
            if since is not None and not slot.is_told and now - since >= SETTLE_SECONDS:
                slot.is_told = True
                yield CardUnreadable(name)

    def lost(self) -> Iterator[ReaderEvent]:
        """Forget everything: nobody can see the readers any more."""
        for slot in self._slots.values():
            yield from _empty(slot)
        self._slots.clear()
        self._told = None


def _empty(slot: _Slot) -> Iterator[ReaderEvent]:
    insertion, slot.insertion = slot.insertion, None
    slot.mute_since, slot.is_told = None, False
    if insertion is not None:
        yield CardLeft(insertion)

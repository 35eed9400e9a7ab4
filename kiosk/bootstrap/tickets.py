"""Where it is kept what cards wait for, if several hosts have one registry."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING

from kiosk.bootstrap.store import registry_of
from kiosk.core.clock import SystemClock

if TYPE_CHECKING:
    from kiosk.cards.values import KeySlot
    from kiosk.config import Config


class SharedTickets:
    """`certificates.tickets.TicketStore` in the database that a configuration names.

    A connection of its own for each question: cards are issued on another thread than
    the one whose registry it is, and a question is asked a few times a card.
    """

    def __init__(self, config: Config) -> None:
        self._config = config

    def keep(self, card: str, slot: KeySlot, content: bytes) -> None:
        from kiosk.certificates.tickets import RegistryTickets

        with closing(registry_of(self._config, SystemClock())) as registry:
            RegistryTickets(registry).keep(card, slot, content)

    def of(self, card: str) -> Iterator[tuple[KeySlot, bytes]]:
        from kiosk.certificates.tickets import RegistryTickets

        with closing(registry_of(self._config, SystemClock())) as registry:
            yield from tuple(RegistryTickets(registry).of(card))

    def forget(self, card: str) -> None:
        from kiosk.certificates.tickets import RegistryTickets

        with closing(registry_of(self._config, SystemClock())) as registry:
            RegistryTickets(registry).forget(card)

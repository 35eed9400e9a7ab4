"""The card of one insertion, whatever its family: found out when it is recognised.

PIV is asked first, as Windows does: a card with both applications is a PIV card. Then
GIDS, then whatever else a station can speak to.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol

from kiosk.cards.errors import (
    UNUSABLE,
    CardError,
    NotSupported,
    PadRequired,
    UnknownCard,
)
from kiosk.cards.gids.card import GidsCard
from kiosk.cards.piv.card import PivCard
from kiosk.cards.pkcs11.card import Pkcs11Card
from kiosk.cards.ports import Card, CardSession, Connection
from kiosk.cards.values import CardIdentity, Family, RecognisedCard


class MakeCard(Protocol):
    """Makes the card of one more family on the same connection."""

    def __call__(
        self, connect: Callable[[], Connection], *, reader: str, insertion: int
    ) -> Card:
        """Return it; cheap, nothing is sent."""


class AnyCard:
    """`ports.Card` over all families. Card worker's thread."""

    def __init__(
        self,
        connect: Callable[[], Connection],
        *,
        reader: str,
        insertion: int,
        more: dict[Family, MakeCard] | None = None,
        requires_pad: bool = False,
    ) -> None:
        """`connect` is called once, when the card is first needed. `requires_pad`: no
        PIN of this card may be typed but at the reader.
        """
        self.requires_pad = requires_pad
        self._connect = connect
        self._connection: Connection | None = None
        self._reader = reader
        self._insertion = insertion
        self.piv = PivCard(self._shared, reader=reader, insertion=insertion)
        """The same card, for what only PIV has: personalising."""
        self.gids = GidsCard(self._shared, reader=reader, insertion=insertion)
        """The same, for personalising a GIDS card."""
        self._families: dict[Family, Card] = {
            Family.PIV: self.piv,
            Family.GIDS: self.gids,
        }
        for family, make in (more or {}).items():
            card = make(self._shared, reader=reader, insertion=insertion)
            self._families[family] = card
        self._found: Card | None = None

    @property
    def through_middleware(self) -> Card | None:
        """The same, by its vendor's middleware, if the station has one."""
        return self._families.get(Family.PKCS11)

    def _shared(self) -> Connection:
        if self._connection is None:
            self._connection = self._connect()
        return self._connection

    def lend(self) -> Connection:
        """Power it for whoever works on it elsewhere; `close` ends that. CardError."""
        return self._shared()

    @property
    def reader(self) -> str:
        return self._reader

    @property
    def insertion(self) -> int:
        return self._insertion

    def recognise(self, family: Family | None = None) -> RecognisedCard:
        recognised = self._recognise(family)
        if self.requires_pad and not recognised.pinpad:
            raise PadRequired(reader=self._reader)
        return recognised

    def _recognise(self, family: Family | None) -> RecognisedCard:
        if family is not None:
            if family not in self._families:
                raise NotSupported(what=f"{family}")
            return self._families[family].recognise()
        if self._found is not None:
            return self._found.recognise()
        return self._first()

    def _first(self) -> RecognisedCard:
        """Recognise by the first family that the card has something of.

        One that it has only the name of, or nothing but bytes that mean nothing, does
        not keep the next from being asked; what was wrong with it is said if no other
        has more.
        """
        refused: list[CardError] = []
        for card in self._families.values():
            try:
                recognised = card.recognise()
            except (UnknownCard, *UNUSABLE) as error:
                refused.append(error)
                continue
            self._found = card
            return recognised
        if all(isinstance(error, UnknownCard) for error in refused):
            recognised = self.piv.recognise_by_longer_name()
            self._found = self.piv
            return recognised
        raise next(each for each in refused if not isinstance(each, UnknownCard))

    def other_identities(self, first: CardIdentity) -> tuple[CardIdentity, ...]:
        return self._of(first).other_identities(first)

    def session(self, identity: CardIdentity) -> AbstractContextManager[CardSession]:
        return self._of(identity).session(identity)

    def hold(self, identity: CardIdentity) -> AbstractContextManager[CardSession]:
        return self._of(identity).hold(identity)

    def _of(self, identity: CardIdentity) -> Card:
        card = self._families.get(identity.family)
        if card is None:
            raise UnknownCard(reader=self._reader)
        return card

    def close(self) -> None:
        for card in self._families.values():
            card.close()
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


def piv_of(card: Card) -> PivCard | None:
    """Return a card as a PIV card, for what only those have; None: it is none."""
    if isinstance(card, PivCard):
        return card
    return card.piv if isinstance(card, AnyCard) else None


def token_of(card: Card) -> Pkcs11Card | None:
    """Return a card as its vendor's middleware shows it; None: there is none here."""
    if isinstance(card, AnyCard):
        card = card.through_middleware or card
    return card if isinstance(card, Pkcs11Card) else None


def gids_of(card: Card) -> GidsCard | None:
    """Return a card as a GIDS card, for personalising one; None: it is none."""
    if isinstance(card, GidsCard):
        return card
    return card.gids if isinstance(card, AnyCard) else None

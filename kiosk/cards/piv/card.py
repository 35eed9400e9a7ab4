"""A PIV card as the visit holds it: recognise, and sessions of one transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from kiosk.cards.errors import UNUSABLE, NotSupported, UnknownCard, WrongCard
from kiosk.cards.piv.application import AID, LONGER_AIDS, PivApplication
from kiosk.cards.piv.identity import identify, is_same, others
from kiosk.cards.piv.recognition import recognised
from kiosk.cards.piv.session import PivSession
from kiosk.cards.piv.traits import Traits, read_traits
from kiosk.cards.ports import Connection, Pinpad
from kiosk.cards.values import CardIdentity, Family, RecognisedCard


class PivCard:
    """`ports.Card` for a card in a reader; connects when it is first needed."""

    def __init__(
        self, connect: Callable[[], Connection], *, reader: str, insertion: int
    ) -> None:
        """`connect` is called on the card worker's thread; it may raise CardErrors."""
        self._connect = connect
        self._connection: Connection | None = None
        self._reader = reader
        self._insertion = insertion
        self._aid = AID
        self._known: dict[CardIdentity, Traits] = {}

    @property
    def reader(self) -> str:
        return self._reader

    @property
    def insertion(self) -> int:
        return self._insertion

    def recognise(self, family: Family | None = None) -> RecognisedCard:
        """Four APDUs, and one more where a card tells nothing or much of itself.

        A card with a label: SELECT, CHUID, discovery object, counter. One that may be a
        YubiKey is asked for its serial number first. A YubiKey: SELECT, serial number,
        two counters, policies. Discovery object and policies are asked for once.
        UnknownCard, or what keeps a card without any identity from being told
        (`ports.UNUSABLE`).
        """
        if family not in (None, Family.PIV):
            raise NotSupported(what=f"{family}")
        with self._application(_begin) as application:
            identity = self._identity(application)
            known = self._known.get(identity)
            found, traits = recognised(application, identity, self._reader, known)
            self._known = {identity: traits}
            return replace(
                found,
                pinpad=self._pad(traits) is not None,
                passed_over=application.optional.passed_over,
            )

    def recognise_by_longer_name(self) -> RecognisedCard:
        """Recognise a card that does not take a shortened name. As `recognise`."""
        for aid in LONGER_AIDS:
            self._aid = aid
            try:
                return self.recognise()
            except UnknownCard:
                continue
        self._aid = AID
        raise UnknownCard(reader=self._reader)

    def _identity(self, application: PivApplication) -> CardIdentity:
        """UnknownCard for a card that takes any name and has nothing of PIV."""
        try:
            return identify(application)
        except UNUSABLE as error:
            if application.has_template:
                raise
            raise UnknownCard(reader=self._reader) from error

    def other_identities(self, first: CardIdentity) -> tuple[CardIdentity, ...]:
        with self._application(_begin) as application:
            return tuple(others(application, first))

    @contextmanager
    def session(self, identity: CardIdentity) -> Iterator[PivSession]:
        with self._transaction(identity, _begin) as session:
            yield session

    @contextmanager
    def hold(self, identity: CardIdentity) -> Iterator[PivSession]:
        with self._transaction(identity, _hold) as session:
            yield session

    @contextmanager
    def _transaction(
        self, identity: CardIdentity, begin: Callable[[Connection], None]
    ) -> Iterator[PivSession]:
        with self._application(begin) as application:
            if not is_same(application, identity):
                raise WrongCard
            traits = self._known.get(identity)
            if traits is None:
                traits = read_traits(application, identity)
            application.pin_reference = traits.pin_reference
            application.has_metadata = traits.has_metadata
            session = PivSession(application, traits, self._pad(traits))
            try:
                yield session
            finally:
                session.leave()

    def _pad(self, traits: Traits) -> Pinpad | None:
        """Return the reader's pad, for a PIN that is PIV's own."""
        if self._connection is None or traits.pin_is_global:
            return None
        return self._connection.pinpad

    @contextmanager
    def application(self) -> Iterator[PivApplication]:
        """Open a transaction and SELECT, whichever card it is: for personalising.

        It ends with a reset of the card, exceptions included. What was known of the
        card's keys may not be true afterwards, and is asked again.
        """
        self._known = {}
        with self._application(_begin) as application:
            yield application

    @contextmanager
    def _application(
        self, begin: Callable[[Connection], None]
    ) -> Iterator[PivApplication]:
        connection = self._connection
        if connection is None:
            connection = self._connection = self._connect()
        begin(connection)
        try:
            yield PivApplication(
                connection,
                self._reader,
                aid=self._aid,
                is_contactless=_is_contactless(connection.atr),
            )
        finally:
            connection.end()

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


def _begin(connection: Connection) -> None:
    connection.begin()


def _hold(connection: Connection) -> None:
    connection.hold()


def _is_contactless(atr: bytes) -> bool:
    """Say whether an ATR is one that a reader makes up (PC/SC part 3 §3.1.3.2.3)."""
    return atr[:1] == b"\x3b" and atr[1] >> 4 == 0x8 and atr[2:4] == b"\x80\x01"

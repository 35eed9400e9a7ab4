"""A GIDS card as the visit holds it: recognise, and sessions of one transaction."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from kiosk.cards.errors import (
    UNUSABLE,
    CardError,
    NotSupported,
    ObjectMissing,
    UnknownCard,
    WrongCard,
)
from kiosk.cards.gids.application import PIN_MAXIMUM, PIN_MINIMUM, GidsApplication
from kiosk.cards.gids.objects import Container, default_of
from kiosk.cards.lacking import NoPinpad
from kiosk.cards.ports import Connection
from kiosk.cards.values import (
    CardIdentity,
    Family,
    IdentityKind,
    KeyAlgorithm,
    KeySlot,
    PinFormat,
    PukTold,
    RecognisedCard,
    Tries,
)
from kiosk.core.secret import Secret
from kiosk.pin.alphabet import Alphabet

log = logging.getLogger(__name__)
PIN_FORMAT = PinFormat(
    minimum=PIN_MINIMUM, maximum=PIN_MAXIMUM, alphabet=Alphabet.PRINTABLE
)
"""Any bytes, unpadded; what a site allows is its template's."""


class GidsSession(NoPinpad):
    """`ports.CardSession` on a selected GIDS application.

    AUTHENTICATION is the key of the default container; there is no other.
    """

    def __init__(
        self, application: GidsApplication, container: Callable[[], Container]
    ) -> None:
        self._application = application
        self._container = container
        self._may_be_verified = False

    def tries(self) -> Tries:
        return self._application.pin_tries()

    def verify(self, pin: Secret) -> None:
        self._may_be_verified = True
        self._application.verify(pin)

    def change_pin(self, old: Secret, new: Secret) -> None:
        self._may_be_verified = True
        self._application.change_pin(old, new)

    def puk_tries(self) -> PukTold | None:
        tries = self._application.puk_tries()
        return PukTold(tries) if tries is not None else None

    def change_puk(self, old: Secret, new: Secret) -> None:  # noqa: ARG002 - it cannot be changed under itself
        raise NotSupported(what="change of the PUK")

    def unblock(self, puk: Secret, new: Secret) -> None:
        self._application.unblock(puk, new)

    def challenge(self) -> bytes:
        return self._application.challenge()

    def answer(self, response: bytes, new: Secret) -> None:
        self._application.answer(response)
        self._application.reset_pin(new)

    def begin_mutual(self, challenge: bytes) -> bytes:
        return self._application.begin_mutual(challenge)

    def end_mutual(self, cryptogram: bytes) -> bytes:
        return self._application.end_mutual(cryptogram)

    def reset_pin(self, new: Secret) -> None:
        self._application.reset_pin(new)

    def sign(self, slot: KeySlot, algorithm: KeyAlgorithm, message: bytes) -> bytes:
        return self._application.sign(self._of(slot), algorithm, message)

    def certificate(self, slot: KeySlot) -> bytes:
        return self._application.certificate(self._of(slot))

    def _of(self, slot: KeySlot) -> Container:
        if slot is not KeySlot.AUTHENTICATION:
            raise ObjectMissing(object=f"key {slot}")
        return self._container()

    def logout(self) -> None:
        self._may_be_verified = False
        self._application.logout()

    def leave(self) -> None:
        """Log out if nobody did. The reset that follows does it in any case."""
        if not self._may_be_verified:
            return
        try:
            self.logout()
        except CardError as error:
            log.info("card.logout_not_possible code=%s", error.code)


class GidsCard:
    """`ports.Card` for a card in a reader; connects when it is first needed."""

    def __init__(
        self, connect: Callable[[], Connection], *, reader: str, insertion: int
    ) -> None:
        """`connect` is called on the card worker's thread; it may raise CardErrors."""
        self._connect = connect
        self._connection: Connection | None = None
        self._reader = reader
        self._insertion = insertion
        self._container: Container | None = None
        """The default container, once it has been read."""

    @property
    def reader(self) -> str:
        return self._reader

    @property
    def insertion(self) -> int:
        return self._insertion

    def recognise(self, family: Family | None = None) -> RecognisedCard:
        """SELECT, cardid, counters, cmapfile: five APDUs.

        UnknownCard, or what keeps its cardid from being read (`ports.UNUSABLE`).
        """
        if family not in (None, Family.GIDS):
            raise NotSupported(what=f"{family}")
        with self.application() as application:
            identity = self._identity(application)
            pin, puk = application.pin_tries(), application.puk_tries()
            containers = application.optional.read("cmapfile", application.containers)
            self._container = default_of(containers or ())
            return RecognisedCard(
                identity=identity,
                reader=self._reader,
                pin_tries=pin,
                pin_format=PIN_FORMAT,
                puk_tries=puk,
                has_puk=puk is not None,
                has_admin_key=True,
                touch=False,
                passed_over=application.optional.passed_over,
            )

    def _identity(self, application: GidsApplication) -> CardIdentity:
        """UnknownCard for a card that takes any name and has nothing of GIDS."""
        try:
            return _identity(application)
        except UNUSABLE as error:
            if application.has_template:
                raise
            raise UnknownCard(reader=self._reader) from error

    def other_identities(self, first: CardIdentity) -> tuple[CardIdentity, ...]:  # noqa: ARG002 - it has one name
        return ()

    @contextmanager
    def session(self, identity: CardIdentity) -> Iterator[GidsSession]:
        with self._transaction(identity, _begin) as session:
            yield session

    @contextmanager
    def hold(self, identity: CardIdentity) -> Iterator[GidsSession]:
        with self._transaction(identity, _hold) as session:
            yield session

    @contextmanager
    def _transaction(
        self, identity: CardIdentity, begin: Callable[[Connection], None]
    ) -> Iterator[GidsSession]:
        with self._opened(begin) as application:
            if _identity(application) != identity:
                raise WrongCard
            session = GidsSession(application, lambda: self._default(application))
            try:
                yield session
            finally:
                session.leave()

    def _default(self, application: GidsApplication) -> Container:
        """The default container; read once for an insertion. ObjectMissing."""
        if self._container is None:
            self._container = default_of(application.containers())
        if self._container is None:
            raise ObjectMissing(object="container")
        return self._container

    @contextmanager
    def application(self) -> Iterator[GidsApplication]:
        """Open a transaction and SELECT, whichever card it is: for personalising."""
        with self._opened(_begin) as application:
            yield application

    @contextmanager
    def _opened(self, begin: Callable[[Connection], None]) -> Iterator[GidsApplication]:
        connection = self._connection
        if connection is None:
            connection = self._connection = self._connect()
        begin(connection)
        try:
            yield GidsApplication(connection, self._reader)
        finally:
            connection.end()

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


def _identity(application: GidsApplication) -> CardIdentity:
    return CardIdentity(Family.GIDS, IdentityKind.CARD_ID, application.card_id())


def _begin(connection: Connection) -> None:
    connection.begin()


def _hold(connection: Connection) -> None:
    connection.hold()

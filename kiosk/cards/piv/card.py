"""A PIV card as the visit holds it: recognise, and sessions of one transaction."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from kiosk.cards.piv.application import PivApplication
from kiosk.cards.ports import (
    CardError,
    CardIdentity,
    Connection,
    Family,
    KeyAlgorithm,
    KeySlot,
    PinFormat,
    RecognisedCard,
    Tries,
    WrongCard,
)
from kiosk.pinrules import Alphabet
from kiosk.secret import Secret

log = logging.getLogger(__name__)
PIN_FORMAT = PinFormat(minimum=6, maximum=8, alphabet=Alphabet.DIGITS)


class PivSession:
    """`ports.CardSession` on a selected PIV application."""

    def __init__(self, application: PivApplication) -> None:
        self._application = application
        self.is_verified = False

    def tries(self) -> Tries:
        return self._application.pin_tries()

    def verify(self, pin: Secret) -> None:
        self.is_verified = True
        self._application.verify(pin)

    def change_pin(self, old: Secret, new: Secret) -> None:
        self.is_verified = True
        self._application.change_pin(old, new)

    def change_puk(self, old: Secret, new: Secret) -> None:
        self._application.change_puk(old, new)

    def unblock(self, puk: Secret, new: Secret) -> None:
        self._application.reset_retry_counter(puk, new)

    def sign(self, slot: KeySlot, algorithm: KeyAlgorithm, message: bytes) -> bytes:
        return self._application.sign(slot, algorithm, message)

    def certificate(self, slot: KeySlot) -> bytes:
        return self._application.certificate(slot)

    def logout(self) -> None:
        self.is_verified = False
        self._application.logout()


class PivCard:
    """`ports.Card` for a card in a reader; connects when it is first needed."""

    def __init__(
        self, connect: Callable[[], Connection], *, reader: str, insertion: int
    ) -> None:
        self._connect = connect
        self._connection: Connection | None = None
        self._reader = reader
        self._insertion = insertion

    @property
    def reader(self) -> str:
        return self._reader

    @property
    def insertion(self) -> int:
        return self._insertion

    def recognise(self) -> RecognisedCard:
        """SELECT, serial or CHUID, counter: four APDUs for most cards."""
        with self._application() as application:
            kind, value = application.identify()
            return RecognisedCard(
                identity=CardIdentity(Family.PIV, kind, value),
                reader=self._reader,
                pin_tries=application.pin_tries(),
                pin_format=PIN_FORMAT,
            )

    @contextmanager
    def session(self, identity: CardIdentity) -> Iterator[PivSession]:
        with self._application() as application:
            if application.identity(identity.kind) != identity.value:
                raise WrongCard
            session = PivSession(application)
            try:
                yield session
            finally:
                self._leave(session)

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    @contextmanager
    def _application(self) -> Iterator[PivApplication]:
        connection = self._connection
        if connection is None:
            connection = self._connection = self._connect()
        connection.begin()
        try:
            yield PivApplication(connection, self._reader)
        finally:
            connection.end()

    @staticmethod
    def _leave(session: PivSession) -> None:
        """Log out if nobody did. The reset that follows does it in any case."""
        if session.is_verified:
            try:
                session.logout()
            except CardError as error:
                log.info("card.logout_not_possible code=%s", error.code)

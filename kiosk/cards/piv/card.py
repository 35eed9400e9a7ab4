"""A PIV card as the visit holds it: recognise, and sessions of one transaction."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from kiosk.cards.no_admin_key import NoAdminKey
from kiosk.cards.piv import at_pad
from kiosk.cards.piv.application import PIN, PUK, PivApplication
from kiosk.cards.piv.identity import identify, is_same
from kiosk.cards.ports import (
    CardError,
    CardIdentity,
    Connection,
    IdentityKind,
    KeyAlgorithm,
    KeySlot,
    PinFormat,
    Pinpad,
    RecognisedCard,
    Tries,
    WrongCard,
)
from kiosk.pinrules import Alphabet
from kiosk.secret import Secret

log = logging.getLogger(__name__)
DIGITS = PinFormat(minimum=6, maximum=8, alphabet=Alphabet.DIGITS)
"""SP 800-73-5 part 2 §2.4.3."""
ANY_CHARACTERS = PinFormat(minimum=6, maximum=8, alphabet=Alphabet.PRINTABLE)
"""YubiKeys take any character; what a site allows is its template's."""


class PivSession(NoAdminKey):
    """`ports.CardSession` on a selected PIV application."""

    def __init__(self, application: PivApplication, pad: Pinpad | None = None) -> None:
        self._application = application
        self._pad = pad
        self._may_be_verified = False

    def tries(self) -> Tries:
        return self._application.pin_tries()

    def verify(self, pin: Secret) -> None:
        self._may_be_verified = True
        self._application.verify(pin)

    def change_pin(self, old: Secret, new: Secret) -> None:
        self._may_be_verified = True
        self._application.change_pin(old, new)

    def change_puk(self, old: Secret, new: Secret) -> None:
        self._application.change_puk(old, new)

    def unblock(self, puk: Secret, new: Secret) -> None:
        self._application.reset_retry_counter(puk, new)

    def verify_at_pad(self) -> None:
        self._may_be_verified = True
        at_pad.verify(at_pad.present(self._pad))

    def change_pin_at_pad(self) -> None:
        self._may_be_verified = True
        at_pad.change(at_pad.present(self._pad))

    def unblock_at_pad(self, puk: Secret | None) -> None:
        at_pad.unblock(at_pad.present(self._pad), puk)

    def sign(self, slot: KeySlot, algorithm: KeyAlgorithm, message: bytes) -> bytes:
        return self._application.sign(slot, algorithm, message)

    def certificate(self, slot: KeySlot) -> bytes:
        return self._application.certificate(slot)

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

    @property
    def reader(self) -> str:
        return self._reader

    @property
    def insertion(self) -> int:
        return self._insertion

    def recognise(self) -> RecognisedCard:
        """SELECT, serial or CHUID, counters: four APDUs, and more for large objects.

        UnknownCard, ObjectMissing (a card without any identity), MalformedAnswer.
        """
        with self.application() as application:
            identity = identify(application)
            if identity.kind is IdentityKind.SERIAL:
                return self._recognised_yubikey(application, identity)
            return self._recognised(application, identity)

    def _recognised(
        self, application: PivApplication, identity: CardIdentity
    ) -> RecognisedCard:
        return RecognisedCard(
            identity=identity,
            reader=self._reader,
            pin_tries=_tries(application),
            pin_format=DIGITS,
            pinpad=self._pad() is not None,
        )

    def _recognised_yubikey(
        self, application: PivApplication, identity: CardIdentity
    ) -> RecognisedCard:
        """Metadata tell more than an empty VERIFY; firmware before 5.3 has none."""
        pin = application.pin_metadata(PIN)
        puk = application.pin_metadata(PUK) if pin is not None else None
        return RecognisedCard(
            identity=identity,
            reader=self._reader,
            pin_tries=pin.tries if pin is not None else _tries(application),
            pin_format=ANY_CHARACTERS,
            puk_tries=puk.tries if puk is not None else None,
            has_puk=pin is None or puk is not None,
            pin_is_default=pin.is_default if pin is not None else None,
            pinpad=self._pad() is not None,
        )

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
            session = PivSession(application, self._pad())
            try:
                yield session
            finally:
                session.leave()

    def _pad(self) -> Pinpad | None:
        return self._connection.pinpad if self._connection is not None else None

    @contextmanager
    def application(self) -> Iterator[PivApplication]:
        """Open a transaction and SELECT, whichever card it is: for personalising.

        It ends with a reset of the card, exceptions included.
        """
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
            yield PivApplication(connection, self._reader)
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


def _tries(application: PivApplication) -> Tries:
    """Read the counter, also where somebody left the PIN verified, which hides it."""
    tries = application.pin_tries()
    if tries.left is not None:
        return tries
    application.logout()
    return application.pin_tries()

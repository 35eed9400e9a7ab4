"""A card behind middleware as the visit holds it (`ports.Card`).

Sessions here are logins: PKCS#11 has no transactions. The identity is read anew when
one opens. Only the user PIN of the token with the authentication certificate is ever
presented; a second PIN for qualified signatures belongs to another token.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from hashlib import sha256

from kiosk.cards.errors import (
    CardError,
    CardRemoved,
    LastTryKept,
    ModuleFailed,
    NotSupported,
    NotVerified,
    ObjectMissing,
    PinBlocked,
    PinRefused,
    PukBlocked,
    UnknownCard,
    WrongCard,
    WrongPin,
    WrongPuk,
)
from kiosk.cards.lacking import NoAdminKey, NoPinpad
from kiosk.cards.pkcs11.choice import candidate
from kiosk.cards.pkcs11.messages import (
    ChangeTokenPin,
    Find,
    Logout,
    MakeKey,
    PutCertificate,
    Request,
    Sign,
    TokenDone,
    TokenFailed,
    TokenTold,
    Unblock,
    VerifyTokenPin,
)
from kiosk.cards.pkcs11.process import Middleware
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
PIN_FORMAT = PinFormat(minimum=4, maximum=16, alphabet=Alphabet.PRINTABLE)
"""Modules keep their limits to themselves until a value is refused."""
_NOTHING = bytearray()


class Pkcs11Session(NoAdminKey, NoPinpad):
    """`ports.CardSession` on one token."""

    def __init__(self, process: Middleware, reader: str, told: TokenTold) -> None:
        self._process = process
        self._reader = reader
        self._told = told
        self._pin: Secret | None = None
        """Its owner's; presented again to a key that wants it for each signature."""

    def tries(self) -> Tries:
        return _tries(_find(self._process, self._reader))

    def verify(self, pin: Secret) -> None:
        self._do(VerifyTokenPin(pin=pin.reveal()))
        self._pin = pin

    def change_pin(self, old: Secret, new: Secret) -> None:
        self._pin = None
        self._do(ChangeTokenPin(old=old.reveal(), new=new.reveal()))

    def puk_tries(self) -> PukTold | None:
        """As it was told when the session opened: to ask anew would log out."""
        tries = _puk_tries(self._told)
        return PukTold(tries) if tries is not None else None

    def change_puk(self, old: Secret, new: Secret) -> None:  # noqa: ARG002 - no portable way
        raise NotSupported(what="change of the PUK")

    def unblock(self, puk: Secret, new: Secret) -> None:
        self._pin = None
        self._do(Unblock(puk=puk.reveal(), new=new.reveal()))

    def sign(self, slot: KeySlot, algorithm: KeyAlgorithm, message: bytes) -> bytes:
        if slot is not KeySlot.AUTHENTICATION:
            raise ObjectMissing(object=f"key {slot}")
        pin = self._pin.reveal() if self._pin else _NOTHING
        return self._do(Sign(algorithm=algorithm, message=message, pin=pin))

    def make_key(self, algorithm: KeyAlgorithm) -> bytes:
        """Make a key pair in place of what we made before; return the public key (DER).

        The PIN must be verified. NotSupported, NotVerified.
        """
        return self._do(MakeKey(algorithm=algorithm))

    def sign_with(self, spki: bytes, algorithm: KeyAlgorithm, message: bytes) -> bytes:
        """As `sign`, with the key of a public key (DER): it needs no certificate."""
        pin = self._pin.reveal() if self._pin else _NOTHING
        told = Sign(algorithm=algorithm, message=message, pin=pin, spki=spki)
        return self._do(told)

    def put_certificate(self, spki: bytes, certificate: bytes) -> None:
        """Write the certificate of a key (both DER). NotSupported, NotVerified."""
        self._do(PutCertificate(spki=spki, certificate=certificate))

    @property
    def has_certificate(self) -> bool:
        """It has one to sign in with, as it was read when the session opened."""
        return bool(self._told.certificate)

    @property
    def has_our_certificate(self) -> bool:
        """And that one was written by `put_certificate`."""
        return self._told.is_ours

    def look_again(self) -> bytes:
        """Return the certificate (DER) that is found now; empty: none. Logs out."""
        self._pin = None
        self._told = _find(self._process, self._reader)
        return self._told.certificate

    def certificate(self, slot: KeySlot) -> bytes:
        if slot is not KeySlot.AUTHENTICATION or not self._told.certificate:
            raise ObjectMissing(object=f"certificate {slot}")
        return self._told.certificate

    def logout(self) -> None:
        self._pin = None
        self._do(Logout())

    def leave(self) -> None:
        """Log out if nobody did; a process that cannot is ended."""
        try:
            self.logout()
        except CardError as error:
            log.info("card.logout_not_possible code=%s", error.code)
            self._process.close()

    def _do(self, request: Request) -> bytes:
        answer = self._process.ask(request)
        if isinstance(answer, TokenFailed):
            raise _error(answer, self._process, self._reader)
        if not isinstance(answer, TokenDone):
            raise self._process.failed("it answered something else")
        return answer.data


class Pkcs11Card:
    """`ports.Card` for a card in a reader that a vendor's module speaks to."""

    def __init__(self, process: Middleware, *, reader: str, insertion: int) -> None:
        self._process = process
        self._reader = reader
        self._insertion = insertion

    @property
    def reader(self) -> str:
        return self._reader

    @property
    def insertion(self) -> int:
        return self._insertion

    def recognise(self, family: Family | None = None) -> RecognisedCard:
        """Find the token in the reader. UnknownCard, ModuleFailed."""
        if family not in (None, Family.PKCS11):
            raise NotSupported(what=f"{family}")
        told = _find(self._process, self._reader)
        return RecognisedCard(
            identity=_identity(told),
            reader=self._reader,
            pin_tries=_tries(told),
            pin_format=PIN_FORMAT,
            puk_tries=_puk_tries(told),
            has_puk=told.unblocks,
        )

    def other_identities(self, first: CardIdentity) -> tuple[CardIdentity, ...]:
        """Its key, where a serial number was first."""
        told = _find(self._process, self._reader)
        found = (_identity(told), _by_key(told))
        return tuple(each for each in found if each is not None and each != first)

    @contextmanager
    def session(self, identity: CardIdentity) -> Iterator[Pkcs11Session]:
        told = _find(self._process, self._reader)
        if identity not in (_identity(told), _by_key(told)):
            raise WrongCard
        session = Pkcs11Session(self._process, self._reader, told)
        try:
            yield session
        finally:
            session.leave()

    def hold(
        self,
        identity: CardIdentity,  # noqa: ARG002 - nothing of a module's lasts for minutes
    ) -> AbstractContextManager[Pkcs11Session]:
        raise NotSupported(what="hold")

    def close(self) -> None:
        self._process.close()


def _find(process: Middleware, reader: str) -> TokenTold:
    answer = process.ask(Find(reader=reader))
    if isinstance(answer, TokenFailed):
        raise _error(answer, process, reader)
    if not isinstance(answer, TokenTold):
        raise process.failed("it answered something else")
    return answer


def _tries(told: TokenTold) -> Tries:
    return Tries(told.tries if told.tries >= 0 else None)


def _puk_tries(told: TokenTold) -> Tries | None:
    return Tries(told.puk_tries) if told.puk_tries >= 0 else None


def _identity(told: TokenTold) -> CardIdentity:
    """The serial number, with who gave it: vendors count for themselves."""
    serial = told.serial.strip(b" \0")
    if not serial.strip(b"0"):
        by_key = _by_key(told)
        if by_key is not None:
            return by_key
    value = f"{told.manufacturer}/".encode() + serial
    return CardIdentity(Family.PKCS11, IdentityKind.SERIAL, value)


def _by_key(told: TokenTold) -> CardIdentity | None:
    chosen = candidate(b"", told.certificate) if told.certificate else None
    if chosen is None:
        return None
    digest = sha256(chosen.spki).digest()
    return CardIdentity(Family.PKCS11, IdentityKind.KEY, digest)


_PLAIN: dict[str, Callable[[], CardError]] = {
    "pin_blocked": PinBlocked,
    "last_try": LastTryKept,
    "pin_refused": PinRefused,
    "puk_blocked": PukBlocked,
    "not_verified": NotVerified,
}


def _error(answer: TokenFailed, process: Middleware, reader: str) -> CardError:
    """Return what a refusal means; a module that failed gets a new process."""
    plain = _PLAIN.get(answer.why)
    if plain is not None:
        return plain()
    match answer.why:
        case "wrong_pin":
            return WrongPin(answer.tries)
        case "wrong_puk":
            return WrongPuk(answer.tries)
        case "removed":
            return CardRemoved(reader=reader)
        case "unknown":
            return UnknownCard(reader=reader)
        case "missing":
            return ObjectMissing(object=answer.detail)
        case "not_supported":
            return NotSupported(what=answer.detail)
        case "no_library":
            process.close()
            return ModuleFailed(module="python-pkcs11", why="not installed")
    return process.failed(answer.detail or answer.why)

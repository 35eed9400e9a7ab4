"""One vendor's module, as the process that has loaded it uses it.

With `objects` and `sessions`, the only importer of `pkcs11`. Every question looks the
token up again: modules count slots anew when a card moves. A token is logged in from
`verify` to `logout`; no PIN is kept. Only `Failure`s come out on purpose; whatever else
a module makes of a question is `pkcs11`'s own error, and `child` tells it by its name.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pkcs11
from pkcs11 import Attribute, ObjectClass
from pkcs11 import exceptions as refused

from kiosk.cards.pkcs11 import objects
from kiosk.cards.pkcs11.choice import TokenCertificate, best, candidate
from kiosk.cards.pkcs11.messages import TokenTold
from kiosk.cards.pkcs11.sessions import (
    CANNOT,
    UNFIT,
    Failure,
    Refused,
    SigningKey,
    TokenPin,
    attribute_of,
    belongs,
    must_be_one_card,
    name_of,
    opened,
    puk_tries_told,
    set_pin,
    slot_name_of,
    tries_told,
)
from kiosk.cards.pkcs11.signing import job, signature
from kiosk.cards.pkcs11.unblocking import Unblocking, found_out
from kiosk.cards.values import KeyAlgorithm


class Module:
    """A loaded module and the one token it is used for."""

    def __init__(self, path: Path, told: Unblocking) -> None:
        """Load it (C_Initialize). OSError, `pkcs11` errors."""
        self._lib = pkcs11.lib(str(path))
        self._library = self._lib.library_description.strip()
        self._unblocking = found_out(told, self._library, self._lib.manufacturer_id)
        self._reader = ""
        self._serial = b""
        self._chosen: TokenCertificate | None = None
        self._session: pkcs11.Session | None = None

    # --- asked --------------------------------------------------------------------

    def find(self, reader: str) -> TokenTold:
        """Choose the reader's token whose certificate its holder signs in with."""
        self.logout()
        self._reader, self._serial, self._chosen = reader, b"", None
        found = self._tokens()
        chosen = best(each for _, each in found if each is not None)
        token = next(
            (it for it, certificate in found if certificate is chosen), found[0][0]
        )
        self._serial, self._chosen = token.serial, chosen
        return TokenTold(
            library=self._library,
            manufacturer=token.manufacturer_id.strip(),
            model=token.model.strip(),
            serial=token.serial,
            certificate=chosen.der if chosen else b"",
            is_ours=chosen is not None and chosen.label == objects.LABEL,
            tries=tries_told(token),
            puk_tries=puk_tries_told(token, self._unblocking),
            unblocks=self._unblocking is not Unblocking.NONE,
        )

    def _tokens(self) -> list[tuple[pkcs11.Token, TokenCertificate | None]]:
        """Return every token that answers, with its certificate.

        A slot that fails does not hide a token beside it; if no other answers, its
        error is what is wrong. Failure (`unknown`: the module knows no token here;
        `broken`: it cannot be told which of several cards is in this reader).
        """
        found: list[tuple[pkcs11.Token, TokenCertificate | None]] = []
        failed: list[Refused] = []
        for slot in self._slots():
            try:
                token = slot.get_token()
                found.append((token, self._certificate(token)))
            except refused.TokenNotRecognised:
                continue
            except Refused as error:
                failed.append(error)
        if not found:
            raise failed[0] if failed else Failure("unknown")
        must_be_one_card(self._reader, [token for token, _ in found])
        return found

    def verify(self, pin: bytearray) -> None:
        """Log in as user. The last try is never spent."""
        self.logout()
        with self._comparing_pin() as token:
            self._session = token.open(rw=True, user_pin=TokenPin(pin))

    def change(self, old: bytearray, new: bytearray) -> None:
        """C_SetPIN in a session that is not logged in: the user PIN."""
        self.logout()
        with self._comparing_pin() as token, opened(token) as session:
            session.set_pin(TokenPin(old), TokenPin(new))  # type: ignore[arg-type]  # whatever can be encoded

    def unblock(self, puk: bytearray, new: bytearray) -> None:
        """Set the user PIN in the way that is known of this module."""
        self.logout()
        with self._comparing_puk() as token:
            match self._unblocking:
                case Unblocking.SET_PIN:
                    set_pin(token, puk, new)
                case Unblocking.PREFIXES:
                    set_pin(token, bytearray(b"puk:") + puk, bytearray(b"pin:") + new)
                case Unblocking.INIT_PIN:
                    with token.open(rw=True, so_pin=TokenPin(puk)) as session:
                        session.init_pin(TokenPin(new))  # type: ignore[arg-type]  # whatever can be encoded
                case _:
                    raise Failure("not_supported", detail="unblock by this middleware")

    def make_key(self, algorithm: KeyAlgorithm) -> bytes:
        """Make a key pair, in place of ours; return its public key (DER)."""
        if not objects.can_make(algorithm):
            raise Failure("not_supported", detail=algorithm)
        with self._making(f"{algorithm} made by this middleware") as session:
            objects.clear(session)
            return objects.make_key(session, algorithm)

    def put_certificate(self, spki: bytes, certificate: bytes) -> None:
        """Write the certificate of a key that the token has."""
        with self._making("certificate written by this middleware") as session:
            objects.put_certificate(session, spki, certificate)

    @contextmanager
    def _making(self, what: str) -> Iterator[pkcs11.Session]:
        """Around what changes the token: in a session whose user is logged in."""
        if self._session is None:
            raise Failure("not_verified")
        try:
            yield self._session
        except LookupError as error:
            raise Failure("missing", detail="key") from error
        except CANNOT as error:
            raise Failure("not_supported", detail=what) from error

    def sign(
        self, algorithm: KeyAlgorithm, message: bytes, pin: bytearray, spki: bytes
    ) -> bytes:
        """Sign with the private key of a public key (DER), or of the certificate."""
        session = self._session
        if session is None:
            raise Failure("not_verified")
        offered = {name_of(each) for each in self._slot().get_mechanisms()}
        work = job(algorithm, message, offered)
        if work is None:
            raise Failure("not_supported", detail=f"{algorithm} by this middleware")
        key = self._private_key(session, spki)
        again = attribute_of(key, Attribute.ALWAYS_AUTHENTICATE) is True
        if again and not pin:
            raise Failure("not_verified")
        try:
            raw = key.sign(
                work.data,
                mechanism=pkcs11.Mechanism[work.mechanism],
                **({"pin": TokenPin(pin)} if again else {}),
            )
        except (refused.UserNotLoggedIn, refused.PinIncorrect) as error:
            raise Failure("not_verified") from error
        return signature(work.mechanism, raw)

    def logout(self) -> None:
        """Close the session, which logs out."""
        session, self._session = self._session, None
        if session is not None:
            with suppress(Refused):  # the token may have left
                session.close()

    # --- parts --------------------------------------------------------------------

    def _slots(self) -> list[pkcs11.Slot]:
        """Return the slots with a token that are this reader's."""
        wanted = slot_name_of(self._reader)
        return [
            slot
            for slot in self._lib.get_slots(token_present=True)
            if slot.slot_description.rstrip(" \0").startswith(wanted)
        ]

    def _slot(self) -> pkcs11.Slot:
        """Return the chosen token's slot. Failure: it is not there any more.

        A slot beside it that fails is passed over, as when the token was chosen.
        """
        failed: list[Refused] = []
        for slot in self._slots():
            try:
                if slot.get_token().serial == self._serial:
                    return slot
            except refused.TokenNotRecognised:
                continue
            except Refused as error:
                failed.append(error)
        raise failed[0] if failed else Failure("removed")

    def _certificate(self, token: pkcs11.Token) -> TokenCertificate | None:
        with token.open() as session:
            found = [
                candidate(
                    bytes(each[Attribute.ID]),
                    bytes(each[Attribute.VALUE]),
                    objects.label_of(each),
                )
                for each in session.get_objects(
                    {
                        Attribute.CLASS: ObjectClass.CERTIFICATE,
                        Attribute.CERTIFICATE_TYPE: pkcs11.CertificateType.X_509,
                    }
                )
            ]
        return best(each for each in found if each is not None)

    def _private_key(self, session: pkcs11.Session, spki: bytes) -> SigningKey:
        """Return the other half of a public key (DER), or of the certificate's."""
        identifier, spki = self._name_of(session, spki)
        keys = session.get_objects(
            {Attribute.CLASS: ObjectClass.PRIVATE_KEY, Attribute.ID: identifier}
        )
        for key in keys:
            if isinstance(key, SigningKey) and belongs(key, spki):
                return key
        raise Failure("missing", detail="key")

    def _name_of(self, session: pkcs11.Session, spki: bytes) -> tuple[bytes, bytes]:
        if not spki:
            if self._chosen is None:
                raise Failure("missing", detail="certificate")
            return self._chosen.identifier, self._chosen.spki
        try:
            return objects.identifier_of(session, spki), spki
        except LookupError as error:
            raise Failure("missing", detail="key") from error

    @contextmanager
    def _comparing_pin(self) -> Iterator[pkcs11.Token]:
        """Around a call that may cost a try."""
        token = self._slot().get_token()
        tries = tries_told(token)
        if tries == 0:
            raise Failure("pin_blocked")
        if tries == 1:
            raise Failure("last_try")
        try:
            yield token
        except refused.PinIncorrect as error:
            raise self._wrong() from error
        except refused.PinLocked as error:
            raise Failure("pin_blocked") from error
        except refused.PinExpired as error:
            raise Failure("not_supported", detail="expired PIN") from error
        except UNFIT as error:
            raise Failure("pin_refused") from error

    def _wrong(self) -> Failure:
        """A failed login leaves its session open, which only C_Finalize ends."""
        self._lib.reinitialize()
        left = tries_told(self._slot().get_token())
        return Failure("pin_blocked") if left == 0 else Failure("wrong_pin", tries=left)

    def _wrong_puk(self) -> Failure:
        self._lib.reinitialize()
        left = puk_tries_told(self._slot().get_token(), self._unblocking)
        return Failure("puk_blocked") if left == 0 else Failure("wrong_puk", tries=left)

    @contextmanager
    def _comparing_puk(self) -> Iterator[pkcs11.Token]:
        """Around a call that may cost a try of the PUK."""
        token = self._slot().get_token()
        was_locked = tries_told(token) == 0
        try:
            yield token
            self._lib.reinitialize()  # modules remember that the PIN was locked
        except refused.PinIncorrect as error:
            raise self._wrong_puk() from error
        except refused.PinLocked as error:
            # A module may mean the PIN that is locked already.
            raise Failure("wrong_puk" if was_locked else "puk_blocked") from error
        except UNFIT as error:
            raise Failure("pin_refused") from error
        except refused.FunctionNotSupported as error:
            raise Failure("not_supported", detail="unblock") from error

"""One transaction with a PIV card: what a visit does to it, and nothing left behind."""

from __future__ import annotations

import logging

from kiosk.cards.errors import CardError, MalformedAnswer, NotVerified, TouchMissed
from kiosk.cards.lacking import NoAdminKey
from kiosk.cards.piv import at_pad
from kiosk.cards.piv.application import PUK, PivApplication
from kiosk.cards.piv.traits import Traits
from kiosk.cards.ports import Pinpad
from kiosk.cards.values import KeyAlgorithm, KeySlot, PukTold, Tries
from kiosk.core.secret import Secret

log = logging.getLogger(__name__)


class PivSession(NoAdminKey):
    """`ports.CardSession` on a selected PIV application."""

    def __init__(
        self,
        application: PivApplication,
        traits: Traits | None = None,
        pad: Pinpad | None = None,
    ) -> None:
        self._application = application
        self._traits = traits or Traits()
        self._pad = pad
        self._may_be_verified = False
        self._accepted: Secret | None = None
        """The PIN that the card has taken; its owner may wipe it at any time."""
        self._is_fresh = False
        """VERIFY was the last command."""

    def tries(self) -> Tries:
        self._is_fresh = False
        return self._application.pin_tries()

    def verify(self, pin: Secret) -> None:
        self._forget()
        self._may_be_verified = True
        self._application.verify(pin)
        self._accepted, self._is_fresh = pin, True

    def change_pin(self, old: Secret, new: Secret) -> None:
        self._forget()
        self._may_be_verified = True
        self._application.change_pin(old, new)

    def puk_tries(self) -> PukTold | None:
        self._is_fresh = False
        try:
            told = self._application.pin_metadata(PUK)
        except MalformedAnswer:
            return None
        return PukTold(told.tries, told.is_default) if told is not None else None

    def change_puk(self, old: Secret, new: Secret) -> None:
        self._is_fresh = False
        self._application.change_puk(old, new)

    def unblock(self, puk: Secret, new: Secret) -> None:
        self._forget()
        self._application.reset_retry_counter(puk, new)

    def verify_at_pad(self) -> None:
        self._forget()
        self._may_be_verified = True
        at_pad.verify(self._application, self._pad)

    def change_pin_at_pad(self) -> None:
        self._forget()
        self._may_be_verified = True
        at_pad.change(self._application, self._pad)

    def unblock_at_pad(self, puk: Secret | None) -> None:
        self._forget()
        at_pad.unblock(self._application, self._pad, puk)

    def sign(self, slot: KeySlot, algorithm: KeyAlgorithm, message: bytes) -> bytes:
        if slot is not KeySlot.AUTHENTICATION:
            self._is_fresh = False
            return self._application.sign(slot, algorithm, message)
        if self._traits.may_want_pin_each_time and not self._is_fresh:
            self._verify_again()
        self._is_fresh = False
        try:
            return self._application.sign(slot, algorithm, message)
        except NotVerified:
            if not self._traits.touch or not self._verify_again():
                raise
        self._is_fresh = False
        try:
            return self._application.sign(slot, algorithm, message)
        except NotVerified as missed:
            raise TouchMissed from missed

    def _verify_again(self) -> bool:
        """Present the PIN that was accepted, which costs no try; False: there is none.

        Only for a key that the card itself has said wants it, or that has been left
        waiting by another command: what a person types is otherwise sent once.
        """
        if not self._accepted:
            return False
        self.verify(self._accepted)
        return True

    def certificate(self, slot: KeySlot) -> bytes:
        self._is_fresh = False
        return self._application.certificate(slot)

    def logout(self) -> None:
        self._forget()
        self._may_be_verified = False
        self._application.logout()

    def _forget(self) -> None:
        self._accepted, self._is_fresh = None, False

    def leave(self) -> None:
        """Log out if nobody did. The reset that follows does it in any case."""
        self._forget()
        if not self._may_be_verified:
            return
        try:
            self.logout()
        except CardError as error:
            log.info("card.logout_not_possible code=%s", error.code)

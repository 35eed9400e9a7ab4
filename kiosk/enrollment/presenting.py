"""How the holder's PIN reaches the card at an operator's desk."""

from __future__ import annotations

from kiosk.cards.ports import CardSession
from kiosk.cards.values import RecognisedCard
from kiosk.core.secret import Secret


def present(
    session: CardSession, recognised: RecognisedCard, pin: Secret | None
) -> None:
    """Have the PIN verified: at the reader's own keys where it has some, else `pin`.

    A PIN that was typed here all the same, before the card came into that reader, is
    not sent. WrongPin, PinBlocked, PadEntryFailed; NotSupported: neither pad nor `pin`.
    """
    if recognised.pinpad or pin is None:
        session.verify_at_pad()
    else:
        session.verify(pin)

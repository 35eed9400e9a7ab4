"""The first PUK of ours on a card: on record before it is sent, of a form it takes."""

from __future__ import annotations

from kiosk.cards.errors import PukRefused
from kiosk.cards.piv.application import PivApplication
from kiosk.cards.piv.personalise import CardSecrets
from kiosk.core.errors import KioskError
from kiosk.enrollment.bench import Bench
from kiosk.pin.drawn import new_digits_puk


class PukNotAccepted(KioskError):
    """The card takes no new PUK at all; its name and PIN were changed."""

    code = "enrollment.puk_not_accepted"


def set_puk(
    bench: Bench,
    application: PivApplication,
    credential: str,
    before: CardSecrets,
    after: CardSecrets,
) -> None:
    """Set the new PUK; where the card does not take it, one of digits. PukNotAccepted.

    `after` has then what the card has.
    """
    try:
        application.change_puk(before.puk, after.puk)
    except PukRefused:
        with new_digits_puk(bench.entropy) as digits:
            after.puk.reveal()[:] = digits.reveal()
    else:
        return
    bench.office.keep_puk_of_digits(credential, after.puk)
    try:
        application.change_puk(before.puk, after.puk)
    except PukRefused as refused:
        raise PukNotAccepted from refused

"""The first PUK of ours on a card: on record before it is sent, of a form it takes."""

from __future__ import annotations

from msgspec.structs import replace

from kiosk.authority.escrow import puks
from kiosk.authority.escrow.escrowed_secrets import new_digits_puk
from kiosk.authority.office.desk import Desk
from kiosk.cards.piv.application import PivApplication
from kiosk.cards.piv.personalise import CardSecrets
from kiosk.cards.ports import PukRefused
from kiosk.core.errors import KioskError
from kiosk.enrollment import secrets
from statemachine.candidates import Candidate, Puk
from statemachine.puk import Known
from storage.records import Escrow
from storage.registry import Tx


class PukNotAccepted(KioskError):
    """The card takes no new PUK at all; its name and PIN were changed."""

    code = "enrollment.puk_not_accepted"


def about_to_be_set(*, current: str, pending: str, forms_refused: int) -> Escrow:
    """Return the record of a card that has `current`, or `pending` already."""
    escrow = Escrow(
        current_sealed=current, pending_sealed=pending, forms_refused=forms_refused
    )
    new = Candidate(placings=1)
    return puks.kept(escrow, Puk(known=Known.PENDING, current=Candidate(), pending=new))


def is_set(escrow: Escrow, current: str) -> Escrow:
    """Return the record of a card that has confirmed `current`."""
    own = Escrow(current_sealed=current, forms_refused=escrow.forms_refused)
    return puks.kept(own, Puk(known=Known.CURRENT, current=Candidate()))


def set_puk(
    desk: Desk,
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
        with new_digits_puk(desk.parts) as digits:
            after.puk.reveal()[:] = digits.reveal()
    else:
        return
    desk.parts.registry.run(lambda tx: _write_down(tx, desk, credential, after))
    try:
        application.change_puk(before.puk, after.puk)
    except PukRefused as refused:
        raise PukNotAccepted from refused


def _write_down(tx: Tx, desk: Desk, id: str, after: CardSecrets) -> None:
    """Keep the PUK of digits in place of the one that was definitely refused."""
    sealed = secrets.seal(desk.parts, id, secrets.PENDING_PUK, after.puk)
    credential = tx.credential(id)
    forms = credential.escrow.forms_refused + 1
    escrow = replace(credential.escrow, pending_sealed=sealed, forms_refused=forms)
    tx.save_credential(replace(credential, escrow=escrow))

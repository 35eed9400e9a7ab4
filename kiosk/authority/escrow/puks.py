"""What is known of a card's PUK, read from its record and written back to it."""

from __future__ import annotations

from msgspec.structs import replace

from statemachine.candidates import TRIES, Candidate, Puk
from statemachine.guards import Refusal
from statemachine.puk import AT_FACTORY, DUE, IN_ESCROW, Known, PukEvent, advance
from storage.records import (
    CardType,
    Credential,
    Escrow,
    ImportedPuk,
    Template,
    UnblockMethod,
)

FACTORY_PUK = b"12345678"


def of(escrow: Escrow) -> Puk:
    """Return what the record says."""
    known = escrow.known
    if known is None:
        return _of_older(escrow)
    current = pending = None
    if escrow.current_sealed or known in AT_FACTORY:
        current = Candidate(
            unanswered=escrow.current_unanswered, is_refused=escrow.current_refused
        )
    if escrow.pending_sealed:
        pending = Candidate(
            unanswered=escrow.pending_unanswered,
            is_refused=escrow.pending_refused,
            is_set_aside=escrow.pending_set_aside,
            placings=escrow.pending_placings,
        )
    return Puk(known=known, current=current, pending=pending, left=escrow.left)


def _of_older(escrow: Escrow) -> Puk:
    """Read a record of which only values and one count were kept.

    A new value without an old one was to replace the factory's.
    """
    current = Candidate() if escrow.current_sealed else None
    pending = Candidate(placings=1) if escrow.pending_sealed else None
    known = Known.UNKNOWN
    if pending is not None:
        known = Known.PENDING if current is not None else Known.FIRST_PENDING
        current = current or Candidate()
    elif current is not None:
        known = Known.DUE if escrow.exposed else Known.CURRENT
    left = max(TRIES - escrow.wrong_tries, 1)
    return Puk(known=known, current=current, pending=pending, left=left)


def kept(escrow: Escrow, puk: Puk) -> Escrow:
    """Return the record that says `puk`, with the same values."""
    current, pending = puk.current or Candidate(), puk.pending
    seen = pending or Candidate(placings=1)
    return replace(
        escrow,
        known=puk.known,
        current_unanswered=current.unanswered,
        current_refused=current.is_refused,
        pending_sealed=escrow.pending_sealed if pending is not None else "",
        pending_unanswered=seen.unanswered,
        pending_refused=seen.is_refused,
        pending_set_aside=seen.is_set_aside,
        pending_placings=seen.placings,
        left=puk.left,
        exposed=False,
        wrong_tries=0,
    )


def said(puk: ImportedPuk, left: int | None) -> Escrow:
    """Return the record of a card from elsewhere; `left`: tries that it tells."""
    event = _SAID.get(puk)
    known = advance(Known.UNKNOWN, event) if event is not None else Known.UNKNOWN
    if isinstance(known, Refusal):
        raise ValueError(f"{puk} cannot be said")
    current = Candidate() if known is Known.FACTORY else None
    tries = TRIES if left is None else left
    return kept(Escrow(), Puk(known=known, current=current, left=tries))


_SAID = {
    ImportedPuk.FACTORY: PukEvent.SAID_FACTORY,
    ImportedPuk.HOLDERS: PukEvent.SAID_HOLDERS,
}

# --- questions ---------------------------------------------------------------


def can_release(escrow: Escrow) -> bool:
    """Say whether a value is kept that the card may have."""
    puk = of(escrow)
    return puk.known in IN_ESCROW and bool(puk.remaining())


def is_used_up(escrow: Escrow) -> bool:
    """Say whether the card has refused everything that it may have had."""
    return of(escrow).known is Known.USED_UP


def at_last_try(escrow: Escrow, told: int | None = None) -> bool:
    """Say whether one try may be left; `told` by the card itself."""
    return of(escrow).at_last_try(told)


def is_due(escrow: Escrow) -> bool:
    """Say whether the card's PUK has to be replaced."""
    return of(escrow).known in DUE


def is_factory(escrow: Escrow) -> bool:
    """Say whether the card has, or may have, the factory's PUK."""
    return of(escrow).known in AT_FACTORY


def waits(credential: Credential) -> bool:
    """Say whether the PUK has to be replaced, and the card has a command for that."""
    return is_due(credential.escrow) and _takes_another(credential)


def may_be_replaced(template: Template, credential: Credential) -> bool:
    """Say whether the card takes a new PUK, and it is taken from nobody by that."""
    is_told = UnblockMethod.HOLDER_PUK in template.unblock
    return not is_told and _takes_another(credential)


def sentence(credential: Credential) -> str:
    """Return the key of what is said of it: nobody is promised another in vain."""
    known = of(credential.escrow).known
    stays = known in _PROMISED and not _takes_another(credential)
    return f"desk.puk.{known}_stays" if stays else f"desk.puk.{known}"


_PROMISED = frozenset({Known.FACTORY, Known.EXPOSED, Known.DUE})
"""Of these it is said that the PUK is replaced at the next visit."""


def _takes_another(credential: Credential) -> bool:
    """Say whether a PUK can be changed under itself: that of a PIV card alone."""
    return credential.card.startswith(f"{CardType.PIV}:")

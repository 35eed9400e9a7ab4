"""Which values may be the PUK of a card, and which of them may be sent to it.

There are at most two: what the card had before, and the one that was to replace it.
Neither is forgotten before the card has confirmed the other. Each has its own record,
committed before it is sent; a value that the card has refused is never sent again.
Pure: values go in and come out. `OutOfOrder`: what was told cannot have happened then.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from statemachine.guards import Refusal
from statemachine.puk import OUT_OF_ORDER, Known, PukEvent, advance

TRIES = 3
"""Tries that a PUK has where the card tells nothing else."""


class OutOfOrder(ValueError):
    """The table has no such edge: it was repeated, invented or mixed up."""

    def __init__(self, refusal: Refusal, said: str) -> None:
        super().__init__(said)
        self.refusal = refusal


class Label(StrEnum):
    """Which value is meant."""

    PENDING = "pending"
    """The new one, sent or about to be."""
    CURRENT = "current"
    """What the card had before it."""
    TYPED = "typed"
    """A value that a person typed and nobody keeps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """The record of one value that may be on the card."""

    unanswered: int = 0
    """How often it was sent without an answer that was heard."""
    is_refused: bool = False
    """The card compared it and said no: it is not on the card."""
    is_set_aside: bool = False
    """The card would not even compare it, or take it as new: others come first."""
    placings: int = 0
    """How often it was sent as the new one without a no: it may be there since."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Puk:
    """Everything that is known of one card's PUK, without the values."""

    known: Known = Known.UNKNOWN
    current: Candidate | None = None
    pending: Candidate | None = None
    left: int = TRIES
    """Tries that are left at worst: what was sent without an answer counts."""

    def remaining(self) -> tuple[Label, ...]:
        """Return what may be on the card, likeliest first."""
        pending, current = self.pending, self.current
        order: list[Label] = []
        if pending is not None and not pending.is_refused:
            order.append(Label.PENDING)
        if current is not None and not current.is_refused:
            set_aside = pending is not None and pending.is_set_aside
            order.insert(0 if set_aside else len(order), Label.CURRENT)
        return tuple(order)

    def at_last_try(self, told: int | None = None) -> bool:
        """Say whether a wrong value might be the last; `told` by the card itself."""
        return (self.left if told is None else told) < 2


def may_send(puk: Puk, told: int | None, *, knowingly: bool) -> bool:
    """Say whether any value may be sent.

    With one try left, at worst, only if a person has released just that.
    """
    if told == 0:
        return False
    return knowingly or not puk.at_last_try(told)


# --- what happens ------------------------------------------------------------


def released(puk: Puk, label: Label, told: int | None) -> Puk:
    """Return the record before a kept value is sent to set a PIN."""
    return _sending(_advanced(puk, PukEvent.RELEASED), label, told)


def typing(puk: Puk, told: int | None) -> Puk:
    """Return the record before a typed value is sent."""
    return _sending(puk, Label.TYPED, told)


def replacing(puk: Puk, label: Label, told: int | None) -> Puk:
    """Return the record before the value of `label` is sent to be replaced.

    An unresolved new value is the new one again; a resolved one makes room.
    """
    puk = _advanced(puk, PukEvent.REPLACING)
    new = puk.pending
    if new is None or new.is_refused:
        new = Candidate()
    if label is not Label.PENDING:
        new = replace(new, placings=new.placings + 1)
    return _sending(replace(puk, pending=new), label, told)


def refused(puk: Puk, label: Label, left: int | None) -> Puk:
    """The card compared the value and said no; `left`: the tries that it told."""
    told = puk.left if left is None else left
    puk = replace(puk, left=told)
    candidate = _of(puk, label)
    if candidate is not None:
        said_no = replace(candidate, is_refused=True, unanswered=0)
        puk = _with(puk, label, said_no)
    is_over = label is not Label.TYPED and not puk.remaining()
    return _advanced(puk, PukEvent.ALL_REFUSED) if is_over or told == 0 else puk


def not_replaced(puk: Puk, label: Label, left: int | None) -> Puk:
    """The card compared the value that was to be replaced, and said no.

    What was to replace it did not get there by that.
    """
    if label is Label.CURRENT and puk.pending is not None:
        puk = _not_placed(puk)
    return refused(puk, label, left)


def unheard(puk: Puk, label: Label) -> Puk:
    """The card said no to something else, and compared nothing.

    The try that was feared is given back, once for each time that the value was sent.
    """
    candidate = _of(puk, label)
    if label is not Label.TYPED and (candidate is None or not candidate.unanswered):
        raise OutOfOrder(OUT_OF_ORDER, f"{label} was not sent")
    puk = replace(puk, left=min(puk.left + 1, TRIES))
    if candidate is None:
        return puk
    as_before = replace(
        candidate,
        unanswered=max(candidate.unanswered - 1, 0),
        is_set_aside=label is Label.PENDING,
    )
    return _with(puk, label, as_before)


def taken(puk: Puk, label: Label) -> Puk:
    """The card took the value, and the PIN it set was verified."""
    event = {
        Label.PENDING: PukEvent.NEW_TAKEN,
        Label.CURRENT: PukEvent.OLD_TAKEN,
        Label.TYPED: PukEvent.TYPED,
    }[label]
    puk = replace(_advanced(puk, event), left=TRIES)
    if label is Label.TYPED:
        return puk
    return replace(puk, current=Candidate(), pending=None)


def replaced(puk: Puk) -> Puk:
    """The card confirmed the new value."""
    known = _advanced(puk, PukEvent.REPLACED).known
    return Puk(known=known, current=Candidate())


def new_refused(puk: Puk, label: Label) -> Puk:
    """The card, asked to replace the value of `label`, does not take the new one.

    Where the new one may be there already (it was to replace itself, or it was sent
    before, and no answer was heard), the other is asked first. Where it must be, it
    is what the card has.
    """
    puk = unheard(puk, label)
    if label is not Label.PENDING:
        puk = _not_placed(puk)
        if puk.pending is None:
            return puk
        return replace(puk, pending=replace(puk.pending, is_set_aside=True))
    if Label.CURRENT in puk.remaining():
        return puk
    puk = _advanced(puk, PukEvent.NEW_TAKEN)
    return replace(puk, current=Candidate(), pending=None)


# --- parts -------------------------------------------------------------------


def _not_placed(puk: Puk) -> Puk:
    """The new value did not get there by one sending; it is kept if by none.

    That is not known of one whose answer was not heard: the card may have it since.
    """
    new = puk.pending
    if new is not None and new.placings > 1:
        return replace(puk, pending=replace(new, placings=new.placings - 1))
    return replace(_advanced(puk, PukEvent.NEW_REFUSED), pending=None)


def _sending(puk: Puk, label: Label, told: int | None) -> Puk:
    left = puk.left if told is None else told
    puk = replace(puk, left=max(left - 1, 0))
    candidate = _of(puk, label)
    if candidate is None:
        return puk
    sent = replace(candidate, unanswered=candidate.unanswered + 1)
    return _with(puk, label, sent)


def _of(puk: Puk, label: Label) -> Candidate | None:
    if label is Label.TYPED:
        return None
    return puk.pending if label is Label.PENDING else puk.current


def _with(puk: Puk, label: Label, candidate: Candidate) -> Puk:
    if label is Label.PENDING:
        return replace(puk, pending=candidate)
    return replace(puk, current=candidate)


def _advanced(puk: Puk, event: PukEvent) -> Puk:
    known = advance(puk.known, event)
    if isinstance(known, Refusal):
        raise OutOfOrder(known, f"{event} is not possible: {puk.known}")
    return replace(puk, known=known)

"""Which card lies in the reader, who had it before, and what may open it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from kiosk.authority.office.card_values import Openers, Predecessor
from kiosk.authority.office.ports import Office
from kiosk.cards.errors import UNUSABLE
from kiosk.cards.piv.application import PivApplication
from kiosk.cards.piv.identity import identify
from kiosk.cards.values import CardIdentity, Family, IdentityKind
from kiosk.core.secret import Secret
from kiosk.enrollment import secrets
from kiosk.enrollment.possession import Candidates, NoNotes, Notes, PukCandidate
from statemachine.candidates import Label

_GIVEN = (IdentityKind.GUID, IdentityKind.CARD_ID)
"""What a personalisation gives a card as its name."""


def identity(application: PivApplication) -> CardIdentity | None:
    """Return which card this is; None: a blank one without any identity."""
    try:
        return identify(application)
    except UNUSABLE:
        return None


def card_key(known: CardIdentity | None, guid: bytes) -> str:
    """Return the identity key the card will have."""
    if known is not None and known.kind is IdentityKind.SERIAL:
        return known.key
    return CardIdentity(Family.PIV, IdentityKind.GUID, guid).key


def last_retired(office: Office, known: CardIdentity | None) -> Predecessor | None:
    """Return the last retired credential of this card. AlreadyOnRecord."""
    return office.predecessor(known.key) if known is not None else None


def name_begun(
    known: CardIdentity | None, predecessor: Predecessor | None
) -> bytes | None:
    """Return the name that a personalisation which did not end has given the card.

    It is kept: the record that is taken up again is found by it, whatever happens next.
    """
    if known is None or predecessor is None or not predecessor.is_unfinished:
        return None
    return known.value if known.kind in _GIVEN else None


@contextmanager
def openers_of(office: Office, predecessor: Predecessor) -> Iterator[Openers]:
    """Yield what the escrow has to open a retired card; wiped afterwards."""
    found = office.openers(predecessor.id)
    try:
        yield found
    finally:
        found.wipe()


@contextmanager
def candidates_of(
    office: Office, predecessor: Predecessor | None
) -> Iterator[Candidates]:
    """Yield what may open the card: our escrow's secrets, then the factory's.

    Of our PUKs, only those that the card has not refused.
    """
    found = Candidates()
    factory: Notes = NoNotes()
    try:
        if predecessor is not None:
            factory = _Notes(office, predecessor.id, Label.TYPED)
            with openers_of(office, predecessor) as kept:
                found.tries = kept.puk_left
                for each in kept.puks:
                    notes = _Notes(office, predecessor.id, each.label)
                    found.puks.append(PukCandidate(each.secret.copy(), notes))
                if kept.admin_key is not None:
                    found.management += secrets.split(kept.admin_key)
        found.add_factory(factory)
        yield found
    finally:
        found.wipe()


def admin_keys_in(openers: Openers) -> list[Secret]:
    """Return the administrator keys that a card may have, likeliest first."""
    keys = (openers.admin_key, openers.admin_key_before)
    return [key for key in keys if key is not None]


class _Notes:
    """`possession.Notes` in the record of a retired credential.

    The factory's PUK is none that we keep: it is written down like a typed one.
    """

    def __init__(self, office: Office, credential: str, label: Label) -> None:
        self._office = office
        self._credential = credential
        self._label = label

    def sending(self) -> None:
        self._office.puk_sent(self._credential, self._label)

    def refused(self, left: int | None) -> None:
        self._office.puk_refused(self._credential, self._label, left)

    def taken(self) -> None:
        self._office.puk_taken(self._credential, self._label)

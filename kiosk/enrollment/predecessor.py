"""Which card lies in the reader, who had it before, and what may open it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from kiosk.authority.escrow import puk_unblock, puks
from kiosk.authority.office.desk import Desk
from kiosk.cards.piv.application import PivApplication
from kiosk.cards.piv.identity import identify
from kiosk.cards.ports import UNUSABLE, CardIdentity, Family, IdentityKind
from kiosk.core.secret import Secret
from kiosk.enrollment import secrets
from kiosk.enrollment.importing import AlreadyOnRecord
from kiosk.enrollment.possession import Candidates, NoNotes, Notes, PukCandidate
from statemachine import candidates
from statemachine.candidates import Label, Puk
from statemachine.lifecycle import State
from storage.records import Credential
from storage.registry import Tx
from storage.view import View

_EARLIER = 1_000
"""How often one card may have been issued before."""

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


def last_retired(desk: Desk, known: CardIdentity | None) -> Credential | None:
    """Return the last retired credential of this card. AlreadyOnRecord."""
    if known is None:
        return None

    def read(view: View) -> list[Credential]:
        live = view.credential_by_card(known.key)
        if live is not None:
            raise AlreadyOnRecord(credential=live.id)
        return view.credentials(card=known.key, state=State.RETIRED, limit=_EARLIER)

    retired = desk.parts.registry.read(read)
    return max(retired, key=lambda each: each.issued_at, default=None)


def is_unfinished(retired: Credential) -> bool:
    """Say whether a personalisation ended before its keys went on record."""
    has_key = retired.authentication_key is not None
    return not has_key and not retired.migrated and retired.pin_changed_at is None


def name_begun(
    known: CardIdentity | None, predecessor: Credential | None
) -> bytes | None:
    """Return the name that a personalisation which did not end has given the card.

    It is kept: the record that is taken up again is found by it, whatever happens next.
    """
    if known is None or predecessor is None or not is_unfinished(predecessor):
        return None
    return known.value if known.kind in _GIVEN else None


@contextmanager
def candidates_of(desk: Desk, predecessor: Credential | None) -> Iterator[Candidates]:
    """Yield what may open the card: our escrow's secrets, then the factory's.

    Of our PUKs, only those that the card has not refused.
    """
    found = Candidates()
    factory: Notes = NoNotes()
    try:
        if predecessor is not None:
            name = predecessor.id
            factory = _Notes(desk, name, Label.TYPED)
            puk = puks.of(predecessor.escrow)
            found.tries = puk.left
            for label in puk.remaining():
                secret = puk_unblock.value(desk.parts, predecessor, label)
                notes = _Notes(desk, name, label)
                found.puks.append(PukCandidate(secret, notes))
            if envelope := predecessor.admin_key_sealed:
                field = secrets.ADMIN_KEY
                with secrets.unseal(desk.parts, name, field, envelope) as joined:
                    found.management += secrets.split(joined)
        found.add_factory(factory)
        yield found
    finally:
        found.wipe()


def admin_keys_of(desk: Desk, credential: Credential) -> list[Secret]:
    """Return the administrator keys that a card may have, likeliest first.

    The caller wipes them.
    """
    envelopes = {
        secrets.ADMIN_KEY: credential.admin_key_sealed,
        secrets.ADMIN_KEY_BEFORE: credential.admin_key_before_sealed,
    }
    return [
        secrets.unseal(desk.parts, credential.id, field, envelope)
        for field, envelope in envelopes.items()
        if envelope
    ]


class _Notes:
    """`possession.Notes` in the record of a retired credential.

    The factory's PUK is none that we keep: it is written down like a typed one.
    """

    def __init__(self, desk: Desk, credential: str, label: Label) -> None:
        self._desk = desk
        self._credential = credential
        self._label = label

    def sending(self) -> None:
        if self._label is Label.TYPED:
            self._write(lambda it: candidates.typing(it, None))
        else:
            self._write(lambda it: candidates.released(it, self._label, None))

    def refused(self, left: int | None) -> None:
        self._write(lambda it: candidates.refused(it, self._label, left))

    def taken(self) -> None:
        is_new = self._label is Label.PENDING
        self._write(lambda it: candidates.taken(it, self._label), promotes=is_new)

    def _write(self, change: Callable[[Puk], Puk], *, promotes: bool = False) -> None:
        parts = self._desk.parts

        def commit(tx: Tx) -> None:
            current = tx.credential(self._credential)
            tx.save_credential(
                puk_unblock.changed(parts, current, change, promotes=promotes)
            )

        parts.registry.run(commit)

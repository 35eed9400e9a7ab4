"""Which card lies in the reader, who had it before, and what may open it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from kiosk.cards.piv.application import PivApplication
from kiosk.cards.piv.identity import identify
from kiosk.cards.ports import UNUSABLE, CardIdentity, Family, IdentityKind
from kiosk.enrollment import secrets
from kiosk.enrollment.desk import Desk
from kiosk.enrollment.possession import Candidates
from kiosk.enrollment.takeover import AlreadyOnRecord
from statemachine.lifecycle import State
from storage.records import Credential
from storage.registry import Tx


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

    def read(tx: Tx) -> list[Credential]:
        live = tx.credential_by_card(known.key)
        if live is not None:
            raise AlreadyOnRecord(credential=live.id)
        return tx.credentials(state=State.RETIRED)

    retired = [each for each in desk.parts.registry.run(read) if each.card == known.key]
    return max(retired, key=lambda each: each.issued_at, default=None)


@contextmanager
def candidates_of(desk: Desk, predecessor: Credential | None) -> Iterator[Candidates]:
    """Yield what may open the card: our escrow's secrets, then the factory's."""
    candidates = Candidates()
    try:
        if predecessor is not None:
            escrow, name = predecessor.escrow, predecessor.id
            for field, envelope in (
                (secrets.PENDING_PUK, escrow.pending_sealed),
                (secrets.CURRENT_PUK, escrow.current_sealed),
            ):
                if envelope:
                    puk = secrets.unseal(desk.parts, name, field, envelope)
                    candidates.puks.append(puk)
            if envelope := predecessor.admin_key_sealed:
                field = secrets.ADMIN_KEY
                with secrets.unseal(desk.parts, name, field, envelope) as joined:
                    candidates.management += secrets.split(joined)
        candidates.add_factory()
        yield candidates
    finally:
        candidates.wipe()

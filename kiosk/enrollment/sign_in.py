"""An operator's own card at a desk: its PIN is typed once, and it signs a nonce."""

from __future__ import annotations

from kiosk.authority.office.ports import Office, OfficeAuthority
from kiosk.authority.office.values import (
    SignInProof,
)
from kiosk.cards.ports import Card
from kiosk.cards.values import KeyAlgorithm, KeySlot
from kiosk.core.secret import Secret
from kiosk.enrollment.presenting import present


def with_card(authority: OfficeAuthority, card: Card, pin: Secret | None) -> Office:
    """Sign in with the operator's own card. One try at the PIN, never the last.

    `pin` is None where it is typed at the reader's own keys. SignInRefused, NoRole,
    CardError, ProofFailed, DirectoryError.
    """
    recognised = card.recognise()
    asked = authority.sign_in_challenge(
        recognised.identity.key, recognised.pin_tries.left
    )
    with card.session(recognised.identity) as session:
        present(session, recognised, pin)
        signed = session.sign(
            KeySlot(asked.key_slot), KeyAlgorithm(asked.key_algorithm), asked.message
        )
    return authority.sign_in_by_card(
        SignInProof(credential=asked.credential, nonce=asked.nonce, signature=signed)
    )

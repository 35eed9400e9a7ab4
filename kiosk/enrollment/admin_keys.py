"""An administrator key goes on record: only after the card has shown that it has it."""

from __future__ import annotations

from typing import Protocol

from msgspec.structs import replace

from kiosk.authority.escrow import admin_key, admin_unblock
from kiosk.authority.escrow.escrowed_secrets import seal_field
from kiosk.authority.office.desk import Desk, drafted, is_own_card, refuse
from kiosk.authority.office.operators import Action, require
from kiosk.authority.ports import ProofFailed, Refused
from kiosk.cards.ports import Card, WrongAdminKey
from kiosk.core.entropy import Entropy
from kiosk.core.errors import Message
from kiosk.core.secret import Secret
from storage.records import Credential
from storage.registry import Tx

FACTORY = bytes(admin_key.KEY_BYTES)
"""What cards leave the factory with: known to everybody."""
KEPT = "credential.admin_key_kept"
"""The audit event: a card has shown that it has the key in escrow."""


class Mutual(Protocol):
    """What authenticates mutually: a session with a card, or its application."""

    def begin_mutual(self, challenge: bytes) -> bytes:
        """Send our challenge, return the card's (16 bytes each). NotSupported."""

    def end_mutual(self, cryptogram: bytes) -> bytes:
        """Send our proof, return the card's (40 bytes). WrongAdminKey."""


def keep(desk: Desk, card: Card, credential: Credential, key: Secret) -> Credential:
    """Escrow the key (24 bytes) of the card in the reader.

    The card is asked once, by mutual authentication: a wrong key may count on it.
    NotInRole, Refused, CardError, ProofFailed, WrongAdminKey.
    """
    require(desk.operator, Action.IMPORT)
    if is_own_card(desk, credential):
        reason = Message("refusal.own_card")
        refuse(desk, "credential.admin_key_refused", credential.id, reason)
    if key.reveal() == FACTORY:
        raise Refused(Message("enrollment.admin_key_factory"))
    _prove(desk, card, credential, key)
    sealed = seal_field(desk.parts, credential.id, admin_unblock.FIELD, key)
    noted = drafted(desk, KEPT, credential.id, "", {})

    def commit(tx: Tx) -> Credential:
        noted(tx)
        current = tx.credential(credential.id)
        return tx.save_credential(replace(current, admin_key_sealed=sealed))

    return desk.parts.registry.run(commit)


def _prove(desk: Desk, card: Card, credential: Credential, key: Secret) -> None:
    recognised = card.recognise()
    if recognised.identity.key != credential.card:
        raise Refused(Message("enrollment.another_card"))
    with card.session(recognised.identity) as session:
        authenticate(session, key, desk.parts.entropy)


def authenticate(card: Mutual, key: Secret, entropy: Entropy) -> None:
    """Have card and caller prove to each other that they hold the key.

    A wrong key may count on the card. ProofFailed (the card mirrors), WrongAdminKey,
    NotSupported.
    """
    ours = entropy.bytes(admin_key.MUTUAL_BYTES)
    cards = card.begin_mutual(ours)
    if len(cards) != admin_key.MUTUAL_BYTES or admin_key.is_mirrored(ours, cards):
        raise ProofFailed
    answered = card.end_mutual(admin_key.prove(key, ours, cards, entropy))
    if not admin_key.is_proven(key, ours, cards, answered):
        raise WrongAdminKey

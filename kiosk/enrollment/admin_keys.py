"""A card's administrator key: card and caller show each other that they have it."""

from __future__ import annotations

from typing import Protocol

from kiosk.authority.errors import ProofFailed, Refused
from kiosk.authority.escrow import admin_key
from kiosk.cards.errors import WrongAdminKey
from kiosk.cards.ports import Card
from kiosk.core.entropy import Entropy
from kiosk.core.errors import Message
from kiosk.core.secret import Secret
from kiosk.enrollment.bench import Bench
from storage.records import Credential


class Mutual(Protocol):
    """What authenticates mutually: a session with a card, or its application."""

    def begin_mutual(self, challenge: bytes) -> bytes:
        """Send our challenge, return the card's (16 bytes each). NotSupported."""

    def end_mutual(self, cryptogram: bytes) -> bytes:
        """Send our proof, return the card's (40 bytes). WrongAdminKey."""


def keep(bench: Bench, card: Card, credential: Credential, key: Secret) -> Credential:
    """Escrow the key (24 bytes) of the card in the reader.

    The card is asked once, by mutual authentication: a wrong key may count on it.
    NotInRole, Refused, CardError, ProofFailed, WrongAdminKey.
    """
    bench.office.judge_admin_key(credential.id, key)
    recognised = card.recognise()
    if recognised.identity.key != credential.card:
        raise Refused(Message("enrollment.another_card"))
    with card.session(recognised.identity) as session:
        authenticate(session, key, bench.entropy)
    return bench.office.keep_admin_key(credential.id, key)


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

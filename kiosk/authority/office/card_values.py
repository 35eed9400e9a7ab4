"""What the office is asked while a card is worked on, and what it answers.

The card work is done where the card is; what is put on record, and what opens a card,
is the office's. Secrets are wiped by whoever holds them.
"""

from __future__ import annotations

from enum import StrEnum

from kiosk.authority.office.values import (
    Holder,
)
from kiosk.authority.values import PukTry, Value
from kiosk.core.secret import Secret
from storage.records import ImportedPuk, PublicKey, Template

# --- what is wanted ----------------------------------------------------------


class ImportWay(StrEnum):
    """How it is settled which key signs for the holder."""

    SIGNATURE = "signature"
    """The holder types the PIN, the card signs a nonce."""
    PROPOSED = "proposed"
    """Its certificate is believed; keyless until a second officer confirms it."""
    KEYLESS = "keyless"
    """No key at all: what the template's keyless exception says applies."""


class CardImport(Value, frozen=True, kw_only=True):
    """What an officer wants to import."""

    account: str
    """userPrincipalName or account name of the holder."""
    template: str
    way: ImportWay = ImportWay.SIGNATURE
    puk: ImportedPuk | None = None
    """What the officer says of its PUK; None: what the template says."""


class JudgedOrder(Value, frozen=True, kw_only=True):
    """A card may be put on record so: for whom, and as what."""

    credential: str
    """The id that it will have."""
    holder: Holder
    template: Template


# --- proofs ------------------------------------------------------------------


class KeyChallenge(Value, frozen=True, kw_only=True):
    """What a card signs to prove that it holds a key."""

    nonce: bytes
    message: bytes


class ProvenKey(Value, frozen=True, kw_only=True):
    """A key, and the card's signature of a challenge. Judged when it is recorded."""

    key: PublicKey
    nonce: bytes
    signature: bytes


# --- issuing -----------------------------------------------------------------


class Predecessor(Value, frozen=True, kw_only=True):
    """The last credential of a card, which is retired."""

    id: str
    account_guid: str
    keys: tuple[PublicKey, ...]
    is_unfinished: bool
    """A personalisation ended before its keys went on record."""
    forms_refused: int
    """How many new PUKs the card has definitely not taken."""


class Openers(Value, frozen=True, kw_only=True):
    """What may open a retired card, out of the escrow."""

    puks: tuple[PukTry, ...]
    """That the card has not refused, likeliest first."""
    puk_left: int
    """Tries at its PUK left at worst, by the record."""
    admin_key: Secret | None
    admin_key_before: Secret | None
    """Of a personalisation that did not end: what the card had before it."""
    transport_pin: Secret | None
    """Of a personalisation that did not end: what it was about to set."""

    def wipe(self) -> None:
        """Wipe them all."""
        for puk in self.puks:
            puk.secret.wipe()
        for each in (self.admin_key, self.admin_key_before, self.transport_pin):
            if each is not None:
                each.wipe()


class CardOpening(Value, frozen=True, kw_only=True):
    """What opens a card before and after: kept before anything on it is changed."""

    puk_before: Secret | None = None
    puk_after: Secret | None = None
    admin_key: Secret | None = None
    admin_key_before: Secret | None = None
    transport_pin: Secret | None = None
    """Where the token has it already."""


class BeginIssue(Value, frozen=True, kw_only=True):
    """A card in the reader is to be personalised now."""

    credential: str
    """As the order was judged; a predecessor that is unfinished keeps its own."""
    holder: str
    """objectGUID."""
    template: str
    template_version: int
    card: str
    """The identity key that it has, or will have."""
    predecessor: str
    """Its last credential; empty: it had none."""
    expires_at: float
    """Seconds UTC."""
    opening: CardOpening


class FinishIssue(Value, frozen=True, kw_only=True):
    """A card has been personalised: its keys, and what opens it from now."""

    credential: str
    own: ProvenKey
    """The holder's key."""
    card_key: ProvenKey | None
    """That the card signs with without a PIN; None: it has none."""
    expires_at: float
    """Seconds UTC."""
    pin: Secret
    """Its first; kept where the template says that the escrow shall have it."""
    puk: Secret | None = None
    admin_key: Secret | None = None
    has_shown_admin_key: bool = False
    """The card has authenticated with the new administrator key."""


# --- importing ---------------------------------------------------------------


class SeenPuk(Value, frozen=True, kw_only=True):
    """What a card tells of its PUK."""

    is_default: bool | None
    left: int | None


class ImportedCard(Value, frozen=True, kw_only=True):
    """A card from elsewhere, as it was looked at; or only its certificate."""

    order: CardImport
    credential: str
    """As the order was judged."""
    card: str
    """Its identity key."""
    key: PublicKey | None
    """The holder's, as its certificate says; None: keyless."""
    own: ProvenKey | None = None
    """It has signed; None: its certificate alone is there."""
    card_key: ProvenKey | None = None
    """The card has signed without a PIN."""
    puk: SeenPuk | None = None

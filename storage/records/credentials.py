"""Records of credentials: cards, their keys, and what is known of both."""

from __future__ import annotations

from enum import StrEnum

from statemachine.candidates import TRIES
from statemachine.lifecycle import State
from statemachine.puk import Known
from storage.records.record import Record


class Sync(StrEnum):
    """What is known of card PIN and directory password."""

    NEVER = "never synchronised"
    IN_STEP = "in step"
    OUT_OF_STEP = "out of step"
    NOT_SYNCHRONISED = "not synchronised"


class PublicKey(Record, frozen=True, kw_only=True):
    """A key on record. Signatures are verified with this, never with a client's."""

    slot: str
    algorithm: str
    spki: bytes
    """DER SubjectPublicKeyInfo (RFC 5280 §4.1)."""
    certificate: bytes = b""
    """DER certificate the key was taken from; empty if none."""


class PasswordMark(Record, frozen=True, kw_only=True):
    """Who last set a password in the directory: its replication metadata."""

    version: int
    """Raised by one at each set, by whomever."""
    origin: str
    """invocationId of the DC that set it."""
    usn: int
    """That DC's own number of the change."""


class LastSync(Record, frozen=True, kw_only=True):
    """The directory's own mark of our last write."""

    at: float
    dc: str
    pwd_last_set: int
    """`pwdLastSet` on `dc` after the write (100 ns since 1601)."""
    mark: PasswordMark | None = None
    """None: it could not be read, so `pwd_last_set` alone tells."""


class Escrow(Record, frozen=True, kw_only=True):
    """The PUK the authority keeps for a card, and everything known of it.

    `kiosk.authority.escrow.puks` reads and writes it as `statemachine.candidates.Puk`.
    """

    known: Known | None = None
    """None: written before this was kept; then the other fields say it."""
    current_sealed: str = ""
    """What the card had, or has. Empty for the factory's, which is no secret."""
    current_unanswered: int = 0
    current_refused: bool = False
    pending_sealed: str = ""
    """Sent to the card as the new one, or about to be, and not yet confirmed."""
    pending_unanswered: int = 0
    pending_refused: bool = False
    pending_set_aside: bool = False
    pending_placings: int = 1
    left: int = TRIES
    """Tries at the PUK that are left at worst."""
    forms_refused: int = 0
    """How many new PUKs the card has definitely not taken: after the first, digits."""
    exposed: bool = False
    """Only where `known` is None: the current one has left the authority."""
    wrong_tries: int = 0
    """Only where `known` is None: wrong answers since the last right one."""


class Credential(Record, frozen=True, kw_only=True):
    """A card as the registry knows it."""

    id: str
    card: str
    """Identity key, e.g. `piv:guid:00112233…`; unique."""
    holder: str
    account: str
    """Account name as last seen (userPrincipalName or DOMAIN\\name)."""
    account_guid: str
    """objectGUID, lower-case hyphenated; the only key to the directory."""
    template: str
    template_version: int
    state: State
    suspended_from: State | None = None
    sync: Sync = Sync.NEVER
    sync_reason: str = ""
    """Catalogue key that says why, when out of step or not synchronised."""
    authentication_key: PublicKey | None = None
    """None: keyless (migrated)."""
    card_authentication_key: PublicKey | None = None
    """9E or its like: proves the card without a PIN."""
    last_sync: LastSync | None = None
    pin_changed_at: float | None = None
    pin_history_sealed: str = ""
    """Slow hashes of earlier PINs, encrypted: `kiosk.authority.rules.pin_history`."""
    escrow: Escrow = Escrow()
    transport_pin_sealed: str = ""
    admin_key_sealed: str = ""
    admin_key_before_sealed: str = ""
    """The key of a card whose personalisation has not ended yet: what it had before."""
    activation_interrupted: bool = False
    """`card_changing` was reached in an activation that did not end well."""
    migrated: bool = False
    issued_at: float = 0.0
    expires_at: float | None = None
    version: int = 0

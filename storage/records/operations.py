"""Records of what is under way: operations, nonces, codes, repeated calls."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from statemachine.operation import Kind, Phase, Route
from storage.records.credentials import PasswordMark
from storage.records.record import Record
from storage.records.templates import UnblockMethod


class Authorisation(StrEnum):
    """What allowed the directory write."""

    NONE = "none"
    SIGNATURE = "signature"
    KEYLESS = "keyless exception"


class Operation(Record, frozen=True, kw_only=True):
    """One PIN operation; holds no secret and nothing derived from a short one."""

    id: str
    event: str
    """The number a person can read out to the helpdesk."""
    kind: Kind
    credential: str
    account_guid: str
    station: str
    phase: Phase
    password_follows: bool
    route: Route | None = None
    """Which way it goes through its table; None: of an older registry."""
    reason: str = ""
    """Catalogue key of why it ended, or why the password does not follow."""
    authorisation: Authorisation = Authorisation.NONE
    sealed_digest: bytes = b""
    """SHA-256 of the sealed value the signature covers."""
    authorised_until: float | None = None
    written: bool = False
    """The one write of this authorisation has been sent."""
    writing_until: float | None = None
    """LDAP deadline plus a margin: until then nobody supersedes it."""
    dc: str = ""
    pwd_last_set_before: int | None = None
    """On `dc`, when the operation was prepared; then directly before the write."""
    mark_before: PasswordMark | None = None
    """The same; None: it could not be read."""
    honours_history: bool = False
    """Prepared on a domain controller that checks the history: it is written on none
    that does not."""
    rules: bytes = b""
    """The rules the PIN was asked for with (JSON); checked again when authorised."""
    method: UnblockMethod | None = msgspec.field(default=None, name="way")
    """How the card's PIN is set anew, where the old one is not known."""
    sealing_key: str = ""
    """Id of the authority's key to which the value is sealed; empty: of the process
    that prepared it."""
    code_wanted: bool = True
    """That method needs a helpdesk's release code."""
    admin_challenges: bytes = b""
    """Ours (16 bytes), then the card's (16), of a mutual authentication."""
    card_proven: bool = False
    """The card on record has signed in this operation."""
    new_puk_in_doubt: bool = False
    """The card said no to a new PUK that it may have already: none is sent again."""
    puk_released: bool = False
    """What sets a PIN may be handed out to it, one value after the other."""
    approvals: tuple[str, ...] = ()
    """Ids of the codes that were redeemed for it."""
    started_at: float = 0.0
    moved_at: float = 0.0
    """When it came to its phase."""
    ended_at: float | None = None
    version: int = 0

    @property
    def is_unsure(self) -> bool:
        """Its write was sent, and nobody knows what became of it."""
        return self.written and self.phase is Phase.OUT_OF_STEP


class NoncePurpose(StrEnum):
    """What a signature over the nonce will mean."""

    OPERATION = "operation"
    PRESENCE = "presence"
    SIGN_IN = "sign in"


class Nonce(Record, frozen=True, kw_only=True):
    """32 random bytes that are accepted at most once, ever."""

    value: bytes
    purpose: NoncePurpose
    bound_to: str
    """Operation id, or for a presence proof the credential id."""
    station: str
    expires_at: float


class ApprovalKind(StrEnum):
    """What a code allows."""

    RELEASE = "release"
    ACTIVATION = "activation"


class Approval(Record, frozen=True, kw_only=True):
    """A code somebody may type once. The code itself is never stored."""

    id: str
    kind: ApprovalKind
    credential: str
    salt: bytes
    digest: bytes
    """scrypt of the code, keyed by the vault."""
    issued_by: str
    issued_at: float
    expires_at: float
    last_try: bool = False
    """Whoever gave it knows that one try may be left, and that it may be spent."""
    wrong_entries: int = 0
    redeemed_by: str = ""
    """Operation id the code is bound to; it may resume after a pulled card."""
    spent: bool = False
    version: int = 0


class Repeat(Record, frozen=True, kw_only=True):
    """A call that had an effect, and its answer: the call may come again, the effect
    may not. Saved in the transaction of the effect.
    """

    station: str
    key: str
    """The caller's own name for the call, unique at its station."""
    request: bytes
    """A keyed digest (32 bytes) of what was asked: a typed code is short. The same key
    with another request is no repeat."""
    answer: str
    """JSON, with an envelope of the vault for every secret in it."""
    at: float

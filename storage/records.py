"""The records of the registry: frozen values, strict about unknown fields.

Times are seconds since 1970 UTC. `version` counts saves of a record and is
compared on the next one (optimistic concurrency); a new record has version 0.
Fields named `…_sealed` hold an envelope of the vault, never a plain secret.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from statemachine.candidates import TRIES
from statemachine.lifecycle import State
from statemachine.operation import Kind, Phase, Route
from statemachine.puk import Known


class Record(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of all records: immutable; change one with `msgspec.structs.replace`."""


# --- templates ---------------------------------------------------------------


class CardType(StrEnum):
    """Which family of cards a template is for."""

    PIV = "piv"
    GIDS = "gids"
    PKCS11 = "pkcs11"


class CardAccess(StrEnum):
    """By what a kiosk speaks to a card that it could speak to by itself."""

    NATIVE = "native"
    MIDDLEWARE = "middleware"
    IF_POSSIBLE = "middleware if possible"


class PinAlphabet(StrEnum):
    """Which characters a PIN may have."""

    DIGITS = "digits"
    PRINTABLE = "printable"


class FirstPin(StrEnum):
    """How the first PIN of a new card is authorised."""

    TRANSPORT_PIN = "transport pin"
    ACTIVATION_CODE = "activation code"


class UnblockWay(StrEnum):
    """What authorises an unblock."""

    RELEASE_CODE = "release code"
    HOLDER_PUK = "holder puk"
    ADMIN_KEY_ONLINE = "admin key online"
    ADMIN_KEY_PHONE = "admin key by phone"


class ImportedPuk(StrEnum):
    """What is said of the PUK of a card that was issued elsewhere."""

    UNKNOWN = "unknown"
    FACTORY = "factory"
    HOLDERS = "holder"


class Keyless(StrEnum):
    """May a credential with no authentication key on record sync unsigned?"""

    OFF = "off"
    WITH_RELEASE = "with helpdesk release"
    WITHOUT = "without"


class PinPolicy(Record, frozen=True, kw_only=True):
    """A named part of a template: what a PIN must be, and where it goes."""

    name: str = "default"
    update_ad_password: bool = True
    minimum: int = 6
    maximum: int = 8
    alphabet: PinAlphabet = PinAlphabet.DIGITS
    required_classes: int = 0
    """Of upper, lower, digit, special: how many must occur (0–4)."""
    history: int = 0
    """How many earlier PINs may not return (0: only the present one)."""
    refuse_weak: bool = True
    refuse_account_name: bool = True
    expiry_days: int = 0
    """How many days after it was set a PIN has to be changed (0: never)."""
    reminder_days: tuple[int, ...] = (14, 7, 3, 1)
    """How many days before that the holder is reminded at the kiosk."""


class Template(Record, frozen=True, kw_only=True):
    """What a class of credentials may do. Saved versions are never changed."""

    name: str
    version: int = 0
    card_type: CardType = CardType.PIV
    self_service: bool = True
    card_access: CardAccess = CardAccess.NATIVE
    pin_policy: PinPolicy = PinPolicy()
    apply_pin_policy: bool = True
    first_pin: FirstPin = FirstPin.TRANSPORT_PIN
    activation_code_days: int = 14
    unblock: tuple[UnblockWay, ...] = (UnblockWay.RELEASE_CODE,)
    imported_puk: ImportedPuk = ImportedPuk.UNKNOWN
    """What imported cards have, where neither import nor card says it."""
    key_slot: str = "9A"
    key_algorithm: str = "P-256"
    keyless: Keyless = Keyless.OFF
    allow_smart_card_required: bool = False
    allow_pinpad: bool = False
    """May a PIN be set at a reader's own keys, which leaves the password as it is?"""
    honour_directory_history: bool = False
    """A reset obeys the directory's history and minimum age, where a domain controller
    can be asked to."""


# --- credentials -------------------------------------------------------------


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


# --- operations, nonces, approvals -------------------------------------------


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
    way: UnblockWay | None = None
    """How the card's PIN is set anew, where the old one is not known."""
    sealing_key: str = ""
    """Id of the authority's key to which the value is sealed; empty: of the process
    that prepared it."""
    code_wanted: bool = True
    """That way needs a helpdesk's release code."""
    admin_challenges: bytes = b""
    """Ours (16 bytes), then the card's (16), of a mutual authentication."""
    card_proven: bool = False
    """The card on record has signed in this operation."""
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


# --- a fleet -----------------------------------------------------------------


class StationStanding(StrEnum):
    """Whether a station is heard."""

    ACTIVE = "active"
    REVOKED = "revoked"


class StationRecord(Record, frozen=True, kw_only=True):
    """A station of the fleet, by the key that signs for it."""

    id: str
    """What it signs as, and its name in operations and evidence. Never changed."""
    name: str
    """What people call it."""
    role: str
    """Who stands there: `kiosk.config.sections.station.StationRole`."""
    algorithm: str
    public_key: bytes
    state: StationStanding = StationStanding.ACTIVE
    enrolled_at: float
    enrolled_by: str
    """The operator who gave it its token."""
    last_seen: float = 0.0
    """To the minute; 0: never."""
    program: str = ""
    """The version of the program that runs there, as it says itself."""
    version: int = 0


class EnrollmentToken(Record, frozen=True, kw_only=True):
    """What lets one station enrol, once. The token itself is never stored."""

    id: str
    """A keyed digest of the token, hex."""
    station: str
    role: str
    issued_by: str
    issued_at: float
    expires_at: float
    used_by: bytes = b""
    """SHA-256 of the public key that was enrolled with it; empty: it is not used."""
    void: bool = False
    """The registry was put back since: it may have been used."""
    version: int = 0


class Frequency(Record, frozen=True, kw_only=True):
    """How often something happened lately. What it was is in the id."""

    id: str
    count: int
    since: float
    """When the first of these was."""
    at: float
    """When the last one was."""

    def is_over(self, now: float, *, within: float, idle: float | None) -> bool:
        """Say whether the next one begins anew: see `registry.Tx.add_one`."""
        rested = idle is not None and abs(now - self.at) > idle
        return rested or abs(now - self.since) > within


def one_more(
    found: Frequency | None, id: str, now: float, within: float, idle: float | None
) -> Frequency:
    """Return a frequency with one more: see `registry.Tx.add_one`."""
    if found is None or found.is_over(now, within=within, idle=idle):
        return Frequency(id=id, count=1, since=now, at=now)
    return Frequency(id=id, count=found.count + 1, since=found.since, at=now)


class SealingKeyRecord(Record, frozen=True, kw_only=True):
    """A key of the authority to which stations seal what people typed."""

    id: str
    public: bytes
    """X25519, raw (32 bytes)."""
    private_sealed: str
    made_at: float


# --- audit -------------------------------------------------------------------


class AuditDraft(Record, frozen=True, kw_only=True):
    """What happened, before it has its place in the chain."""

    at: float
    station: str
    kind: str
    """Event name, e.g. `lifecycle.activate`, `operation.refused`."""
    actor: str
    """Who: `holder`, `card`, or an operator's account."""
    credential: str = ""
    operation: str = ""
    result: str = ""
    """Catalogue key or short code."""
    data: dict[str, str] = {}


class AuditEvent(AuditDraft, frozen=True, kw_only=True):
    """A link of one chain."""

    chain: str | msgspec.UnsetType = msgspec.UNSET
    """Which one. Not there at all: its station's, as where each station has its own."""
    seq: int
    previous: str
    """Hash of the link before, hex SHA-256; 64 zeros for the first."""
    hash: str
    """SHA-256 over the canonical JSON of everything else, hex."""

    @property
    def lane(self) -> str:
        """The chain that this is a link of."""
        return self.station if self.chain is msgspec.UNSET else self.chain

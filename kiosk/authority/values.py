"""What a visit asks the authority, and what it is answered."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from kiosk.core.errors import Message
from kiosk.core.secret import Secret
from kiosk.pin.alphabet import Alphabet
from kiosk.pin.rules import PinRules
from statemachine.candidates import Label
from statemachine.lifecycle import State
from statemachine.operation import Kind, Phase
from storage.known_types import known
from storage.records import Sync, UnblockMethod


class Value(msgspec.Struct, frozen=True, kw_only=True):
    """Base of requests and replies."""


class StationRequest(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of requests alone: what a newer station asks for besides is refused."""


def wipe(answer: object) -> None:
    """Wipe every secret in what the authority answered: nobody is left to use it."""
    if isinstance(answer, Secret):
        answer.wipe()
    elif isinstance(answer, Value):
        for field in answer.__struct_fields__:
            wipe(getattr(answer, field))


class CardLimits(StationRequest, frozen=True, kw_only=True):
    """What the inserted card itself takes as a PIN, and by what it can be unblocked."""

    minimum: int
    maximum: int
    alphabet: Alphabet
    has_puk: bool = True
    has_admin_key: bool = False
    puk_left: int | None = None
    """Tries at its PUK, where the card tells."""
    at_pad: bool = False
    """PINs are typed at the reader's own keys: nobody but the card learns them."""


class SeenCard(StationRequest, frozen=True, kw_only=True):
    """What a station sees of the card that is in its reader."""

    limits: CardLimits
    tries_left: int | None
    """At its PIN; None: the card does not tell."""


class OpenRequest(StationRequest, frozen=True, kw_only=True):
    """A card came in: who is it, and what may happen now?"""

    card: str
    """The identity key that it may be on record by."""
    seen: SeenCard


class Offer(Value, frozen=True, kw_only=True):
    """One action, and why not if not."""

    kind: Kind
    allowed: bool
    refusal: Message | None = None


class PresenceChallenge(Value, frozen=True, kw_only=True):
    """Bytes for the card authentication key (9E) to sign: proof without a PIN."""

    nonce: bytes
    message: bytes
    algorithm: str


class SeenMark(Value, frozen=True, kw_only=True):
    """A `PasswordMark` on its way to a station; a newer authority may say more."""

    version: int
    origin: str
    usn: int


class Seen(Value, frozen=True, kw_only=True):
    """What one DC showed of a password: enough to see whether it is the same later."""

    dc: str
    pwd_last_set: int
    mark: SeenMark | None
    """None: it could not be read."""


class ToldMark(StationRequest, frozen=True, kw_only=True):
    """A `SeenMark` on its way back."""

    version: int
    origin: str
    usn: int


class ToldSeen(StationRequest, frozen=True, kw_only=True):
    """A `Seen` on its way back: what a form was filled in by."""

    dc: str
    pwd_last_set: int
    mark: ToldMark | None

    @classmethod
    def of(cls, seen: Seen | None) -> ToldSeen | None:
        """Return what a station has been told, as it tells it."""
        if seen is None:
            return None
        return msgspec.convert(seen, known(cls), from_attributes=True)

    def seen(self) -> Seen:
        """Return what the station has been told."""
        return msgspec.convert(self, known(Seen), from_attributes=True)


class Announced(StationRequest, frozen=True, kw_only=True):
    """What the person was told before typing, and what it was read from."""

    password_follows: bool
    why_not: Message | None
    changed_elsewhere: bool
    rules: PinRules | None
    """None: no new PIN is asked for."""
    seen: ToldSeen | None
    """The password as it was then; None: nobody looked."""


class PrepareRequest(StationRequest, frozen=True, kw_only=True):
    """Somebody has filled in a form: is all of it still true, and may it happen?"""

    credential: str
    kind: Kind
    seen: SeenCard
    announced: Announced


class OpenedCredential(Value, frozen=True, kw_only=True):
    """What the authority says of one credential now."""

    credential: str
    card: str
    """The identity key that the card is on record by."""
    holder: str
    account: str
    state: State
    sync: Sync
    sync_reason: str
    offers: tuple[Offer, ...]
    password_follows: bool
    why_not: Message | None
    """Why the password will not follow, when it will not."""
    rules: PinRules
    notices: tuple[Message, ...] = ()
    """E.g. changed elsewhere, no extra authentication required."""
    presence: PresenceChallenge | None = None
    """Card and registry disagree about "blocked", or another station is at it: what the
    card can sign without its PIN, to prove itself."""
    activation_code_needed: bool = False
    """Activation is authorised by a code; the transport PIN comes from escrow."""
    at_pad: bool = False
    """PINs are typed at the reader's keys, so the password cannot follow."""
    activation_by_reset: bool = False
    """An interrupted activation completes by resetting the PIN with the PUK."""
    never_activated: bool = False
    """Blocked before its first PIN: unblocking needs the activation code, too."""
    release_code_needed: bool = False
    """To unblock."""
    unblock_method: UnblockMethod | None = msgspec.field(
        default=None, name="unblock_way"
    )
    """How its PIN can be set anew; None: not at all."""
    release_for_sync: bool = False
    """Keyless: a release code stands in for the signature."""
    changed_elsewhere: bool = False
    seen: Seen | None = None
    """The password as it was looked at; None: nobody could."""
    expires_at: float | None = None
    """When the PIN has to be changed, in seconds UTC; None: never."""
    is_expired: bool = False
    wants_middleware: bool = False
    """The template wants the vendor's module to speak to the card."""
    needs_middleware: bool = False
    """And nothing else."""


class Challenge(Value, frozen=True, kw_only=True):
    """What the card signs to authorise the write; the visit adds SHA-256(sealed)."""

    nonce: bytes
    operation: str
    kind: Kind
    credential: str
    account_guid: str
    station: str
    sealing_key: bytes
    """X25519 public key, 32 bytes raw."""
    key_slot: str
    key_algorithm: str


class Prepared(Value, frozen=True, kw_only=True):
    """A durable operation in phase `prepared`."""

    operation: str
    event: str
    """The number shown to the person."""
    password_follows: bool
    why_not: Message | None
    rules: PinRules
    challenge: Challenge | None
    """What to sign now; None: nothing (no sync, keyless), or later (unblock)."""
    seal_to: Challenge | None
    """Whom to seal the value to; None where the password does not follow."""
    sealing_key: bytes
    """The authority's X25519 public key (32 bytes raw): codes that are typed for this
    operation are sealed to it on their way."""
    write_seconds: float
    """Within how many seconds `write` is answered, whatever the directory does."""
    presence: PresenceChallenge | None = None
    """What the card can sign without its PIN, where it has to prove itself."""
    puk_due: bool = False
    """The card's PUK is to be replaced in this operation."""
    puk_replaceable: bool = False
    """Nobody is told the card's PUK, so a new one takes it from nobody."""
    puk_is_factory: bool = False
    """The card has, or may have, the factory's PUK."""
    puk_uncertain: bool = False
    """Tries at the PUK may be gone: a card that tells them should be asked."""


class PukTry(Value, frozen=True, kw_only=True):
    """One value to be sent to the card, once. The visit wipes it."""

    label: Label
    secret: Secret


class Release(Value, frozen=True, kw_only=True):
    """What is released to this operation only. The visit wipes it."""

    transport: Secret | None = None
    """The transport PIN of an activation."""
    puk: PukTry | None = None
    """The first PUK to be sent; `card_changing` is committed with it."""


class AdminProof(Value, frozen=True, kw_only=True):
    """Mutual authentication with the administrator key, the authority's part."""

    cryptogram: bytes
    """40 bytes for the card; it authenticates this station's card once."""


class PukPlan(Value, frozen=True, kw_only=True):
    """How the PUK is replaced: one CHANGE, sent once. The visit wipes both."""

    label: Label
    """Which value `old` is."""
    old: Secret
    new: Secret


class Verdict(StrEnum):
    """What is true after the write."""

    DONE = "done"
    REFUSED = "refused"
    """A definite no; nothing is written there."""
    OUT_OF_STEP = "out_of_step"


class WriteVerdict(Value, frozen=True, kw_only=True):
    """How the directory took the value."""

    verdict: Verdict
    reason: Message | None = None
    dc: str = ""
    warnings: tuple[Message, ...] = ()
    roll_back: bool = False
    """The authority has committed `rolling_back`: change the card back, then say
    `rolled_back`."""
    may_choose_another: bool = False
    """Unblock, refused by policy: the card now has a PIN the directory refuses."""


class OperationOutcome(Value, frozen=True, kw_only=True):
    """How an operation stands, whoever heard its last answer."""

    event: str
    phase: Phase
    reason: str
    """The catalogue key of why it ended so; empty: nothing to say."""
    is_ended: bool


class StationFault(Value, frozen=True, kw_only=True):
    """Something a station needs is missing."""

    part: str
    """`reader`, `authority`, `directory`, `store`, `clock`."""
    message: Message

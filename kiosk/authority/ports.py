"""The authority as the visit sees it: requests and replies, one call per step.

The authority owns the registry, the nonces, the escrow and the directory's
service account. Embedded, it is `kiosk.authority.local.LocalAuthority`; requests
and replies are plain values so that a service can carry them later. Called on
the authority worker's thread. Raises `AuthorityError`s, `DirectoryError`s and
`RegistryError`s only; anything else is a bug.

A change is four calls: open → prepare → authorise (which also commits `card_changing`
where the station goes on at once; `card_changing` asks again where it could not) →
write (which first commits `card_changed`), and `rolled_back` where the directory
refuses. Where the card comes first (unblock): open →
prepare → redeem → release, which also commits `card_changing` → card_changed, which
gives the nonce → authorise → write. Where no password follows: open → prepare →
card_changing → card_changed.

A call that writes may come again under the same key, which comes with the port as well:
its effect happens once, and its answer is the same (`kiosk.authority.repeats`). `open`,
`outcome` and `health` say how things stand, each time.

Who is asking comes with the port, never with a request: a station gets one of its own,
and an operation that was prepared at another station is not to be had through it.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

import msgspec

from kiosk.core.errors import KioskError, Message
from kiosk.core.secret import Secret
from kiosk.pin.rules import Alphabet, PinRules
from statemachine.candidates import Label
from statemachine.lifecycle import State
from statemachine.operation import Kind, Phase
from storage.records import ApprovalKind, PasswordMark, Sync, UnblockWay

# --- errors ------------------------------------------------------------------


class AuthorityError(KioskError):
    """Root of what the authority itself refuses."""

    code = "authority.error"


class NotOnRecord(AuthorityError):
    """No credential has this card: `card`."""

    code = "authority.not_on_record"


class Refused(AuthorityError):
    """A guard said no. `reason` is the catalogue key that says which and who helps."""

    code = "authority.refused"

    def __init__(self, reason: Message) -> None:
        super().__init__(reason=reason.key)
        self.reason = reason

    @property
    def message(self) -> Message:
        return self.reason


class ProofFailed(AuthorityError):
    """A signature did not verify, or its nonce was not to be had. Nothing changed."""

    code = "authority.proof_failed"


class NotProven(AuthorityError):
    """The card on record has not shown in this operation that it is there."""

    code = "authority.not_proven"


class CodeRefused(AuthorityError):
    """A release or activation code is wrong, used or expired: `entries_left`."""

    code = "authority.code_refused"

    def __init__(self, entries_left: int) -> None:
        super().__init__(entries_left=entries_left)
        self.entries_left = entries_left


class EntriesPaused(AuthorityError):
    """Too many wrong codes were typed at this station: wait for `seconds`."""

    code = "authority.entries_paused"


class CodeMistyped(AuthorityError):
    """The check digit of a code does not fit: a misread, not counted."""

    code = "authority.code_mistyped"


class NotAsAnnounced(AuthorityError):
    """What the person was told before typing is not true any more. Nothing changed."""

    code = "authority.not_as_announced"


class TooSlow(AuthorityError):
    """No answer came while a card was held: it was let go."""

    code = "authority.too_slow"


class RulesBroken(AuthorityError):
    """The sealed value breaks a rule that the face should have shown: `rule`."""

    code = "authority.rules_broken"


class KeyReused(AuthorityError):
    """A call has the key of an earlier one that asked for something else."""

    code = "authority.key_reused"


class NotUnderstood(AuthorityError):
    """A call or an answer that does not have its form: another version, or nonsense."""

    code = "authority.not_understood"


class UnknownAnswer(AuthorityError):
    """The authority said no in a way that a later version knows: its `code`."""

    code = "authority.unknown_answer"


class SecretUnreadable(AuthorityError):
    """A secret was not sealed for this call, or the key it was sealed to is gone."""

    code = "authority.secret_unreadable"


# --- values ------------------------------------------------------------------


class Value(msgspec.Struct, frozen=True, kw_only=True):
    """Base of requests and replies."""


def wipe(answer: object) -> None:
    """Wipe every secret in what the authority answered: nobody is left to use it."""
    if isinstance(answer, Secret):
        answer.wipe()
    elif isinstance(answer, Value):
        for field in answer.__struct_fields__:
            wipe(getattr(answer, field))


class CardLimits(Value, frozen=True, kw_only=True):
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


class SeenCard(Value, frozen=True, kw_only=True):
    """What a station sees of the card that is in its reader."""

    limits: CardLimits
    tries_left: int | None
    """At its PIN; None: the card does not tell."""


class OpenRequest(Value, frozen=True, kw_only=True):
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


class Seen(Value, frozen=True, kw_only=True):
    """What one DC showed of a password: enough to see whether it is the same later."""

    dc: str
    pwd_last_set: int
    mark: PasswordMark | None
    """None: it could not be read."""


class Announced(Value, frozen=True, kw_only=True):
    """What the person was told before typing, and what it was read from."""

    password_follows: bool
    why_not: Message | None
    changed_elsewhere: bool
    rules: PinRules | None
    """None: no new PIN is asked for."""
    seen: Seen | None
    """The password as it was then; None: nobody looked."""


class PrepareRequest(Value, frozen=True, kw_only=True):
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
    unblock_way: UnblockWay | None = None
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
    sealing_key_id: str
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
    """`reader`, `directory`, `store`, `clock`."""
    message: Message


class Authority(Protocol):
    """One call per step of the operation (DESIGN, "The operation, step by step")."""

    def health(self) -> tuple[StationFault, ...]:
        """Say what is missing: store and directory. Empty: all well. Never raises."""

    def open(self, request: OpenRequest) -> OpenedCredential:
        """Judge a card. NotOnRecord. An unreachable directory is an offer's refusal."""

    def challenge_presence(self, credential: str) -> PresenceChallenge | None:
        """What the card can sign without its PIN; None: it has no key for that."""

    def prove_presence(
        self,
        credential: str,
        nonce: bytes,
        signature: bytes,
        request: OpenRequest,
    ) -> OpenedCredential:
        """Take the proof without a PIN, record an observed block, and judge the card
        again. ProofFailed.
        """

    def prepare(self, request: PrepareRequest) -> Prepared:
        """Ask everything that can refuse; leave a durable `prepared`. Refused.

        Lifecycle and offer are judged again. NotAsAnnounced if what happens would not
        be what the person was told.
        """

    def outcome(self, operation: str) -> OperationOutcome:
        """Say how an operation stands: for whoever did not hear the last answer."""

    def redeem(self, operation: str, kind: ApprovalKind, code: Secret) -> None:
        """Bind a release or activation code to the operation. CodeRefused.

        NotProven: it was wrong, or too many were at this station, and the card can
        prove itself (`prove_card`) before it is asked again: only then does a wrong
        one count against its credential. EntriesPaused.
        """

    def release(
        self,
        operation: str,
        presence_nonce: bytes,
        presence_signature: bytes,
        told: int | None,
    ) -> Release:
        """Hand out the transport PIN, or the first PUK that the card may have, with
        `card_changing` committed. Needs a redeemed code where the template says so and,
        where the card can, a proof of presence. `told`: tries that the card says its
        PUK has. Refused, ProofFailed.
        """

    def admin_challenge(self, operation: str) -> bytes:
        """Begin mutual authentication with the card's administrator key (16 bytes).

        Once for each operation, and only with a redeemed release code. Refused.
        """

    def admin_proof(self, operation: str, card_challenge: bytes) -> AdminProof:
        """Answer the card's challenge (16 bytes). The key itself never leaves."""

    def admin_proven(self, operation: str, answered: bytes) -> None:
        """Judge the card's answer: does it hold the key on record? If it does,
        `card_changing` is committed. Refused, ProofFailed.
        """

    def puk_next(
        self, operation: str, tried: tuple[Label, ...], told: int | None
    ) -> PukTry:
        """Hand out the next PUK that the card may have, committed as sent.

        After the first, which `release` gives; each of `tried` was sent in this
        operation. `told`: tries that the card says are left. Refused: there is none, or
        it might be the last try and the helpdesk has not released just that.
        """

    def puk_typed(self, operation: str, told: int | None) -> None:
        """Commit `card_changing`: the holder's PUK is about to be sent. Refused as
        above.
        """

    def puk_wrong(self, operation: str, label: Label, left: int | None) -> None:
        """The card compared that PUK and refused it: `left` tries, if it told."""

    def puk_unheard(self, operation: str, label: Label) -> None:
        """The card definitely said no to something else, and compared nothing."""

    def puk_accepted(self, operation: str, label: Label) -> None:
        """The card took that PUK, and the PIN it set was verified. For a PUK that is to
        be replaced before `card_changed`, which says the same, ends the operation.
        """

    def prove_card(self, operation: str, nonce: bytes, signature: bytes) -> None:
        """Take the card's proof without a PIN, for this operation. ProofFailed."""

    def puk_plan(self, operation: str, told: int | None) -> PukPlan | None:
        """What to send to replace the PUK, committed first; None: nothing is due.

        Asked again after a refusal, until it says None. NotProven: the card has to
        prove itself in this operation. Refused: it ended, or one try may be left.
        """

    def puk_replaced(self, operation: str) -> None:
        """The card confirmed the new PUK: it is the current one now."""

    def puk_not_replaced(self, operation: str, label: Label, left: int | None) -> None:
        """The card refused the PUK that was to be replaced; it told `left`."""

    def puk_new_refused(self, operation: str, label: Label) -> None:
        """The card definitely does not take the new PUK; it has what it had."""

    def authorise(
        self,
        operation: str,
        nonce: bytes,
        signature: bytes,
        sealed: bytes,
        *,
        going_on: bool,
    ) -> None:
        """Verify the card's statement and consume the nonce in one commit; from here
        one write within 60 s. `going_on`: `card_changing` is committed with it, for the
        card is changed at once. Keyless: nonce and signature are empty. ProofFailed,
        Refused, RulesBroken.
        """

    def card_changing(self, operation: str) -> None:
        """Commit the mark before the command that cannot be taken back. Refused.

        Where it was committed with the proof, and the card was let go since: say if it
        may still be changed.
        """

    def card_changed(self, operation: str, taken: Label | None) -> Challenge | None:
        """Commit that the new PIN was verified on the card, and which PUK set it.

        Gives what the card has to sign for the write, with a fresh nonce. None: no
        password follows; the operation is `done`, not synchronised, with its lifecycle
        event.
        """

    def write(self, operation: str, sealed: bytes) -> WriteVerdict:
        """Write the password once and decide what is true now. Where the card was
        changed after the proof, `card_changed` is committed first: asking for the write
        says that the new PIN was verified. Never raises for a directory's answer;
        Refused if the operation may not write.
        """

    def rolled_back(self, operation: str, *, restored: bool) -> None:
        """The card has its old PIN again, or it could not be given back."""

    def refuse(self, operation: str, reason: Message) -> None:
        """End an operation that changed nothing (wrong PIN, cancel, card's no)."""

    def leave_out_of_step(self, operation: str, reason: Message) -> None:
        """End an operation after `card_changing` whose card could not be asked."""

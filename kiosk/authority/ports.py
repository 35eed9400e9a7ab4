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

from typing import Protocol

from kiosk.authority.values import (
    AdminProof,
    Challenge,
    OpenedCredential,
    OpenRequest,
    OperationOutcome,
    Prepared,
    PrepareRequest,
    PresenceChallenge,
    PukPlan,
    PukTry,
    Release,
    StationFault,
    WriteVerdict,
)
from kiosk.core.errors import Message
from kiosk.core.secret import Secret
from statemachine.candidates import Label
from storage.records import ApprovalKind


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
        """The card compared that PUK and refused it: `left` tries, if it told.

        Refused: the operation has ended, and another may be at the PUK since. So it is
        with every call below that tells what a card said to a PUK.
        """

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

"""One operation under way: what it holds, and how it ends whatever happens.

`Run` keeps the one fact that decides everything when something goes wrong: has
the command that cannot be taken back been sent? Before, an error means that
nothing changed; after, only the card itself or the directory may say so.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Protocol, TypeVar

from kiosk.authority.errors import (
    AuthorityAway,
    AuthorityError,
    NotProven,
    Refused,
    RulesBroken,
    TooSlow,
)
from kiosk.authority.ports import Authority
from kiosk.authority.proof import seal, statement
from kiosk.authority.proof.seal import Encrypt, hpke
from kiosk.authority.values import (
    Challenge,
    OpenedCredential,
    Prepared,
    PresenceChallenge,
    WriteVerdict,
    wipe,
)
from kiosk.cards.errors import (
    LastTryKept,
    NotSupported,
    PadEntryFailed,
    PinBlocked,
    PinRefused,
    PukBlocked,
    WrongAdminKey,
    WrongPin,
    WrongPuk,
)
from kiosk.cards.ports import Card, CardSession
from kiosk.cards.values import Family, KeyAlgorithm, KeySlot, RecognisedCard
from kiosk.core.errors import KioskError, Message
from kiosk.core.secret import Secret
from kiosk.core.workers import PendingJob
from kiosk.pin.rules import is_satisfied
from kiosk.visit.views import Progress, StepState, VisitStep
from statemachine.candidates import Label
from storage.errors import RegistryError
from storage.records import ApprovalKind

T = TypeVar("T")
log = logging.getLogger(__name__)

AUTHORISE_SECONDS = 3.0
"""How long a card transaction waits for the proof to be judged before it is let go."""
HELD_SECONDS = 11.0
"""How long it waits for any other answer; then the visit ends. Longer than a station of
a fleet asks all its addresses, so that it is said when none of them answers.
"""
END_SECONDS = 10.0
"""How long it is waited for that the authority has heard of the end."""
LONG_SECONDS = 2.0
"""From when on a person is told that a step takes longer than usual."""


DEFINITE = (
    WrongPin,
    PinBlocked,
    PinRefused,
    WrongPuk,
    PukBlocked,
    WrongAdminKey,
    NotSupported,
    PadEntryFailed,
)
"""Answers of a card that changed nothing but a counter."""


UNHEARD = (AuthorityAway, TooSlow)
"""No answer came, after all the time that one may take."""


class Worker(Protocol):
    """The authority worker: everything the authority does runs on it."""

    def submit(self, job: Callable[[], T]) -> PendingJob[T]:
        """Queue a job."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Workplace:
    """What a visit works with."""

    card: Card
    authority: Authority
    worker: Worker
    encrypt: Encrypt = hpke
    """How a new password is sealed to the authority."""


class StepMark:
    """Lets a step end as failed without an error."""

    __slots__ = ("failed",)

    def __init__(self) -> None:
        self.failed = False


class Run:
    """An operation from `prepared` to its end. Used on the card worker only."""

    def __init__(
        self,
        workplace: Workplace,
        recognised: RecognisedCard,
        case: OpenedCredential,
        emit: Callable[[Progress], None],
    ) -> None:
        self.case = case
        self.recognised = recognised
        self.touched = False
        """The command that changes the card may have been sent."""
        self.is_taken = False
        """The card has taken the new PIN, and was asked to verify it."""
        self.writing = False
        """The write was asked for and not answered: the password may have changed."""
        self._unheard: AuthorityError | None = None
        """The authority did not answer: in this visit nobody waits for it again."""
        self.prepared: Prepared | None = None
        self._presence: PresenceChallenge | None = case.presence
        """What came with the last answer for the card to sign, once."""
        self.puk_used = False
        """A PUK has left the authority in this operation."""
        self.said: tuple[Message, ...] = ()
        """What the result has to say besides."""
        self._is_holding = False
        """A card transaction is open: nobody else can use the card meanwhile."""
        self._workplace = workplace
        self._emit = emit

    # --- asking ---------------------------------------------------------------

    def begin(self, prepared: Prepared) -> None:
        """Keep what `prepare` gave."""
        self.prepared = prepared
        self._presence = prepared.presence

    def say(self, message: Message) -> None:
        """Let the result say something besides, once."""
        if message not in self.said:
            self.said = (*self.said, message)

    @property
    def operation(self) -> str:
        """The operation's id; empty before it is prepared."""
        return self.prepared.operation if self.prepared else ""

    @property
    def event(self) -> str:
        """The number shown to the person; empty before it is prepared."""
        return self.prepared.event if self.prepared else ""

    def submit(self, question: Callable[[Authority], T]) -> PendingJob[T]:
        """Ask the authority on its worker; do not wait."""
        authority = self._workplace.authority
        return self._workplace.worker.submit(lambda: question(authority))

    def ask(self, question: Callable[[Authority], T]) -> T:
        """Ask the authority on its worker and wait for the answer.

        TooSlow: none came while the card is held. AuthorityAway, TooSlow: one did not
        come before, so this is not asked.
        """
        if self._unheard is not None:
            raise self._unheard
        return self.wait_for(self.submit(question))

    def write(self, sealed: bytes, *, card_may_go: bool) -> WriteVerdict:
        """Ask for the write as `ask` does, and say so when it takes longer than usual.

        `card_may_go`: whatever the answer is, the card is not needed for it.
        """
        if self._unheard is not None:
            raise self._unheard
        self.writing = True
        answer = self.submit(lambda it: it.write(self.operation, sealed))
        if not answer.wait(LONG_SECONDS):
            step, state = VisitStep.PASSWORD, StepState.LONG
            self._emit(Progress(step, state, card_may_go=card_may_go))
        verdict = self.wait_for(answer)
        self.writing = False
        return verdict

    def wait_for(self, answer: PendingJob[T]) -> T:
        """Wait for an answer; no longer than a card may be held. TooSlow.

        A secret that comes later is wiped.
        """
        try:
            if self._is_holding and not answer.wait(HELD_SECONDS):
                answer.abandon(wipe)
                raise TooSlow
            return answer.result()
        except UNHEARD as error:
            self.not_heard(error)
            raise

    def is_answered(self, answer: PendingJob[T]) -> bool:
        """Say whether the authority has answered by now, whatever it said."""
        if not answer.wait(0):
            return False
        try:
            answer.result()
        except UNHEARD:
            return False
        except (KioskError, RegistryError):
            return True  # a no is an answer
        return True

    def not_heard(self, error: AuthorityAway | TooSlow) -> None:
        """Keep that no answer came: whoever waited for it has waited long enough."""
        self._unheard = error

    @contextmanager
    def session(self) -> Iterator[CardSession]:
        """Open a transaction with the same card. WrongCard if it is another."""
        with self._workplace.card.session(self.recognised.identity) as session:
            self._is_holding = True
            try:
                yield session
            finally:
                self._is_holding = False

    @contextmanager
    def step(self, step: VisitStep) -> Iterator[StepMark]:
        """Show a step while it runs, and how it ended."""
        mark = StepMark()
        self._emit(Progress(step, StepState.RUNNING))
        try:
            yield mark
        except BaseException:
            mark.failed = True
            raise
        finally:
            ended = StepState.FAILED if mark.failed else StepState.DONE
            self._emit(Progress(step, ended))

    def redeem(self, kind: ApprovalKind, code: Secret) -> None:
        """Bind a typed code to this operation. CodeRefused, CodeMistyped.

        A card that can prove itself does so before a wrong code counts against it.
        """
        try:
            self.ask(lambda it: it.redeem(self.operation, kind, code))
        except NotProven:
            with self.session() as session:
                nonce, signature = self.prove_presence(session)
            self.ask(lambda it: it.prove_card(self.operation, nonce, signature))
            self.ask(lambda it: it.redeem(self.operation, kind, code))

    # --- proof ----------------------------------------------------------------

    def judge(self, new: Secret, old: Secret | None = None) -> None:
        """Hold a typed PIN against every rule before the card hears of it."""
        prepared = self.prepared
        if prepared is not None and not is_satisfied(prepared.rules, new, old):
            raise RulesBroken

    def seal(self, new: Secret, to: Challenge) -> bytes:
        """Seal the new password to the authority, for this operation only."""
        return seal.seal(
            new,
            public_key=to.sealing_key,
            operation=self.operation,
            encrypt=self._workplace.encrypt,
        )

    def keep_last_try(self, session: CardSession) -> None:
        """Look at the counter before a PIN is sent that may be wrong.

        What was seen when the card came in, minutes ago, others may have spent since. A
        vendor's middleware looks for itself. LastTryKept, PinBlocked.
        """
        if self.recognised.identity.family is Family.PKCS11:
            return
        left = session.tries().left
        if left is not None and left <= 1:
            raise LastTryKept if left else PinBlocked

    def verify_typed(self, session: CardSession, typed: Secret) -> None:
        """Present a PIN that was typed, unless one try is left. As `keep_last_try`."""
        self.keep_last_try(session)
        session.verify(typed)

    def sign(self, session: CardSession, challenge: Challenge, sealed: bytes) -> bytes:
        """Let the card sign the statement. The PIN was verified directly before."""
        message = statement.authorisation(challenge, seal.digest(sealed))
        slot, algorithm = challenge.key_slot, challenge.key_algorithm
        with self.step(VisitStep.TOUCH) if self.recognised.touch else nullcontext():
            return session.sign(KeySlot(slot), KeyAlgorithm(algorithm), message)

    def prove_presence(self, session: CardSession) -> tuple[bytes, bytes]:
        """Let the card sign without its PIN; empty where it has no key for that."""
        challenge, self._presence = self._presence, None
        if challenge is None:
            challenge = self.ask(lambda it: it.challenge_presence(self.case.credential))
        if challenge is None:
            return b"", b""
        signature = session.sign(
            KeySlot.CARD_AUTHENTICATION,
            KeyAlgorithm(challenge.algorithm),
            challenge.message,
        )
        return challenge.nonce, signature

    # --- marks ----------------------------------------------------------------

    def card_changing(self) -> None:
        """Commit the mark, where no other call has committed it."""
        self.ask(lambda it: it.card_changing(self.operation))

    @contextmanager
    def card_may_change(self) -> Iterator[None]:
        """Around the command that changes the card, once the mark is committed.

        From here on only the card can say what it has. Its "no" means no change; so
        does the authority's, which hands out nothing more to be sent.
        """
        self.touched = True
        try:
            yield
        except (*DEFINITE, Refused):
            self.touched = False
            raise

    def verify_new(self, session: CardSession, new: Secret) -> None:
        """Let the card show that it has taken the new PIN."""
        session.verify(new)
        self.is_taken = True

    def card_changed(self, taken: Label | None = None) -> Challenge | None:
        """Commit that the new PIN was verified on the card, and which PUK set it.

        Return what is to be signed now, where the password follows.
        """
        return self.ask(lambda it: it.card_changed(self.operation, taken))

    def refuse(self, reason: Message) -> None:
        """End the operation with nothing changed."""
        if self.operation:
            self._end(lambda it: it.refuse(self.operation, reason))

    def leave_out_of_step(self, reason: Message) -> None:
        """End the operation with the card unknown or ahead of the password."""
        self._end(lambda it: it.leave_out_of_step(self.operation, reason))

    def _end(self, question: Callable[[Authority], None]) -> None:
        """End it if the authority can hear us. If not, the durable mark that exists
        already says the same at the next look. One that was too slow is not waited for,
        and one that was not heard before is told, but nobody waits at all.
        """
        ended = self.submit(question)
        if not ended.wait(0 if self._unheard is not None else END_SECONDS):
            return log.error("visit.end_not_heard operation=%s", self.operation)
        try:
            ended.result()
        except Exception as error:  # noqa: BLE001 - whatever it was, the mark stands
            log.error("visit.end_not_recorded type=%s", type(error).__name__)

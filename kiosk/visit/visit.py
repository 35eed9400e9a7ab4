"""One visit: a card comes in, is recognised, is judged, something happens, it leaves.

`Visit` is the façade that every face uses (`views.VisitPort`). It joins cards and
authority; it decides nothing that the authority has not decided.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace

from kiosk.authority.errors import (
    AuthorityError,
    NotAsAnnounced,
    NotOnRecord,
    Refused,
)
from kiosk.authority.values import (
    Announced,
    CardLimits,
    OpenedCredential,
    OpenRequest,
    Prepared,
    PrepareRequest,
    SeenCard,
)
from kiosk.cards.errors import (
    CardError,
    ModuleFailed,
    NotSupported,
    UnknownCard,
    WrongPin,
)
from kiosk.cards.ports import CardSession
from kiosk.cards.values import Family, RecognisedCard, Tries
from kiosk.core.errors import KioskError, Message, said_of
from kiosk.core.secret import Secret
from kiosk.visit import forms, results
from kiosk.visit.by_kind import NotOffered, operate
from kiosk.visit.run import UNHEARD, Run, Workplace
from kiosk.visit.unblock import (
    with_response,
)
from kiosk.visit.views import (
    Answers,
    FieldName,
    Form,
    Home,
    Progress,
    Result,
    VisitStep,
)
from statemachine.operation import Kind
from storage.errors import RegistryError
from storage.records import ApprovalKind

_CODES = {
    FieldName.RELEASE_CODE: ApprovalKind.RELEASE,
    FieldName.ACTIVATION_CODE: ApprovalKind.ACTIVATION,
}


class NotConfirmed(KioskError):
    """What had to be confirmed before typing was not."""

    code = "visit.not_confirmed"


@dataclass(frozen=True, slots=True)
class _Held:
    """A card that waits for an answer by telephone."""

    session: CardSession
    stack: ExitStack
    """Ends the hold."""


class Visit:
    """`views.VisitPort`, on the card worker's thread."""

    def __init__(self, workplace: Workplace) -> None:
        self._workplace = workplace
        self._recognised: RecognisedCard | None = None
        self._case: OpenedCredential | None = None
        self._held: _Held | None = None
        self._begun: tuple[Form, Announced] | None = None
        """The form that was shown last, and what was told with it."""

    def recognise(self) -> Home:
        self.leave()
        recognised = self._workplace.card.recognise()
        case = self._open(recognised)
        if case.wants_middleware:
            recognised, case = self._through_middleware(recognised, case)
        if case.presence is not None:
            case = self._prove_presence(recognised, case)
        self._recognised, self._case = recognised, case
        return forms.home(recognised, case)

    def begin(self, kind: Kind) -> Form:
        recognised, case = self._known()
        if not any(offer.kind is kind and offer.allowed for offer in case.offers):
            raise NotOffered
        self.leave()
        challenge = None
        if forms.is_by_telephone(case, kind):
            challenge = self._hold(recognised)
        form = forms.form(recognised, case, kind, challenge)
        self._begun = form, forms.announced(case, form)
        return form

    def _hold(self, recognised: RecognisedCard) -> bytes:
        """Ask the card for its challenge and keep everybody else from it."""
        with ExitStack() as stack:
            session = stack.enter_context(
                self._workplace.card.hold(recognised.identity)
            )
            challenge = session.challenge()
            self._held = _Held(session, stack.pop_all())
        return challenge

    def leave(self) -> None:
        held, self._held = self._held, None
        if held is not None:
            held.stack.close()

    def submit(
        self, form: Form, answers: Answers, emit: Callable[[Progress], None]
    ) -> Result:
        try:
            run = Run(self._workplace, *self._known(), emit)
            return self._carried_out(run, form, answers)
        finally:
            answers.wipe()
            self.leave()

    def close(self) -> None:
        self.leave()
        self._workplace.card.close()

    # --- parts ----------------------------------------------------------------

    def _carried_out(self, run: Run, form: Form, answers: Answers) -> Result:
        try:
            return self._submit(run, form, answers)
        except (KioskError, RegistryError) as error:
            return self._ended_by(run, form.kind, error)
        except Exception:
            # A bug stays visible, but never leaves a card without its mark.
            if run.touched or run.writing:
                run.leave_out_of_step(Message("reason.interrupted"))
            raise

    def _known(self) -> tuple[RecognisedCard, OpenedCredential]:
        if self._recognised is None or self._case is None:
            raise NotOffered
        return self._recognised, self._case

    def _open(self, recognised: RecognisedCard) -> OpenedCredential:
        """Ask for the card's record; by its other names, where the first is unknown."""
        try:
            return self._ask_for(recognised, recognised.identity.key)
        except NotOnRecord:
            card = self._workplace.card
            for other in card.other_identities(recognised.identity):
                with suppress(NotOnRecord):
                    return self._ask_for(recognised, other.key)
            raise

    def _through_middleware(
        self, recognised: RecognisedCard, case: OpenedCredential
    ) -> tuple[RecognisedCard, OpenedCredential]:
        """Go on by the vendor's module; by ourselves where the template leaves that."""
        if recognised.identity.family is Family.PKCS11:
            return recognised, case
        try:
            through = self._workplace.card.recognise(Family.PKCS11)
        except (NotSupported, UnknownCard, ModuleFailed):
            if case.needs_middleware:
                raise
            return recognised, case
        return through, self._ask_for(through, case.card)

    def _ask_for(self, recognised: RecognisedCard, key: str) -> OpenedCredential:
        request = OpenRequest(card=key, seen=_seen(recognised))
        authority = self._workplace.authority
        return self._workplace.worker.submit(lambda: authority.open(request)).result()

    def _prove_presence(
        self, recognised: RecognisedCard, case: OpenedCredential
    ) -> OpenedCredential:
        """Let the card back up what its counter says; as it was, where it could not."""
        run = Run(self._workplace, recognised, case, _nobody)
        request = OpenRequest(card=case.card, seen=_seen(recognised))
        try:
            with run.session() as session:
                nonce, signature = run.prove_presence(session)
            return run.ask(
                lambda it: it.prove_presence(case.credential, nonce, signature, request)
            )
        except KioskError as error:
            if isinstance(error, CardError) and error.code == "card.removed":
                raise
            return case

    def _submit(self, run: Run, form: Form, answers: Answers) -> Result:
        if form.confirm is not None and not answers.confirmed:
            raise NotConfirmed
        with run.step(VisitStep.CHECK):
            request = PrepareRequest(
                credential=run.case.credential,
                kind=form.kind,
                seen=_seen(run.recognised),
                announced=self._told_with(form),
            )
            prepared = run.ask(lambda it: it.prepare(request))
            run.begin(prepared)
            self._redeem(run, form, answers)
        if FieldName.ADMIN_RESPONSE in answers.values:
            return self._with_response(run, prepared, form.kind, answers.values)
        return operate(run, prepared, form.kind, answers)

    def _told_with(self, form: Form) -> Announced:
        """Return what was told with the form that was filled in. NotAsAnnounced."""
        if self._begun is None or _promise(self._begun[0]) != _promise(form):
            raise NotAsAnnounced
        return self._begun[1]

    def _with_response(
        self, run: Run, prepared: Prepared, kind: Kind, values: dict[FieldName, Secret]
    ) -> Result:
        if self._held is None:
            raise NotOffered
        return with_response(
            run,
            prepared,
            kind,
            self._held.session,
            let_go=self.leave,
            response=values[FieldName.ADMIN_RESPONSE],
            new=values[FieldName.NEW_PIN],
        )

    def _redeem(self, run: Run, form: Form, answers: Answers) -> None:
        for name, kind in _CODES.items():
            if name in form.fields:
                run.redeem(kind, answers.values[name])

    def _ended_by(
        self, run: Run, kind: Kind, error: KioskError | RegistryError
    ) -> Result:
        """An error before the card was touched changed nothing; after, who knows."""
        if isinstance(error, WrongPin):
            self._remember(error)
        if isinstance(error, UNHEARD):
            run.not_heard(error)
        if run.touched:
            run.leave_out_of_step(Message("reason.interrupted"))
            return results.interrupted(run, error)
        if run.writing:
            run.leave_out_of_step(Message("reason.interrupted"))
            return results.finish_interrupted(run, error)
        run.refuse(said_of(error))
        result = results.refused(run, kind, error)
        is_of_now = not run.operation or isinstance(error, Refused)
        if isinstance(error, AuthorityError) and is_of_now:
            if isinstance(error, UNHEARD):
                return replace(result, again=None)
            return self._looked_again(result, kind)
        return result

    def _looked_again(self, result: Result, kind: Kind) -> Result:
        """The authority said no to what was shown: ask what it would show now."""
        recognised, case = self._known()
        try:
            self._case = case = self._ask_for(recognised, case.card)
        except (KioskError, RegistryError):
            return replace(result, again=None)
        is_offered = any(each.kind is kind and each.allowed for each in case.offers)
        return replace(result, again=kind if is_offered else None)

    def _remember(self, error: WrongPin) -> None:
        """The next form shows the counter as it is now."""
        recognised, _ = self._known()
        left = error.tries_left if error.tries_left >= 0 else None
        self._recognised = forms.with_tries(
            recognised, Tries(left, recognised.pin_tries.total)
        )


def _promise(form: Form) -> tuple[object, ...]:
    """Return what a form says of what will happen."""
    return form.kind, form.rules, form.password_follows, form.confirm


def _seen(recognised: RecognisedCard) -> SeenCard:
    left = recognised.pin_tries.left
    return SeenCard(limits=_limits(recognised), tries_left=left)


def _limits(recognised: RecognisedCard) -> CardLimits:
    pin = recognised.pin_format
    return CardLimits(
        minimum=pin.minimum,
        maximum=pin.maximum,
        alphabet=pin.alphabet,
        has_puk=recognised.has_puk,
        has_admin_key=recognised.has_admin_key,
        puk_left=recognised.puk_tries.left if recognised.puk_tries else None,
        at_pad=recognised.pinpad,
    )


def _nobody(progress: Progress) -> None:
    """Recognition shows no steps."""

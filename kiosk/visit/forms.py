"""Home and forms: what a judged card looks like, and what each action asks for."""

from __future__ import annotations

from dataclasses import replace

from kiosk.authority.values import Announced, OpenedCredential, ToldSeen
from kiosk.cards.values import RecognisedCard, Tries
from kiosk.core.errors import Message
from kiosk.pin.challenges import in_hex, spoken
from kiosk.visit.views import (
    FROM_ELSEWHERE,
    ActionOffer,
    CardChallenge,
    FieldName,
    Form,
    Home,
)
from statemachine.lifecycle import State
from statemachine.operation import Kind
from storage.records import Sync, UnblockMethod

_AT_PAD = frozenset(
    {
        FieldName.OLD_PIN,
        FieldName.NEW_PIN,
        FieldName.CURRENT_PIN,
        FieldName.TRANSPORT_PIN,
        FieldName.PUK,
    }
)
"""What is typed at the reader's own keys, where it has some."""


def with_tries(recognised: RecognisedCard, tries: Tries) -> RecognisedCard:
    """The same card with its counter as it is now."""
    return replace(recognised, pin_tries=tries)


def home(recognised: RecognisedCard, case: OpenedCredential) -> Home:
    """Put a case file into what a face shows."""
    recommended = _recommended(recognised, case)
    return Home(
        credential=case.credential,
        person=case.holder,
        account=case.account,
        state=case.state,
        sync=case.sync,
        tries=recognised.pin_tries,
        headline=_headline(recognised, case),
        notices=case.notices,
        actions=tuple(
            ActionOffer(
                kind=offer.kind,
                allowed=offer.allowed,
                reason=offer.refusal,
                recommended=offer.kind is recommended,
                needs=_needs(case, offer.kind),
            )
            for offer in sorted(case.offers, key=lambda it: it.kind is not recommended)
        ),
    )


_ONE_TRY = frozenset({"refusal.one_try_left", "refusal.first_pin_one_try"})
"""Why a PIN is not tried that may be wrong: its card would be blocked."""


def _headline(recognised: RecognisedCard, case: OpenedCredential) -> Message:
    if case.state is State.ACTIVE and recognised.pin_tries.is_blocked:
        return Message("home.headline.blocked")
    if any(offer.refusal and offer.refusal.key in _ONE_TRY for offer in case.offers):
        return Message("home.headline.one_try_left")
    if case.is_expired:
        return Message("home.headline.expired")
    if case.state is State.ACTIVE and case.sync is Sync.OUT_OF_STEP:
        return Message("home.headline.out_of_step")
    return Message(f"home.headline.{case.state}")


def _recommended(recognised: RecognisedCard, case: OpenedCredential) -> Kind | None:
    """What most people in this situation came for."""
    allowed = {offer.kind for offer in case.offers if offer.allowed}
    order: tuple[Kind, ...] = (Kind.FINISH, Kind.ACTIVATE, Kind.CHANGE, Kind.UNBLOCK)
    if case.is_expired:
        order = (Kind.CHANGE, Kind.UNBLOCK)
    if recognised.pin_tries.left is not None and recognised.pin_tries.left <= 1:
        order = (Kind.UNBLOCK, *order)
    return next((kind for kind in order if kind in allowed), None)


def form(
    recognised: RecognisedCard,
    case: OpenedCredential,
    kind: Kind,
    challenge: bytes | None = None,
) -> Form:
    """Say what `kind` asks for, and what to know and confirm before typing."""
    pin = recognised.pin_format
    return Form(
        kind=kind,
        fields=_fields(case, kind),
        rules=None if kind is Kind.FINISH or case.at_pad else case.rules,
        old_limits=(pin.minimum, pin.maximum),
        tries=recognised.pin_tries,
        password_follows=case.password_follows,
        notices=_notices(case, kind, challenge),
        challenge=None
        if challenge is None
        else CardChallenge(spoken(challenge), in_hex(challenge)),
        confirm=_confirm(case),
    )


def announced(case: OpenedCredential, form: Form) -> Announced:
    """Return what a person who sees this form has been told."""
    return Announced(
        password_follows=case.password_follows,
        why_not=case.why_not,
        changed_elsewhere=case.changed_elsewhere,
        rules=form.rules,
        seen=ToldSeen.of(case.seen),
    )


def _fields(case: OpenedCredential, kind: Kind) -> tuple[FieldName, ...]:
    fields: tuple[FieldName, ...]
    match kind:
        case Kind.CHANGE:
            fields = (FieldName.OLD_PIN, FieldName.NEW_PIN)
        case Kind.FINISH:
            fields = (FieldName.CURRENT_PIN,)
        case Kind.UNBLOCK:
            fields = (*_activation(case), *_reset(case), FieldName.NEW_PIN)
        case _ if case.activation_by_reset:
            fields = (FieldName.ACTIVATION_CODE, *_reset(case), FieldName.NEW_PIN)
        case _ if case.activation_code_needed:
            fields = (FieldName.ACTIVATION_CODE, FieldName.NEW_PIN)
        case _:
            fields = (FieldName.TRANSPORT_PIN, FieldName.NEW_PIN)
    code_first = kind is Kind.UNBLOCK and case.release_code_needed
    if code_first or case.release_for_sync:
        fields = (FieldName.RELEASE_CODE, *fields)
    if case.at_pad:
        return tuple(name for name in fields if name not in _AT_PAD)
    return fields


def _needs(case: OpenedCredential, kind: Kind) -> FieldName | None:
    """What a person cannot have in mind: they get it from somebody, or have it home."""
    return next((name for name in _fields(case, kind) if name in FROM_ELSEWHERE), None)


def is_by_telephone(case: OpenedCredential, kind: Kind) -> bool:
    """Say whether the card's challenge is answered by telephone."""
    is_reset = kind is Kind.UNBLOCK or (
        kind is Kind.ACTIVATE and case.activation_by_reset
    )
    return is_reset and case.unblock_method is UnblockMethod.ADMIN_KEY_PHONE


def _reset(case: OpenedCredential) -> tuple[FieldName, ...]:
    """What sets a PIN anew, where the holder has it in hand."""
    match case.unblock_method:
        case UnblockMethod.HOLDER_PUK:
            return (FieldName.PUK,)
        case UnblockMethod.ADMIN_KEY_PHONE:
            return (FieldName.ADMIN_RESPONSE,)
        case _:
            return ()


def _activation(case: OpenedCredential) -> tuple[FieldName, ...]:
    """A card blocked before it was ever activated needs its activation code, too."""
    return (FieldName.ACTIVATION_CODE,) if case.never_activated else ()


def _notices(
    case: OpenedCredential, kind: Kind, challenge: bytes | None
) -> tuple[Message, ...]:
    notices: list[Message] = []
    if case.at_pad:
        notices.append(Message("notice.at_pad"))
    if challenge is not None:
        notices.append(Message("notice.card_held"))
    if case.password_follows:
        key = "finish_follows" if kind is Kind.FINISH else "password_follows"
        notices.append(Message(f"notice.{key}", {"account": case.account}))
    return tuple(notices)


def _confirm(case: OpenedCredential) -> Message | None:
    if not case.password_follows:
        return Message("confirm.card_only")
    if case.changed_elsewhere:
        return Message("confirm.changed_elsewhere")
    return None

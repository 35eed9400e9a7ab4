"""Opening a case: which credential this card is, and what may happen to it now."""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.authority.escrow import approvals, puks
from kiosk.authority.escrow.unblock_methods import ANY_CARD, wants_code, way_of
from kiosk.authority.operation import changed_elsewhere, transitions
from kiosk.authority.ports import (
    CardLimits,
    NotOnRecord,
    Offer,
    OpenedCredential,
    OpenRequest,
)
from kiosk.authority.required_ports import RequiredPorts
from kiosk.authority.rules import expiry, in_step, sync_conditions
from kiosk.authority.rules.account_snapshot import AccountSnapshot, look
from kiosk.authority.rules.compliance import ComplianceProfile
from kiosk.authority.rules.effective import effective
from kiosk.authority.rules.in_step import Compared
from kiosk.core.errors import Message
from kiosk.pin.rules import PinRules, contradiction
from statemachine.guards import Facts, Refusal
from statemachine.lifecycle import Standing, State
from statemachine.offers import offers
from statemachine.operation import Kind
from storage.records import (
    CardAccess,
    Credential,
    FirstPin,
    Sync,
    Template,
)
from storage.registry import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncDecision:
    """Whether the password follows, by what rules, and what stops everything."""

    view: AccountSnapshot
    rules: PinRules
    why_not: Message | None
    """The failed condition (1–4, 6): only the card will change."""
    stop: Message | None
    """Nothing may be changed at all."""
    too_young: Message | None
    """The directory takes no other password yet; a finish asks for none."""
    proof: sync_conditions.Proof | None
    history_unchecked: bool
    """The template wants the directory's history honoured, and that DC cannot."""

    @property
    def password_follows(self) -> bool:
        return self.why_not is None and self.stop is None

    def stop_of(self, kind: Kind) -> Message | None:
        """Say why an action may not begin, whatever the lifecycle allows."""
        if self.stop is not None:
            return self.stop
        return self.why_not if kind is Kind.FINISH else self.too_young


_SAME_KEY = 10


def judge(
    parts: RequiredPorts, credential: Credential, template: Template, limits: CardLimits
) -> SyncDecision:
    """Ask everybody who can refuse, without touching anything."""
    why_not = sync_conditions.of_template(template)
    if why_not is None and limits.at_pad:
        why_not = Message("condition.pin_pad")
    view = AccountSnapshot()
    if why_not is None:
        last = credential.last_sync
        view = look(
            parts.directory,
            credential.account_guid,
            history=template.honour_directory_history,
            known=None if last is None else in_step.at_last_sync(last),
        )
        why_not = _of_view(view, template)
    follows = why_not is None and view.trouble is None
    rules = parts.profile.tightened(
        effective(limits, template, view.account, view.policy if follows else None)
    )
    proof = sync_conditions.proof_of(credential, template)
    stop = view.trouble
    if stop is None and follows and proof is None:
        stop = Message("stop.no_authentication_key")
    too_young = None
    if follows and view.honours_history:
        too_young = _too_young(view, parts.clock.now())
    if limits.at_pad and not template.allow_pinpad:
        stop = Message("stop.pin_pad")
    if stop is None and (broken := contradiction(rules)) is not None:
        stop = Message("stop.rules_unsatisfiable", {"rule": broken})
    return SyncDecision(
        view=view,
        rules=rules,
        why_not=why_not,
        stop=stop,
        too_young=too_young,
        proof=proof,
        history_unchecked=follows
        and template.honour_directory_history
        and not view.honours_history,
    )


def _too_young(view: AccountSnapshot, now: float) -> Message | None:
    if view.account is None or view.policy is None:
        return None
    return sync_conditions.too_young(view.account, view.policy, now)


def _of_view(view: AccountSnapshot, template: Template) -> Message | None:
    if view.account_gone:
        return Message("condition.account_missing")
    if view.account is None:
        return None
    return sync_conditions.of_account(view.account, template)


def open_case(parts: RequiredPorts, request: OpenRequest) -> OpenedCredential:
    """Judge a card that came in. NotOnRecord.

    Ends what an earlier visit left unfinished, and marks a password that was
    changed elsewhere, before it says what may happen.
    """
    credential, template, free, elsewhere = parts.registry.run(
        lambda tx: _find(tx, parts, request)
    )
    judgement = judge(parts, credential, template, request.limits)
    credential = changed_elsewhere.mark(
        parts, credential, judgement.view, request.station
    )
    way = way_of(credential, template, request.limits, parts.profile)
    date = expiry.due(
        credential, template, judgement.view, follows=judgement.password_follows
    )
    now = parts.clock.now()
    is_expired = date is not None and now >= date
    reminder = expiry.notice(date, template, now)
    if credential.state is not State.ACTIVE:
        is_expired, reminder = False, None
    return OpenedCredential(
        credential=credential.id,
        card=credential.card,
        holder=credential.holder,
        account=credential.account,
        state=credential.state,
        sync=credential.sync,
        sync_reason=credential.sync_reason,
        offers=_offers(
            parts,
            credential,
            template,
            request,
            judgement,
            _Stops(is_free=free and not elsewhere, is_expired=is_expired),
        ),
        password_follows=judgement.password_follows,
        why_not=judgement.why_not,
        rules=judgement.rules,
        notices=(
            *_notices(credential, judgement, reminder),
            *_about_card(parts.profile, request.tries_left),
        ),
        presence_due=_presence_due(credential, request.tries_left, elsewhere=elsewhere),
        activation_code_needed=_needs_activation_code(credential, template),
        at_pad=request.limits.at_pad,
        activation_by_reset=credential.activation_interrupted,
        wants_middleware=template.card_access is not CardAccess.NATIVE,
        needs_middleware=template.card_access is CardAccess.MIDDLEWARE,
        never_activated=approvals.never_activated(credential)
        and template.first_pin is FirstPin.ACTIVATION_CODE,
        release_code_needed=wants_code(
            way, parts.profile, credential.escrow, request.limits
        ),
        unblock_way=way,
        release_for_sync=bool(
            judgement.password_follows and judgement.proof and judgement.proof.release
        ),
        changed_elsewhere=changed_elsewhere.is_marked(credential),
        seen=judgement.view.newest,
        expires_at=date,
        is_expired=is_expired,
    )


def _find(
    tx: Tx, parts: RequiredPorts, request: OpenRequest
) -> tuple[Credential, Template, bool, bool]:
    """Return the record, whether it may be worked on, and whether others are at it."""
    credential = tx.credential_by_card(request.card) or _by_key(tx, request.card)
    if credential is None:
        raise NotOnRecord(card=request.card)
    free = transitions.settle_interrupted(tx, parts, credential.id, request.station)
    template = tx.template(credential.template, credential.template_version)
    station = request.station
    elsewhere = transitions.is_under_way_elsewhere(tx, parts, credential.id, station)
    return tx.credential(credential.id), template, free, elsewhere


def _by_key(tx: Tx, card: str) -> Credential | None:
    """Find a card by the key in it: its other names have changed since."""
    family, _, rest = card.partition(":")
    kind, _, digest = rest.partition(":")
    if kind != "key":
        return None
    try:
        wanted = bytes.fromhex(digest)
    except ValueError:
        return None
    found = tx.by_key_digest(wanted, limit=_SAME_KEY)
    return next((it for it in found if it.card.startswith(f"{family}:")), None)


def facts_of(
    credential: Credential,
    template: Template,
    tries_left: int | None,
    profile: ComplianceProfile,
    card: CardLimits = ANY_CARD,
) -> Facts:
    """Put what the guards ask for into one value.

    `self_service` stays true: without it the card alone may still be changed
    (a sync condition, not a lifecycle guard).
    """
    return Facts(
        tries_left=tries_left,
        has_unblock_way=way_of(credential, template, card, profile) is not None,
    )


def _offers(
    parts: RequiredPorts,
    credential: Credential,
    template: Template,
    request: OpenRequest,
    judgement: SyncDecision,
    stops: _Stops,
) -> tuple[Offer, ...]:
    facts = facts_of(
        credential, template, request.tries_left, parts.profile, request.limits
    )
    standing = Standing(credential.state, credential.suspended_from)
    judged = offers(
        standing,
        facts,
        out_of_step=credential.sync is Sync.OUT_OF_STEP,
        activation_interrupted=credential.activation_interrupted,
        lifecycle=parts.lifecycle,
    )
    return tuple(
        Offer(
            kind=each.kind,
            allowed=each.refusal is None and stops.of(each.kind, judgement) is None,
            refusal=_in_words(each.refusal, credential)
            if each.refusal is not None
            else stops.of(each.kind, judgement),
        )
        for each in judged
    )


def _in_words(refusal: Refusal, credential: Credential) -> Message:
    """Say which guard refused; a PUK that is there but used up is told apart."""
    escrow = credential.escrow
    if refusal.code == "refusal.no_unblock_way" and puks.is_used_up(escrow):
        return Message("stop.puk_used_up")
    return Message(refusal.code)


@dataclass(frozen=True, slots=True)
class _Stops:
    """What keeps an action from beginning, whatever the lifecycle allows."""

    is_free: bool
    """No other operation of this card is writing."""
    is_expired: bool

    def of(self, kind: Kind, judgement: SyncDecision) -> Message | None:
        """A finish exists only for the password, and keeps a PIN that is in force."""
        if not self.is_free:
            return Message("stop.another_is_writing")
        stop = judgement.stop_of(kind)
        if stop is None and kind is Kind.FINISH and self.is_expired:
            return Message("stop.pin_expired")
        return stop


def _notices(
    credential: Credential, judgement: SyncDecision, reminder: Message | None
) -> tuple[Message, ...]:
    notices = [] if reminder is None else [reminder]
    if credential.sync is Sync.OUT_OF_STEP:
        notices.append(Message(credential.sync_reason or "reason.out_of_step"))
    if _is_unseen(credential, judgement):
        notices.append(Message("notice.in_step_unseen"))
    if judgement.password_follows and judgement.proof and not judgement.proof.signature:
        notices.append(Message("notice.keyless"))
    if judgement.why_not is not None:
        notices.append(judgement.why_not)
    account = judgement.view.account
    if judgement.password_follows and account is not None:
        if judgement.history_unchecked:
            notices.append(Message("notice.history_unchecked"))
        if account.smart_card_required:
            notices.append(Message("notice.smart_card_required"))
        if account.locked:
            notices.append(Message("notice.account_locked"))
    return tuple(notices)


def _is_unseen(credential: Credential, judgement: SyncDecision) -> bool:
    """In step by the record is not in step: nobody could look."""
    is_seen = judgement.view.compared is Compared.SAME
    return credential.sync is Sync.IN_STEP and not is_seen


def _about_card(
    profile: ComplianceProfile, tries_left: int | None
) -> tuple[Message, ...]:
    if profile.allows_tries(tries_left):
        return ()
    return (Message("notice.too_many_tries"),)


def _presence_due(
    credential: Credential, tries_left: int | None, *, elsewhere: bool
) -> bool:
    """The card can prove itself, and its counter and the registry disagree, or another
    station is at it: one of the two has a copy of its name.
    """
    if credential.card_authentication_key is None:
        return False
    if elsewhere or tries_left is None:
        return elsewhere
    if tries_left == 0:
        return credential.state in (State.ISSUED, State.ACTIVE)
    return credential.state is State.BLOCKED


def _needs_activation_code(credential: Credential, template: Template) -> bool:
    return (
        template.first_pin is FirstPin.ACTIVATION_CODE
        or credential.activation_interrupted
    )

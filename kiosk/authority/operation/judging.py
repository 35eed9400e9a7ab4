"""Judging a card: which credential it is, and what may happen to it now."""

from __future__ import annotations

from kiosk.authority.errors import NotOnRecord
from kiosk.authority.escrow import approvals
from kiosk.authority.escrow.unblock_methods import method_of, wants_code
from kiosk.authority.operation import changed_elsewhere, transitions
from kiosk.authority.operation.offering import Stops, due, is_expired, offers_of
from kiosk.authority.operation.sync_decision import SyncDecision, judge
from kiosk.authority.proof import presence
from kiosk.authority.required_ports import RequiredPorts
from kiosk.authority.rules import expiry
from kiosk.authority.rules.compliance import ComplianceProfile
from kiosk.authority.rules.in_step import Compared
from kiosk.authority.values import OpenedCredential, OpenRequest, PresenceChallenge
from kiosk.core.errors import Message
from statemachine.lifecycle import State
from storage.records import (
    CardAccess,
    Credential,
    FirstPin,
    Sync,
    Template,
)
from storage.registry import Tx
from storage.view import View

_SAME_KEY = 10


def open_credential(
    parts: RequiredPorts, station: str, request: OpenRequest
) -> OpenedCredential:
    """Judge a card that came in. NotOnRecord.

    Ends what an earlier visit left unfinished, and marks a password that was
    changed elsewhere, before it says what may happen.
    """
    at_rest = parts.registry.read(lambda view: _at_rest(view, request.card))
    credential, template, free, elsewhere = at_rest or parts.registry.run(
        lambda tx: _find(tx, parts, station, request.card)
    )
    seen = request.seen
    judgement = judge(parts, credential, template, seen.limits)
    credential = changed_elsewhere.mark(parts, credential, judgement.view, station)
    method = method_of(credential, template, seen.limits, parts.profile)
    date = due(credential, template, judgement)
    expired = is_expired(parts, credential, date)
    reminder = expiry.notice(date, template, parts.clock.now())
    if credential.state is not State.ACTIVE:
        reminder = None
    return OpenedCredential(
        credential=credential.id,
        card=credential.card,
        holder=credential.holder,
        account=credential.account,
        state=credential.state,
        sync=credential.sync,
        sync_reason=credential.sync_reason,
        offers=offers_of(
            parts,
            credential,
            template,
            seen,
            judgement,
            Stops(is_free=free and not elsewhere, is_expired=expired),
        ),
        password_follows=judgement.password_follows,
        why_not=judgement.why_not,
        rules=judgement.rules,
        notices=(
            *_notices(credential, judgement, reminder),
            *_about_card(parts.profile, seen.tries_left),
        ),
        presence=_presence(
            parts, credential, station, seen.tries_left, elsewhere=elsewhere
        ),
        activation_code_needed=_needs_activation_code(credential, template),
        at_pad=seen.limits.at_pad,
        activation_by_reset=credential.activation_interrupted,
        wants_middleware=template.card_access is not CardAccess.NATIVE,
        needs_middleware=template.card_access is CardAccess.MIDDLEWARE,
        never_activated=approvals.never_activated(credential)
        and template.first_pin is FirstPin.ACTIVATION_CODE,
        release_code_needed=wants_code(
            method, parts.profile, credential.escrow, seen.limits
        ),
        unblock_method=method,
        release_for_sync=bool(
            judgement.password_follows and judgement.proof and judgement.proof.release
        ),
        changed_elsewhere=changed_elsewhere.is_marked(credential),
        seen=judgement.view.newest,
        expires_at=date,
        is_expired=expired,
    )


def _at_rest(view: View, card: str) -> tuple[Credential, Template, bool, bool] | None:
    """Return what `_find` would, of a card with which nothing is unfinished, as most
    are: nobody is kept waiting for that. None: something is. NotOnRecord.
    """
    credential = _on_record(view, card)
    if view.live_operations(credential.id):
        return None
    template = view.template(credential.template, credential.template_version)
    return credential, template, True, False


def _find(
    tx: Tx, parts: RequiredPorts, station: str, card: str
) -> tuple[Credential, Template, bool, bool]:
    """Return the record, whether it may be worked on, and whether others are at it."""
    credential = _on_record(tx, card)
    free = transitions.settle_interrupted(tx, parts, credential.id, station)
    template = tx.template(credential.template, credential.template_version)
    elsewhere = transitions.is_under_way_elsewhere(tx, parts, credential.id, station)
    return tx.credential(credential.id), template, free, elsewhere


def _on_record(view: View, card: str) -> Credential:
    credential = view.credential_by_card(card) or _by_key(view, card)
    if credential is None:
        raise NotOnRecord(card=card)
    return credential


def _by_key(view: View, card: str) -> Credential | None:
    """Find a card by the key in it: its other names have changed since."""
    family, _, rest = card.partition(":")
    kind, _, digest = rest.partition(":")
    if kind != "key":
        return None
    try:
        wanted = bytes.fromhex(digest)
    except ValueError:
        return None
    found = view.by_key_digest(wanted, limit=_SAME_KEY)
    return next((it for it in found if it.card.startswith(f"{family}:")), None)


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


def _presence(
    parts: RequiredPorts,
    credential: Credential,
    station: str,
    tries_left: int | None,
    *,
    elsewhere: bool,
) -> PresenceChallenge | None:
    if not _presence_due(credential, tries_left, elsewhere=elsewhere):
        return None
    return parts.registry.run(
        lambda tx: presence.challenge(tx, parts, credential.id, station)
    )


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

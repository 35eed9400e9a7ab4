"""Codes that an operator gives a holder: to unblock, or to activate a new card."""

from __future__ import annotations

from kiosk.authority.escrow import approvals, puks
from kiosk.authority.escrow.unblock_methods import ANY_CARD, keeps_admin_key, wants_code
from kiosk.authority.office.desk import (
    Desk,
    agree,
    as_of_now,
    has_done,
    is_own_card,
    note,
    refuse,
)
from kiosk.authority.office.operators import Action, SignedIn, require
from kiosk.authority.office.values import (
    GivenCode,
)
from kiosk.authority.operation.offering import facts_of
from kiosk.authority.rules.sync_conditions import proof_of
from kiosk.core.errors import Message
from statemachine.course import course
from statemachine.guards import Refusal
from statemachine.lifecycle import Event, Standing, State
from storage.records import (
    ApprovalKind,
    AuditEvent,
    Credential,
    FirstPin,
    Template,
    UnblockMethod,
)

_DAY = 86_400.0


def give(
    desk: Desk,
    credential: Credential,
    kind: ApprovalKind,
    second: SignedIn | None = None,
    *,
    last_try: bool = False,
) -> GivenCode:
    """Make a code for a credential; its caller shows it once and wipes it.

    NotInRole, Refused, SecondNeeded, DirectoryError. Earlier codes of the kind
    become void. `last_try`: the operator was told that one try at the card's PUK may
    be left, and lets it be spent.
    """
    require(desk.operator, Action.RELEASE)
    credential, template = as_of_now(desk, credential)
    if is_own_card(desk, credential):
        reason: Message | None = Message("refusal.own_card")
    elif kind is ApprovalKind.RELEASE:
        reason = _no_release(desk, credential, template)
        if reason is None and spends_last_try(credential, template) and not last_try:
            reason = Message("enrollment.last_try")
    else:
        reason = _no_activation(desk, credential, template)
    if reason is not None:
        refuse(desk, f"approval.{kind}_refused", credential.id, reason)
    if agreed := agree(desk, Action.RELEASE, credential, second):
        note(desk, "approval.agreed", credential=credential.id, data=agreed)
    code = approvals.issue_code(
        desk.parts,
        credential=credential.id,
        kind=kind,
        operator=desk.operator.account,
        station=desk.station,
        valid_for=_seconds_valid(template, kind),
        last_try=last_try and kind is ApprovalKind.RELEASE,
    )
    return GivenCode(code=code, validity=_validity(template, kind))


def _validity(template: Template, kind: ApprovalKind) -> Message:
    """Say how long a code of that kind may be used."""
    if kind is ApprovalKind.ACTIVATION:
        days = template.activation_code_days
        return Message("enrollment.valid_days", {"days": days})
    minutes = round(approvals.RELEASE_SECONDS / 60)
    return Message("enrollment.valid_minutes", {"minutes": minutes})


def _seconds_valid(template: Template, kind: ApprovalKind) -> float:
    if kind is ApprovalKind.ACTIVATION:
        return template.activation_code_days * _DAY
    return approvals.RELEASE_SECONDS


def _no_release(
    desk: Desk, credential: Credential, template: Template
) -> Message | None:
    """Say why a release code would open nothing.

    A card that cannot prove that it is blocked may be, wherever the registry last saw
    it: one blocked before its first PIN is on record as issued still.
    """
    profile, escrow = desk.parts.profile, credential.escrow
    keyless = _stands_in_for_signature(credential, template)
    if keyless and credential.state in (State.ISSUED, State.ACTIVE):
        return None
    methods = (
        wants_code(method, profile, escrow, ANY_CARD) for method in template.unblock
    )
    if not keyless and not any(methods):
        return Message("enrollment.no_release_way")
    tries = 0 if credential.card_authentication_key is None else None
    facts = facts_of(credential, template, tries, profile, ANY_CARD)
    standing = Standing(credential.state, credential.suspended_from)
    events = course(desk.parts.lifecycle, standing, Event.UNBLOCK, facts)
    return Message(events.code) if isinstance(events, Refusal) else None


def spends_last_try(credential: Credential, template: Template) -> bool:
    """Say whether an unblock might spend the last try at the card's PUK.

    Not where an administrator key sets PINs.
    """
    by_key = UnblockMethod.ADMIN_KEY_ONLINE in template.unblock and keeps_admin_key(
        credential
    )
    by_puk = {UnblockMethod.RELEASE_CODE, UnblockMethod.HOLDER_PUK} & {
        *template.unblock
    }
    return bool(by_puk) and not by_key and puks.at_last_try(credential.escrow)


def _stands_in_for_signature(credential: Credential, template: Template) -> bool:
    """A keyless credential whose template lets a release code replace the proof."""
    proof = proof_of(credential, template)
    return proof is not None and proof.release


def _no_activation(
    desk: Desk, credential: Credential, template: Template
) -> Message | None:
    """Say why an activation code would open nothing, or not from this operator."""
    wanted = (
        template.first_pin is FirstPin.ACTIVATION_CODE
        or credential.activation_interrupted
    )
    if not wanted:
        return Message("enrollment.no_activation_code")
    fresh = credential.state is State.ISSUED or approvals.never_activated(credential)
    if not fresh:
        return Message("refusal.already_activated")
    issued = issuing(desk, credential)
    if issued is not None and has_done(desk, issued):
        return Message("enrollment.issuer_sees_no_code")
    return None


def issuing(desk: Desk, credential: Credential) -> AuditEvent | None:
    """Return how the card was issued last; None if nothing is recorded."""
    last = desk.parts.registry.read(
        lambda view: view.events(
            credential=credential.id,
            kind="lifecycle.issue",
            newest_first=True,
            limit=1,
        )
    )
    return last[0] if last else None

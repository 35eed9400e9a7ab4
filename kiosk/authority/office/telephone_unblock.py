"""The operator's side of an unblock by telephone: a challenge in, its answer out.

Whoever calls reads the challenge from the screen of a kiosk. The operator has made
sure who that is; the answer opens this one card once, while it waits.
"""

from __future__ import annotations

from kiosk.authority.errors import CodeMistyped
from kiosk.authority.escrow import admin_key, admin_unblock
from kiosk.authority.escrow.escrowed_secrets import open_field
from kiosk.authority.escrow.unblock_methods import keeps_admin_key
from kiosk.authority.office.desk import (
    Desk,
    agree,
    as_of_now,
    is_own_card,
    note,
    refuse,
)
from kiosk.authority.office.operators import Action, SignedIn, require
from kiosk.core.errors import Message
from kiosk.core.secret import Secret
from kiosk.pin.challenges import heard, spoken
from statemachine.guards import Facts
from statemachine.lifecycle import Event, Standing, State
from storage.records import Credential, Template, UnblockMethod


def answer(
    desk: Desk,
    credential: Credential,
    challenge: Secret,
    second: SignedIn | None = None,
) -> str:
    """Return what to read out, in groups with check digits; audited.

    NotInRole, Refused, SecondNeeded, CodeMistyped (a group of the challenge is not
    right), DirectoryError.
    """
    require(desk.operator, Action.RELEASE)
    credential, template = as_of_now(desk, credential)
    reason = _why_not(desk, credential, template)
    if is_own_card(desk, credential):
        reason = Message("refusal.own_card")
    if reason is not None:
        refuse(desk, "approval.challenge_refused", credential.id, reason)
    block = heard(challenge)
    if block is None:
        raise CodeMistyped
    agreed = agree(desk, Action.RELEASE, credential, second)
    note(desk, "approval.challenge_answered", credential=credential.id, data=agreed)
    envelope = credential.admin_key_sealed
    with open_field(desk.parts, credential.id, admin_unblock.FIELD, envelope) as key:
        return spoken(admin_key.answer(key, bytes(block)))


def _why_not(desk: Desk, credential: Credential, template: Template) -> Message | None:
    if UnblockMethod.ADMIN_KEY_PHONE not in template.unblock:
        return Message("enrollment.no_phone_way")
    if not keeps_admin_key(credential):
        return Message("enrollment.no_admin_key")
    if credential.state is State.ISSUED and credential.activation_interrupted:
        return None
    standing = Standing(credential.state, credential.suspended_from)
    facts = Facts(has_unblock_method=True)
    refusal = desk.parts.lifecycle.why_not(standing, Event.UNBLOCK, facts)
    return None if refusal is None else Message(refusal.code)

"""What was announced is what happens: compared once more before anything is done.

Both ways: what was to be written and would not be, and what was not and would. An
account may be disabled, made an administrator, deleted, or its password set by somebody
while a person reads and types.
"""

from __future__ import annotations

from kiosk.authority.operation import changed_elsewhere
from kiosk.authority.operation.sync_decision import SyncDecision
from kiosk.authority.required_ports import RequiredPorts
from kiosk.authority.rules import in_step
from kiosk.authority.rules.in_step import Compared
from kiosk.authority.values import Announced
from storage.records import Credential


def broken(
    parts: RequiredPorts,
    announced: Announced,
    credential: Credential,
    judgement: SyncDecision,
    station: str,
    *,
    looked_at: Credential,
) -> bool:
    """Say whether something else would happen than the person was told.

    `looked_at`: the credential as it was when its account was looked at.
    """
    told = (announced.password_follows, announced.why_not)
    if told != (judgement.password_follows, judgement.why_not):
        return True
    if announced.rules is not None and announced.rules != judgement.rules:
        return True
    if not judgement.password_follows:
        return False
    if _is_set_since(announced, judgement):
        changed_elsewhere.mark_set_since(parts, looked_at, judgement.view, station)
        return True
    return announced.changed_elsewhere != changed_elsewhere.is_marked(credential)


def _is_set_since(announced: Announced, judgement: SyncDecision) -> bool:
    """Say whether somebody has set the password while the form was open."""
    then, now = announced.seen, judgement.view.newest
    if then is None or now is None:
        return False
    return in_step.compare(then.seen(), now) is Compared.CHANGED

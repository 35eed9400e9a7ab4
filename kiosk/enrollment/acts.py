"""Hold, resume, end: the lifecycle events that are an operator's to make."""

from __future__ import annotations

from kiosk.authority import marks
from kiosk.authority.ports import Refused
from kiosk.enrollment.desk import Desk, is_own_card, is_probably_own_card, refuse
from kiosk.enrollment.operators import Action, require
from statemachine.guards import Facts
from statemachine.lifecycle import Event
from storage.records import Credential

_EVENTS = {
    Action.SUSPEND: Event.SUSPEND,
    Action.RESUME: Event.RESUME,
    Action.REVOKE: Event.REVOKE,
    Action.RETIRE: Event.RETIRE,
}


def act(desk: Desk, action: Action, credential: Credential, reason: str) -> Credential:
    """Let the event of `action` happen; return the credential as it is then.

    NotInRole, Refused, and for `resume`, which gives something back, DirectoryError.
    `reason` is the operator's own words, kept in the audit.
    """
    require(desk.operator, action)
    event = _EVENTS[action]
    if action is Action.RESUME:
        own = is_own_card(desk, credential.account_guid, credential.account)
    else:
        own = is_probably_own_card(desk, credential)
    try:
        return desk.parts.registry.run(
            lambda tx: marks.happen(
                tx,
                desk.parts,
                tx.credential(credential.id),
                event,
                facts=Facts(own_card=own),
                actor=desk.operator.account,
                station=desk.station,
                evidence={"reason": reason},
            )
        )
    except Refused as refused:
        refuse(desk, f"lifecycle.{event}_refused", credential.id, refused.reason)

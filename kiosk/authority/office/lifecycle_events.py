"""Hold, resume, end: the lifecycle events that are an operator's to make."""

from __future__ import annotations

from msgspec.structs import replace

from kiosk.authority.errors import Refused
from kiosk.authority.office.desk import (
    Desk,
    agree,
    drafted,
    is_own_card,
    is_probably_own_card,
    refuse,
)
from kiosk.authority.office.operators import Action, SignedIn, require
from kiosk.authority.operation import transitions
from kiosk.core.errors import Message
from statemachine.guards import Facts
from statemachine.lifecycle import Event
from storage.records import Credential, Sync
from storage.registry import Tx

_EVENTS = {
    Action.SUSPEND: Event.SUSPEND,
    Action.RESUME: Event.RESUME,
    Action.REVOKE: Event.REVOKE,
    Action.RETIRE: Event.RETIRE,
}

_NO_READER = ""
"""No station: wherever somebody is at it, that is another one."""


def act(
    desk: Desk,
    action: Action,
    credential: Credential,
    reason: str,
    second: SignedIn | None = None,
) -> Credential:
    """Let the event of `action` happen; return the credential as it is then.

    NotInRole, Refused, SecondNeeded, and for `resume`, which gives something back,
    DirectoryError.
    `reason` is the operator's own words, kept in the audit.
    """
    require(desk.operator, action)
    agreed = agree(desk, action, credential, second)
    event = _EVENTS[action]
    if action is Action.RESUME:
        own = is_own_card(desk, credential)
    else:
        own = is_probably_own_card(desk, credential)
    try:
        return desk.parts.registry.run(
            lambda tx: transitions.happen(
                tx,
                desk.parts,
                tx.credential(credential.id),
                event,
                facts=Facts(own_card=own),
                actor=desk.operator.account,
                station=desk.station,
                evidence={"reason": reason, **agreed},
            )
        )
    except Refused as refused:
        refuse(desk, f"lifecycle.{event}_refused", credential.id, refused.reason)


def must_not_be_own(desk: Desk, credential: Credential) -> None:
    """Let pass an operator who is not the holder. NotInRole, Refused, DirectoryError.

    Before the holder finishes a case with the operator's help.
    """
    require(desk.operator, Action.LOOK)
    if is_own_card(desk, credential):
        own = Message("refusal.own_card")
        refuse(desk, "operation.not_opened", credential.id, own)


def close_case(desk: Desk, credential: Credential, reason: str) -> Credential:
    """Close an out-of-step case as not synchronised: the password stays as it is.

    NotInRole, Refused.
    """
    require(desk.operator, Action.CLOSE)
    if is_probably_own_card(desk, credential):
        own = Message("refusal.own_card")
        refuse(desk, "credential.close_refused", credential.id, own)

    def commit(tx: Tx) -> Credential | None:
        is_free = _is_left(tx, desk, credential.id)
        current = tx.credential(credential.id)
        if current.sync is not Sync.OUT_OF_STEP or not is_free:
            return None
        drafted(desk, "credential.case_closed", credential.id, "", {"reason": reason})(
            tx
        )
        return tx.save_credential(
            replace(
                current, sync=Sync.NOT_SYNCHRONISED, sync_reason="reason.case_closed"
            )
        )

    closed = desk.parts.registry.run(commit)
    if closed is None:
        nothing = Message("enrollment.nothing_to_close")
        refuse(desk, "credential.close_refused", credential.id, nothing)
    return closed


def _is_left(tx: Tx, desk: Desk, credential: str) -> bool:
    """Say whether nobody is at it with this credential any more.

    What a kiosk began and never ended does not keep a case open for ever.
    """
    settled = transitions.settle_interrupted(tx, desk.parts, credential, _NO_READER)
    return settled and not transitions.is_under_way_elsewhere(
        tx, desk.parts, credential, _NO_READER
    )

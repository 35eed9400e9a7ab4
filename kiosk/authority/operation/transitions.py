"""Durable marks: every phase of an operation and every lifecycle event, audited.

Functions of one transaction. They change nothing but through the `Tx`.
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from kiosk.authority.errors import Refused
from kiosk.authority.escrow import approvals
from kiosk.authority.required_ports import RequiredPorts
from kiosk.core.errors import Message
from statemachine.course import course
from statemachine.guards import Facts, Refusal
from statemachine.lifecycle import Event, Standing, State, settle
from statemachine.operation import (
    Kind,
    Phase,
    Route,
    advance,
    is_final,
    route_of,
)
from storage.records import AuditDraft, Credential, Operation, Sync
from storage.registry import Tx

_TOUCHED = frozenset(
    {Phase.CARD_CHANGING, Phase.CARD_CHANGED, Phase.WRITING, Phase.ROLLING_BACK}
)
UNDER_WAY_SECONDS = 120.0
"""After its last step within which an operation may be under way at its station."""
_LIFECYCLE_EVENT = {Kind.ACTIVATE: Event.ACTIVATE, Kind.UNBLOCK: Event.UNBLOCK}


def route_taken(operation: Operation) -> Route:
    """Return the way an operation goes through its table."""
    return operation.route or route_of(
        operation.kind, password_follows=operation.password_follows, interrupted=False
    )


def card_may_have_changed(operation: Operation) -> bool:
    """Say whether the command that cannot be taken back may have been sent."""
    if operation.kind is Kind.FINISH:
        return False
    if route_taken(operation) is Route.RESET and operation.phase is Phase.AUTHORISED:
        return True
    return operation.phase in _TOUCHED


def card_is_known_changed(operation: Operation) -> bool:
    """Say whether the new PIN has been verified on the card."""
    return card_may_have_changed(operation) and operation.phase not in (
        Phase.CARD_CHANGING,
        Phase.ROLLING_BACK,
    )


def move(
    tx: Tx,
    parts: RequiredPorts,
    operation: Operation,
    target: Phase,
    *,
    reason: str = "",
    evidence: dict[str, str] | None = None,
    **changes: Any,
) -> Operation:
    """Move an operation along an edge of its table, audited. Refused if none."""
    phase = advance(operation.phase, target, route_taken(operation))
    if isinstance(phase, Refusal):
        raise Refused(Message(phase.code))
    now = parts.clock.now()
    moved = tx.save_operation(
        replace(
            operation,
            phase=phase,
            moved_at=now,
            reason=reason or operation.reason,
            ended_at=now if is_final(phase) else None,
            **changes,
        )
    )
    tx.audit(
        AuditDraft(
            at=now,
            station=operation.station,
            kind=f"operation.{target}",
            actor="holder",
            credential=operation.credential,
            operation=operation.id,
            result=reason,
            data={"event": operation.event, "kind": operation.kind, **(evidence or {})},
        )
    )
    return moved


def happen(
    tx: Tx,
    parts: RequiredPorts,
    credential: Credential,
    event: Event,
    *,
    facts: Facts,
    actor: str,
    station: str,
    operation: str = "",
    evidence: dict[str, str] | None = None,
) -> Credential:
    """Let a lifecycle event happen, audited; Refused if table or guard say no."""
    before = Standing(credential.state, credential.suspended_from)
    after = parts.lifecycle.apply(before, event, facts)
    if isinstance(after, Refusal):
        raise Refused(Message(after.code))
    return _stand(
        tx,
        parts,
        credential,
        after,
        event=event,
        actor=actor,
        station=station,
        operation=operation,
        evidence=evidence,
    )


def _stand(
    tx: Tx,
    parts: RequiredPorts,
    credential: Credential,
    after: Standing,
    *,
    event: Event,
    actor: str,
    station: str,
    operation: str,
    evidence: dict[str, str] | None = None,
) -> Credential:
    changed = tx.save_credential(
        replace(credential, state=after.state, suspended_from=after.origin)
    )
    tx.audit(
        AuditDraft(
            at=parts.clock.now(),
            station=station,
            kind=f"lifecycle.{event}",
            actor=actor,
            credential=credential.id,
            operation=operation,
            data={
                "from": credential.state,
                "to": after.state,
                **(evidence or {}),
            },
        )
    )
    return changed


def card_is_final(
    tx: Tx, parts: RequiredPorts, credential: Credential, operation: Operation
) -> Credential:
    """Commit what a final change of the card means: lifecycle event, code spent.

    An activation or unblock of a credential suspended in the middle updates the
    state it will return to.
    """
    approvals.spend(tx, operation)
    changed = replace(
        credential,
        pin_changed_at=parts.clock.now(),
        activation_interrupted=False,
        transport_pin_sealed="",
    )
    event = _LIFECYCLE_EVENT.get(operation.kind)
    if event is None:
        return tx.save_credential(changed)
    for each, after in _course(parts, credential, event):
        changed = _stand(
            tx,
            parts,
            changed,
            after,
            event=each,
            actor="card" if each is Event.PIN_BLOCKED else "holder",
            station=operation.station,
            operation=operation.id,
        )
    return (
        tx.save_credential(changed)
        if changed.version == credential.version
        else changed
    )


def _course(
    parts: RequiredPorts, credential: Credential, event: Event
) -> list[tuple[Event, Standing]]:
    """Return the lifecycle events of a final change, and where each leads.

    Empty where the credential was revoked or retired in the middle. A card that was
    blocked and could not prove it is unblocked by two events.
    """
    standing = Standing(credential.state, credential.suspended_from)
    if credential.state is State.SUSPENDED:
        settled = settle(standing, event)
        return [] if isinstance(settled, Refusal) else [(event, settled)]
    events = course(parts.lifecycle, standing, event, Facts(tries_left=0))
    if isinstance(events, Refusal):
        return []
    steps: list[tuple[Event, Standing]] = []
    for each in events:
        after = parts.lifecycle.apply(standing, each, Facts(tries_left=0))
        if isinstance(after, Refusal):
            return []
        standing = after
        steps.append((each, after))
    return steps


def end_out_of_step(
    tx: Tx,
    parts: RequiredPorts,
    operation: Operation,
    reason: Message,
    *,
    evidence: dict[str, str] | None = None,
) -> Operation:
    """End an operation whose outcome on the card or in the directory is not certain."""
    credential = tx.credential(operation.credential)
    if card_is_known_changed(operation):
        credential = card_is_final(tx, parts, credential, operation)
    elif operation.kind is Kind.ACTIVATE or approvals.never_activated(credential):
        # Whatever the card has now, its transport PIN must not be sent again.
        credential = replace(credential, activation_interrupted=True)
    tx.save_credential(
        replace(
            credential, sync=Sync.OUT_OF_STEP, sync_reason=_lasting(reason, operation)
        )
    )
    return move(
        tx,
        parts,
        operation,
        Phase.OUT_OF_STEP,
        reason=reason.key,
        evidence=evidence,
    )


def _lasting(reason: Message, operation: Operation) -> str:
    """Return a key whose sentence still makes sense at the next visit."""
    if reason.key.startswith("reason."):
        return reason.key
    return "reason.write_refused" if operation.written else "reason.not_written"


def settle_interrupted(
    tx: Tx, parts: RequiredPorts, credential: str, station: str
) -> bool:
    """End what a pulled card or a dead process left behind; False: one goes on.

    Called at the next look at a card. An operation that changed nothing yet is left
    alone: another station may be about to go on with it. So is one that is under way
    at another station: the card here may be a copy of its name.
    """
    for operation in tx.live_operations(credential):
        if is_writing(parts, operation):
            return False
        if card_may_have_changed(operation) or operation.phase is Phase.WRITING:
            if _is_under_way(parts, operation, station):
                return False
            end_out_of_step(tx, parts, operation, Message("reason.interrupted"))
    return True


def supersede(tx: Tx, parts: RequiredPorts, credential: str, station: str) -> bool:
    """Make room for a new operation; False: one goes on and must end first."""
    if not settle_interrupted(tx, parts, credential, station):
        return False
    if is_under_way_elsewhere(tx, parts, credential, station):
        return False
    for operation in tx.live_operations(credential):
        move(tx, parts, operation, Phase.REFUSED, reason="reason.superseded")
    return True


def is_under_way_elsewhere(
    tx: Tx, parts: RequiredPorts, credential: str, station: str
) -> bool:
    """Say whether another station is at it with this credential."""
    live = tx.live_operations(credential)
    return any(_is_under_way(parts, each, station) for each in live)


def end_elsewhere(tx: Tx, parts: RequiredPorts, credential: str, station: str) -> None:
    """End what is under way at other stations: the card is here, and has proven it."""
    for operation in tx.live_operations(credential):
        if operation.station == station or is_writing(parts, operation):
            continue
        if card_may_have_changed(operation) or operation.phase is Phase.WRITING:
            end_out_of_step(tx, parts, operation, Message("reason.interrupted"))
        else:
            move(tx, parts, operation, Phase.REFUSED, reason="reason.superseded")


def _is_under_way(parts: RequiredPorts, operation: Operation, station: str) -> bool:
    """Say whether another station may still be at it: it did something a while ago.

    By the clock of this host, which may be behind that of the one that wrote it down.
    """
    if operation.station == station:
        return False
    since = parts.clock.now() - max(operation.moved_at, operation.started_at)
    return abs(since) < UNDER_WAY_SECONDS


def is_writing(parts: RequiredPorts, operation: Operation) -> bool:
    """Say whether its answer may still come. Whatever is done to the wall clock, it is
    waited for no longer than the deadline.
    """
    if operation.phase is not Phase.WRITING or operation.writing_until is None:
        return False
    waited = parts.fences.seen_for(operation.id, parts.clock.monotonic())
    is_in_time = parts.clock.now() < operation.writing_until
    return is_in_time and waited < parts.write_deadline

"""Marks around the command on the card that cannot be taken back."""

from __future__ import annotations

from msgspec.structs import replace

from kiosk.authority.escrow import approvals
from kiosk.authority.operation import transitions
from kiosk.authority.operation.authorise import is_late
from kiosk.authority.ports import Refused
from kiosk.authority.required_ports import RequiredPorts
from kiosk.core.errors import Message
from statemachine.lifecycle import State
from statemachine.operation import Phase
from storage.records import Credential, Operation, Sync
from storage.registry import Tx

_HELD = (State.SUSPENDED, State.REVOKED, State.RETIRED)


def held(credential: Credential) -> Message | None:
    """Say why nothing may go on with a credential that was held in the middle."""
    if credential.state in _HELD:
        return Message(f"stop.{credential.state}")
    return None


def changing(parts: RequiredPorts, id: str) -> None:
    """Commit `card_changing`. Refused, with nothing changed, if it may not go on."""
    refusal = parts.registry.run(lambda tx: _changing(tx, parts, id))
    if refusal is not None:
        raise Refused(refusal)


def _changing(tx: Tx, parts: RequiredPorts, id: str) -> Message | None:
    operation = tx.operation(id)
    if operation.ended_at is not None:
        return Message("stop.operation_ended")
    credential = tx.credential(operation.credential)
    template = tx.template(credential.template, credential.template_version)
    refusal = held(credential) or _late(parts, operation)
    if refusal is None and approvals.missing(tx, operation, credential, template):
        refusal = Message("stop.code_first")
    if refusal is not None:
        transitions.move(tx, parts, operation, Phase.REFUSED, reason=refusal.key)
        return refusal
    transitions.move(tx, parts, operation, Phase.CARD_CHANGING)
    return None


def _late(parts: RequiredPorts, operation: Operation) -> Message | None:
    if operation.authorised_until is not None and is_late(parts, operation):
        return Message("reason.authorisation_late")
    return None


def changed(parts: RequiredPorts, id: str) -> None:
    """Commit that the new PIN was verified; ends the operation if nothing follows."""
    parts.registry.run(lambda tx: _changed(tx, parts, id))


def _changed(tx: Tx, parts: RequiredPorts, id: str) -> None:
    operation = tx.operation(id)
    if operation.ended_at is not None:
        raise Refused(Message("stop.operation_ended"))
    operation = transitions.move(tx, parts, operation, Phase.CARD_CHANGED)
    if operation.password_follows:
        return
    credential = transitions.card_is_final(
        tx, parts, tx.credential(operation.credential), operation
    )
    tx.save_credential(
        replace(credential, sync=Sync.NOT_SYNCHRONISED, sync_reason=operation.reason)
    )
    transitions.move(tx, parts, operation, Phase.DONE, reason=operation.reason)


def rolled_back(parts: RequiredPorts, id: str, *, restored: bool) -> None:
    """Commit how the way back ended."""

    def commit(tx: Tx) -> None:
        operation = tx.operation(id)
        if operation.ended_at is not None:
            raise Refused(Message("stop.operation_ended"))
        if restored:
            transitions.move(tx, parts, operation, Phase.ROLLED_BACK)
        else:
            reason = Message("reason.not_restored")
            transitions.end_out_of_step(tx, parts, operation, reason)

    parts.registry.run(commit)


def refuse(parts: RequiredPorts, id: str, reason: Message) -> None:
    """End an operation that changed nothing."""

    def commit(tx: Tx) -> None:
        operation = tx.operation(id)
        if operation.ended_at is None:
            transitions.move(tx, parts, operation, Phase.REFUSED, reason=reason.key)

    parts.registry.run(commit)


def leave_out_of_step(parts: RequiredPorts, id: str, reason: Message) -> None:
    """End an operation whose card could not be asked."""

    def commit(tx: Tx) -> None:
        operation = tx.operation(id)
        if operation.ended_at is None:
            transitions.end_out_of_step(tx, parts, operation, reason)

    parts.registry.run(commit)

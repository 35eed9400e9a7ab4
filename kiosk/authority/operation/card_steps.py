"""Marks around the command on the card that cannot be taken back."""

from __future__ import annotations

from msgspec.structs import replace

from kiosk.authority.errors import Refused
from kiosk.authority.escrow import approvals, puk_unblock
from kiosk.authority.operation import prepare, transitions
from kiosk.authority.operation.authorised_time import is_late
from kiosk.authority.repeats import Once
from kiosk.authority.required_ports import RequiredPorts
from kiosk.authority.rules.held import held
from kiosk.authority.values import Challenge, OperationOutcome
from kiosk.core.errors import Message
from statemachine.candidates import Label
from statemachine.operation import Phase, Route
from storage.records import Operation, Sync
from storage.registry import Tx


def changing(parts: RequiredPorts, once: Once, id: str) -> None:
    """Commit `card_changing`. Refused, with nothing changed, if it may not go on."""
    once.commit(lambda tx: _begin_or_go_on(tx, parts, id))


def _begin_or_go_on(tx: Tx, parts: RequiredPorts, id: str) -> Refused | None:
    """As `begin_changing`. Committed with the proof, it is judged once more."""
    operation = tx.operation(id)
    is_with_proof = operation.phase is Phase.CARD_CHANGING
    if not (is_with_proof and transitions.route_taken(operation) is Route.OLD_PIN):
        return begin_changing(tx, parts, id)
    refusal = _refusal(tx, parts, operation)
    if refusal is None:
        return None
    transitions.move(tx, parts, operation, Phase.REFUSED, reason=refusal.key)
    return Refused(refusal)


def begin_changing(tx: Tx, parts: RequiredPorts, id: str) -> Refused | None:
    """Mark that the card is about to be changed; or end it, and say why it may not."""
    operation = tx.operation(id)
    if operation.ended_at is not None:
        return Refused(Message("stop.operation_ended"))
    refusal = _refusal(tx, parts, operation)
    target = Phase.CARD_CHANGING if refusal is None else Phase.REFUSED
    reason = refusal.key if refusal is not None else ""
    transitions.move(tx, parts, operation, target, reason=reason)
    return None if refusal is None else Refused(refusal)


def refuse_if_held(tx: Tx, parts: RequiredPorts, id: str) -> Refused | None:
    """Say why nothing may leave for a card that was held in the middle; None: it may.

    The operation is ended by that, unless the card may have changed in it already.
    """
    operation = tx.operation(id)
    refusal = held(tx.credential(operation.credential))
    if refusal is None:
        return None
    is_untouched = not transitions.card_may_have_changed(operation)
    if operation.ended_at is None and is_untouched:
        transitions.move(tx, parts, operation, Phase.REFUSED, reason=refusal.key)
    return Refused(refusal)


def _refusal(tx: Tx, parts: RequiredPorts, operation: Operation) -> Message | None:
    """Say why the card may not be changed now; None: it may."""
    credential = tx.credential(operation.credential)
    template = tx.template(credential.template, credential.template_version)
    refusal = held(credential) or _late(parts, operation)
    if refusal is not None:
        return refusal
    now = parts.clock.now()
    if approvals.missing(tx, operation, credential, template, now):
        return Message("stop.code_first")
    return None


def _late(parts: RequiredPorts, operation: Operation) -> Message | None:
    if operation.authorised_until is not None and is_late(parts, operation):
        return Message("reason.authorisation_late")
    return None


def changed(
    parts: RequiredPorts, once: Once, id: str, taken: Label | None
) -> Challenge | None:
    """Commit that the new PIN was verified, and which PUK the card took for it.

    Ends the operation if nothing follows; else gives what to sign for the write.
    """

    def commit(tx: Tx) -> Challenge | None:
        operation = tx.operation(id)
        if operation.ended_at is not None:
            raise Refused(Message("stop.operation_ended"))
        if taken is not None:
            puk_unblock.take(tx, parts, operation, taken)
        operation = verified(tx, parts, operation)
        if operation.ended_at is not None:
            return None
        return prepare.renew(tx, parts, operation)

    return once.commit(commit)


def verified(tx: Tx, parts: RequiredPorts, operation: Operation) -> Operation:
    """Mark that the card has the new PIN; end it where no password follows."""
    operation = transitions.move(tx, parts, operation, Phase.CARD_CHANGED)
    if operation.password_follows:
        return operation
    credential = transitions.card_is_final(
        tx, parts, tx.credential(operation.credential), operation
    )
    tx.save_credential(
        replace(credential, sync=Sync.NOT_SYNCHRONISED, sync_reason=operation.reason)
    )
    return transitions.move(tx, parts, operation, Phase.DONE, reason=operation.reason)


def outcome(parts: RequiredPorts, id: str) -> OperationOutcome:
    """Say how an operation stands."""
    operation = parts.registry.read(lambda view: view.operation(id))
    return OperationOutcome(
        event=operation.event,
        phase=operation.phase,
        reason=operation.reason,
        is_ended=operation.ended_at is not None,
    )


def rolled_back(parts: RequiredPorts, once: Once, id: str, *, restored: bool) -> None:
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

    once.commit(commit)


def refuse(parts: RequiredPorts, once: Once, id: str, reason: Message) -> None:
    """End an operation that changed nothing."""

    def commit(tx: Tx) -> None:
        operation = tx.operation(id)
        if operation.ended_at is None:
            transitions.move(tx, parts, operation, Phase.REFUSED, reason=reason.key)

    once.commit(commit)


def leave_out_of_step(
    parts: RequiredPorts, once: Once, id: str, reason: Message
) -> None:
    """End an operation whose card could not be asked."""

    def commit(tx: Tx) -> None:
        operation = tx.operation(id)
        if operation.ended_at is None:
            transitions.end_out_of_step(tx, parts, operation, reason)

    once.commit(commit)

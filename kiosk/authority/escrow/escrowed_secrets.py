"""Escrowed secrets: sealed to one field of one credential, released once proven.

A transport PIN leaves as a whole. A PUK does not: what may be on the card is handed
out one value after the other, each written down first (`puk_unblock`).
"""

from __future__ import annotations

from msgspec.structs import replace

from kiosk.authority.errors import Refused
from kiosk.authority.escrow import approvals, puks
from kiosk.authority.proof import presence
from kiosk.authority.required_ports import RequiredPorts
from kiosk.core.errors import Message
from kiosk.core.secret import Secret
from statemachine.operation import Kind
from storage.records import (
    AuditDraft,
    Credential,
    FirstPin,
    Operation,
    Template,
    UnblockMethod,
)
from storage.registry import Tx

_TABLE = "credentials"
PENDING, CURRENT, TRANSPORT = "escrow.pending", "escrow.current", "transport_pin"
"""Fields of an envelope."""


def seal_field(parts: RequiredPorts, credential: str, field: str, value: Secret) -> str:
    """Return an envelope bound to one field of one credential."""
    return parts.vault.seal(
        value.reveal(), table=_TABLE, record=credential, field=field
    )


def open_field(
    parts: RequiredPorts, credential: str, field: str, envelope: str
) -> Secret:
    """Open an envelope of one field; wipe what you get."""
    plain = parts.vault.open(envelope, table=_TABLE, record=credential, field=field)
    try:
        return Secret(plain)
    finally:
        for index in range(len(plain)):
            plain[index] = 0


# --- release -----------------------------------------------------------------


def release(
    tx: Tx, parts: RequiredPorts, id: str, nonce: bytes, signed: bytes
) -> Credential | None:
    """Open the way to the transport PIN, or to the PUK, of the credential returned.

    None: the card has not proven itself. Refused.
    """
    operation = tx.operation(id)
    credential = tx.credential(operation.credential)
    template = tx.template(credential.template, credential.template_version)
    _may_release(operation, credential, template)
    if approvals.missing(tx, operation, credential, template, parts.clock.now()):
        raise Refused(Message("stop.code_first"))
    proven = credential.card_authentication_key is None
    if not proven:
        proven = presence.is_proven(
            tx, parts, credential, operation.station, nonce, signed
        )
    kind = "escrow.released" if proven else "escrow.proof_failed"
    note(tx, parts, operation, kind)
    if not proven:
        return None
    is_first = is_first_activation(operation, credential)
    tx.save_operation(replace(operation, card_proven=True, puk_released=not is_first))
    if not is_first and not puks.can_release(credential.escrow):
        raise Refused(Message("stop.puk_used_up"))
    return credential


def transport_pin(parts: RequiredPorts, credential: Credential) -> Secret:
    """Open the transport PIN that was released; wipe what you get."""
    envelope = credential.transport_pin_sealed
    return open_field(parts, credential.id, TRANSPORT, envelope)


def is_first_activation(operation: Operation, credential: Credential) -> bool:
    """Say whether the transport PIN may be sent; later it never is again."""
    return operation.kind is Kind.ACTIVATE and not credential.activation_interrupted


def wants_proof(
    operation: Operation, credential: Credential, template: Template
) -> bool:
    """Say whether the card has to prove itself before something is released."""
    has_key = credential.card_authentication_key is not None
    return has_key and _is_kept(operation, credential, template)


def _may_release(
    operation: Operation, credential: Credential, template: Template
) -> None:
    if operation.ended_at is not None:
        raise Refused(Message("stop.operation_ended"))
    if not _is_kept(operation, credential, template):
        raise Refused(Message("stop.nothing_in_escrow"))


def _is_kept(operation: Operation, credential: Credential, template: Template) -> bool:
    match operation.kind:
        case Kind.UNBLOCK:
            return operation.method is UnblockMethod.RELEASE_CODE
        case Kind.ACTIVATE:
            by_reset = operation.method is UnblockMethod.RELEASE_CODE
            by_code = template.first_pin is FirstPin.ACTIVATION_CODE
            return (credential.activation_interrupted and by_reset) or (
                by_code and bool(credential.transport_pin_sealed)
            )
        case _:
            return False


def note(
    tx: Tx, parts: RequiredPorts, operation: Operation, kind: str, **data: str
) -> None:
    """Write down what happened to an escrowed secret."""
    tx.audit(
        AuditDraft(
            at=parts.clock.now(),
            station=operation.station,
            kind=kind,
            actor="authority",
            credential=operation.credential,
            operation=operation.id,
            data=data,
        )
    )

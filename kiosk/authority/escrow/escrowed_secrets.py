"""Escrowed secrets: sealed to one field of one credential, released once proven.

A transport PIN leaves as a whole. A PUK does not: what may be on the card is handed
out one value after the other, each written down first (`puk_unblock`).
"""

from __future__ import annotations

from msgspec.structs import replace

from kiosk.authority.escrow import approvals, puks
from kiosk.authority.ports import ProofFailed, Refused, Release
from kiosk.authority.proof import presence
from kiosk.authority.required_ports import RequiredPorts
from kiosk.core.errors import Message
from kiosk.core.secret import Secret
from kiosk.pin.weak import is_weak
from statemachine.operation import Kind
from storage.records import (
    AuditDraft,
    Credential,
    FirstPin,
    Operation,
    Template,
    UnblockWay,
)
from storage.registry import Tx

PUK_LENGTH = 8
_ALPHABET = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz"
_DIGITS = b"0123456789"
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


def new_puk(parts: RequiredPorts) -> Secret:
    """Return eight random printable ASCII characters, none easily misread."""
    return _drawn(parts, _ALPHABET)


def new_digits_puk(parts: RequiredPorts) -> Secret:
    """Return eight random digits, which every card takes, not easy to guess."""
    while True:
        puk = _drawn(parts, _DIGITS)
        if not is_weak(puk.reveal()):
            return puk
        puk.wipe()


def _drawn(parts: RequiredPorts, alphabet: bytes) -> Secret:
    return Secret(
        bytes(alphabet[parts.entropy.below(len(alphabet))] for _ in range(PUK_LENGTH))
    )


# --- release -----------------------------------------------------------------


def release(parts: RequiredPorts, id: str, nonce: bytes, signed: bytes) -> Release:
    """Hand out the transport PIN, or open the way to the PUK. Refused, ProofFailed."""
    outcome = parts.registry.run(lambda tx: _release(tx, parts, id, nonce, signed))
    if outcome is None:
        raise ProofFailed
    credential, envelope = outcome
    if not envelope:
        return Release()
    return Release(transport=open_field(parts, credential, TRANSPORT, envelope))


def _release(
    tx: Tx, parts: RequiredPorts, id: str, nonce: bytes, signed: bytes
) -> tuple[str, str] | None:
    operation = tx.operation(id)
    credential = tx.credential(operation.credential)
    template = tx.template(credential.template, credential.template_version)
    _may_release(operation, credential, template)
    if approvals.missing(tx, operation, credential, template):
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
    is_first = operation.kind is Kind.ACTIVATE and not credential.activation_interrupted
    tx.save_operation(replace(operation, card_proven=True, puk_released=not is_first))
    if is_first:
        return credential.id, credential.transport_pin_sealed
    if not puks.can_release(credential.escrow):
        raise Refused(Message("stop.puk_used_up"))
    return credential.id, ""


def _may_release(
    operation: Operation, credential: Credential, template: Template
) -> None:
    if operation.ended_at is not None:
        raise Refused(Message("stop.operation_ended"))
    match operation.kind:
        case Kind.UNBLOCK:
            missing = operation.way is not UnblockWay.RELEASE_CODE
        case Kind.ACTIVATE:
            by_reset = operation.way is UnblockWay.RELEASE_CODE
            missing = not (credential.activation_interrupted and by_reset) and (
                template.first_pin is not FirstPin.ACTIVATION_CODE
                or not credential.transport_pin_sealed
            )
        case _:
            missing = True
    if missing:
        raise Refused(Message("stop.nothing_in_escrow"))


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

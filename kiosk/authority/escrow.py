"""Escrowed secrets: released once proven, exposed once released, then rotated.

A PIV card does not tell its PUK tries, so the authority counts them: each
candidate is tried at most once per release, and with one try left it stops.
A pending PUK (sent to the card, not yet confirmed) is never overwritten: it is
tried first, and settled by what the card says.
"""

from __future__ import annotations

from msgspec.structs import replace

from kiosk.authority import approvals, presence, puks
from kiosk.authority.parts import Parts
from kiosk.authority.ports import ProofFailed, PukPlan, Refused, Release
from kiosk.errors import Message
from kiosk.secret import Secret
from statemachine.operation import Kind
from storage.records import (
    AuditDraft,
    Credential,
    Escrow,
    FirstPin,
    Operation,
    Template,
    UnblockWay,
)
from storage.registry import Tx

PUK_LENGTH = 8
_ALPHABET = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz"
_FACTORY_PUK = b"12345678"
_TABLE = "credentials"


def seal_field(parts: Parts, credential: str, field: str, value: Secret) -> str:
    """Return an envelope bound to one field of one credential."""
    return parts.vault.seal(
        value.reveal(), table=_TABLE, record=credential, field=field
    )


def open_field(parts: Parts, credential: str, field: str, envelope: str) -> Secret:
    """Open an envelope of one field; wipe what you get."""
    plain = parts.vault.open(envelope, table=_TABLE, record=credential, field=field)
    try:
        return Secret(plain)
    finally:
        for index in range(len(plain)):
            plain[index] = 0


def new_puk(parts: Parts) -> Secret:
    """Return eight random printable ASCII characters, none easily misread."""
    return Secret(
        bytes(_ALPHABET[parts.entropy.below(len(_ALPHABET))] for _ in range(PUK_LENGTH))
    )


# --- release -----------------------------------------------------------------


def release(parts: Parts, id: str, nonce: bytes, signed: bytes) -> Release:
    """Hand out what this operation needs. Refused, ProofFailed."""
    outcome = parts.registry.run(lambda tx: _release(tx, parts, id, nonce, signed))
    if outcome is None:
        raise ProofFailed
    labels, envelopes, credential = outcome
    return Release(
        labels=labels,
        secrets=tuple(
            open_field(parts, credential, _FIELDS[label], envelope)
            for label, envelope in zip(labels, envelopes, strict=True)
        ),
    )


_FIELDS = {
    "pending": "escrow.pending",
    "current": "escrow.current",
    "transport": "transport_pin",
}


def _release(
    tx: Tx, parts: Parts, id: str, nonce: bytes, signed: bytes
) -> tuple[tuple[str, ...], tuple[str, ...], str] | None:
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
    tx.save_operation(replace(operation, card_proven=True))
    if operation.kind is Kind.ACTIVATE and not credential.activation_interrupted:
        return ("transport",), (credential.transport_pin_sealed,), credential.id
    candidates = puks.candidates(credential.escrow)
    if not candidates:
        raise Refused(Message("stop.puk_used_up"))
    tx.save_credential(
        replace(credential, escrow=replace(credential.escrow, exposed=True))
    )
    return (
        tuple(label for label, _ in candidates),
        tuple(envelope for _, envelope in candidates),
        credential.id,
    )


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


# --- what the card said ------------------------------------------------------


def puk_wrong(parts: Parts, id: str) -> None:
    """Count a PUK that the card refused."""

    def commit(tx: Tx) -> None:
        operation = tx.operation(id)
        credential = tx.credential(operation.credential)
        escrow = credential.escrow
        counted = replace(escrow, wrong_tries=escrow.wrong_tries + 1)
        tx.save_credential(replace(credential, escrow=counted))
        note(tx, parts, operation, "escrow.puk_wrong")

    parts.registry.run(commit)


def puk_accepted(parts: Parts, id: str, label: str) -> None:
    """Settle which PUK the card has: the pending one, or still the current one."""

    def commit(tx: Tx) -> None:
        operation = tx.operation(id)
        credential = tx.credential(operation.credential)
        escrow = replace(credential.escrow, wrong_tries=0)
        if label == "pending":
            escrow = _promoted(parts, credential.id, escrow)
        else:
            escrow = replace(escrow, pending_sealed="")
        tx.save_credential(replace(credential, escrow=escrow))

    parts.registry.run(commit)


def _promoted(parts: Parts, credential: str, escrow: Escrow) -> Escrow:
    with open_field(
        parts, credential, _FIELDS["pending"], escrow.pending_sealed
    ) as confirmed:
        current = seal_field(parts, credential, _FIELDS["current"], confirmed)
    return replace(escrow, current_sealed=current, pending_sealed="")


# --- rotation ----------------------------------------------------------------


def puk_plan(parts: Parts, id: str) -> PukPlan | None:
    """Commit the next PUK as pending and say how to set it; None: not due.

    An unresolved pending PUK is the next one again: the card may have it already,
    so it is the first old value to try, too.
    """
    operation, credential = parts.registry.run(
        lambda tx: (
            (found := tx.operation(id)),
            tx.credential(found.credential),
        )
    )
    escrow = credential.escrow
    unescrowed = not escrow.current_sealed and operation.kind is Kind.ACTIVATE
    if not (escrow.exposed or unescrowed) or not operation.card_proven:
        return None
    if escrow.wrong_tries >= puks.PUK_TRIES - 1:
        raise Refused(Message("stop.puk_used_up"))
    old: list[Secret] = []
    if escrow.pending_sealed:
        new = open_field(
            parts, credential.id, _FIELDS["pending"], escrow.pending_sealed
        )
        old.append(new.copy())
    else:
        new = new_puk(parts)
        _commit_pending(parts, operation, new)
    if escrow.current_sealed:
        old.append(
            open_field(parts, credential.id, _FIELDS["current"], escrow.current_sealed)
        )
    else:
        old.append(Secret(_FACTORY_PUK))
    return PukPlan(old=tuple(old[: puks.PUK_TRIES - 1 - escrow.wrong_tries]), new=new)


def _commit_pending(parts: Parts, operation: Operation, new: Secret) -> None:
    envelope = seal_field(parts, operation.credential, _FIELDS["pending"], new)

    def commit(tx: Tx) -> None:
        credential = tx.credential(operation.credential)
        escrow = replace(credential.escrow, pending_sealed=envelope)
        tx.save_credential(replace(credential, escrow=escrow))
        note(tx, parts, operation, "escrow.rotation_begun")

    parts.registry.run(commit)


def puk_replaced(parts: Parts, id: str) -> None:
    """The card confirmed the pending PUK: it is current, and nobody has seen it."""

    def commit(tx: Tx) -> None:
        operation = tx.operation(id)
        credential = tx.credential(operation.credential)
        escrow = _promoted(parts, credential.id, credential.escrow)
        tx.save_credential(
            replace(credential, escrow=replace(escrow, exposed=False, wrong_tries=0))
        )
        note(tx, parts, operation, "escrow.rotated")

    parts.registry.run(commit)


def note(tx: Tx, parts: Parts, operation: Operation, kind: str) -> None:
    """Write down what happened to an escrowed secret."""
    tx.audit(
        AuditDraft(
            at=parts.clock.now(),
            station=operation.station,
            kind=kind,
            actor="authority",
            credential=operation.credential,
            operation=operation.id,
        )
    )

"""Online unblock with a card's administrator key: proof of the card, and of us.

Mutual authentication in one exchange: the card shows that it is the one on record
(nothing else holds this key), and takes a new PIN from whoever showed the same. The
key is opened here for one block and wiped; a station sees challenges and cryptograms.
"""

from __future__ import annotations

from msgspec.structs import replace

from kiosk.authority.errors import ProofFailed, Refused
from kiosk.authority.escrow import admin_key, approvals
from kiosk.authority.escrow.escrowed_secrets import note, open_field
from kiosk.authority.escrow.unblock_methods import keeps_admin_key
from kiosk.authority.repeats import Once
from kiosk.authority.required_ports import RequiredPorts
from kiosk.authority.rules.held import held
from kiosk.authority.values import AdminProof
from kiosk.core.errors import Message
from statemachine.operation import Kind
from storage.records import Credential, Operation, UnblockMethod
from storage.registry import Tx
from storage.view import View

FIELD = "admin_key"


def challenge(parts: RequiredPorts, once: Once, id: str) -> bytes:
    """Return our challenge (16 bytes), once for each operation. Refused."""
    ours = parts.entropy.bytes(admin_key.MUTUAL_BYTES)

    def commit(tx: Tx) -> bytes:
        operation, _ = _may_go_on(tx, parts, id)
        if operation.admin_challenges:
            raise Refused(Message("stop.operation_ended"))
        tx.save_operation(replace(operation, admin_challenges=ours))
        return ours

    return once.commit(commit)


def proof(parts: RequiredPorts, once: Once, id: str, cards: bytes) -> AdminProof:
    """Answer the card's challenge (16 bytes), once. Refused, ProofFailed."""
    if len(cards) != admin_key.MUTUAL_BYTES:
        raise ProofFailed

    def commit(tx: Tx) -> AdminProof | ProofFailed:
        operation, credential = _may_go_on(tx, parts, id)
        ours = operation.admin_challenges
        if len(ours) != admin_key.MUTUAL_BYTES:
            raise Refused(Message("stop.operation_ended"))
        if admin_key.is_mirrored(ours, cards):
            note(tx, parts, operation, "escrow.proof_failed", why="mirrored")
            return ProofFailed()
        saved = replace(operation, admin_challenges=ours + cards)
        note(tx, parts, tx.save_operation(saved), "escrow.admin_key_used")
        sealed = credential.admin_key_sealed
        with open_field(parts, credential.id, FIELD, sealed) as key:
            answer = admin_key.prove(key, ours, cards, parts.entropy)
        return AdminProof(cryptogram=answer)

    return once.commit(commit)


def is_card_on_record(parts: RequiredPorts, id: str, answered: bytes) -> bool:
    """Judge the card's answer to what was sent last. Refused."""
    operation, credential = parts.registry.read(lambda it: _judged(it, id))
    both = operation.admin_challenges
    ours, cards = both[: admin_key.MUTUAL_BYTES], both[admin_key.MUTUAL_BYTES :]
    with open_field(parts, credential.id, FIELD, credential.admin_key_sealed) as key:
        return bool(cards) and admin_key.is_proven(key, ours, cards, answered)


def proven(tx: Tx, parts: RequiredPorts, id: str, *, is_proven: bool) -> None:
    """Write down how the card's answer was judged."""
    operation = tx.operation(id)
    kind = "escrow.card_proven" if is_proven else "escrow.proof_failed"
    note(tx, parts, operation, kind)
    if is_proven:
        tx.save_operation(replace(operation, card_proven=True))


def _may_go_on(tx: Tx, parts: RequiredPorts, id: str) -> tuple[Operation, Credential]:
    """As `_judged`, and neither held nor without a code that counts. Refused."""
    operation, credential = _judged(tx, id)
    if (refusal := held(credential)) is not None:
        raise Refused(refusal)
    template = tx.template(credential.template, credential.template_version)
    if approvals.missing(tx, operation, credential, template, parts.clock.now()):
        raise Refused(Message("stop.code_first"))
    return operation, credential


def _judged(tx: View, id: str) -> tuple[Operation, Credential]:
    operation = tx.operation(id)
    if operation.ended_at is not None:
        raise Refused(Message("stop.operation_ended"))
    credential = tx.credential(operation.credential)
    is_reset = operation.kind is Kind.UNBLOCK or (
        operation.kind is Kind.ACTIVATE and credential.activation_interrupted
    )
    if (
        not keeps_admin_key(credential)
        or operation.method is not UnblockMethod.ADMIN_KEY_ONLINE
        or not is_reset
    ):
        raise Refused(Message("stop.nothing_in_escrow"))
    return operation, credential

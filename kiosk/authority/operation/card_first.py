"""The card comes first: what sets its PIN is released with the mark that it may change.

One commit each: a PUK that has left, or a card that has been proven to us, without the
mark would be a card that nobody asks about.
"""

from __future__ import annotations

from kiosk.authority.errors import AuthorityError, ProofFailed, Refused
from kiosk.authority.escrow import admin_unblock, escrowed_secrets, puk_unblock
from kiosk.authority.operation.card_steps import begin_changing, refuse_if_held
from kiosk.authority.repeats import Once
from kiosk.authority.required_ports import RequiredPorts
from kiosk.authority.values import Release
from storage.registry import Tx


def release(
    parts: RequiredPorts,
    once: Once,
    id: str,
    nonce: bytes,
    signed: bytes,
    told: int | None,
) -> Release:
    """Hand out the transport PIN, or the first PUK to be sent. Refused, ProofFailed."""

    def commit(tx: Tx) -> Release | AuthorityError:
        refusal = refuse_if_held(tx, parts, id)
        if refusal is not None:
            return refusal
        credential = escrowed_secrets.release(tx, parts, id, nonce, signed)
        if credential is None:
            return ProofFailed()
        if escrowed_secrets.is_first_activation(tx.operation(id), credential):
            pin = escrowed_secrets.transport_pin(parts, credential)
            return Release(transport=pin)
        refusal = begin_changing(tx, parts, id)
        if refusal is not None:
            return refusal  # nothing is sent, so no try is counted
        return Release(puk=puk_unblock.choose(tx, parts, id, (), told))

    return once.commit(commit)


def puk_typed(parts: RequiredPorts, once: Once, id: str, told: int | None) -> None:
    """Commit that a typed PUK is about to be sent. Refused: none may be."""

    def commit(tx: Tx) -> Refused | None:
        refusal = begin_changing(tx, parts, id)
        if refusal is None:
            puk_unblock.typing(tx, parts, id, told)
        return refusal

    once.commit(commit)


def admin_proven(parts: RequiredPorts, once: Once, id: str, answered: bytes) -> None:
    """Judge the card's answer; if it is the card on record, it may be changed.

    ProofFailed: it is not. Refused.
    """
    is_proven = admin_unblock.is_card_on_record(parts, id, answered)

    def commit(tx: Tx) -> Refused | ProofFailed | None:
        admin_unblock.proven(tx, parts, id, is_proven=is_proven)
        return begin_changing(tx, parts, id) if is_proven else ProofFailed()

    once.commit(commit)

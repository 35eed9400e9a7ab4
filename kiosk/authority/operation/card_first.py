"""The card comes first: what sets its PIN is released with the mark that it may change.

One commit each: a PUK that has left, or a card that has been proven to us, without the
mark would be a card that nobody asks about.
"""

from __future__ import annotations

from kiosk.authority.escrow import admin_unblock, escrowed_secrets, puk_unblock
from kiosk.authority.operation.card_steps import begin_changing
from kiosk.authority.ports import ProofFailed, PukTry, Refused, Release
from kiosk.authority.required_ports import RequiredPorts
from kiosk.core.errors import Message
from statemachine.candidates import Label
from storage.records import Credential
from storage.registry import Tx

_Released = tuple[Credential, Label | None]


def release(
    parts: RequiredPorts, id: str, nonce: bytes, signed: bytes, told: int | None
) -> Release:
    """Hand out the transport PIN, or the first PUK to be sent. Refused, ProofFailed."""

    def commit(tx: Tx) -> _Released | Message | None:
        credential = escrowed_secrets.release(tx, parts, id, nonce, signed)
        if credential is None:
            return None
        if escrowed_secrets.is_first_activation(tx.operation(id), credential):
            return credential, None
        label, _ = puk_unblock.choose(tx, parts, id, (), told)
        refusal = begin_changing(tx, parts, id)
        return refusal if refusal is not None else (credential, label)

    released = parts.registry.run(commit)
    if released is None:
        raise ProofFailed
    if isinstance(released, Message):
        raise Refused(released)
    credential, label = released
    if label is None:
        return Release(transport=escrowed_secrets.transport_pin(parts, credential))
    secret = puk_unblock.value(parts, credential, label)
    return Release(puk=PukTry(label=label, secret=secret))


def puk_typed(parts: RequiredPorts, id: str, told: int | None) -> None:
    """Commit that a typed PUK is about to be sent. Refused: none may be."""

    def commit(tx: Tx) -> Message | None:
        puk_unblock.typing(tx, parts, id, told)
        return begin_changing(tx, parts, id)

    _go_on(parts.registry.run(commit))


def admin_proven(parts: RequiredPorts, id: str, answered: bytes) -> None:
    """Judge the card's answer; if it is the card on record, it may be changed.

    ProofFailed: it is not. Refused.
    """
    is_proven = admin_unblock.is_card_on_record(parts, id, answered)

    def commit(tx: Tx) -> Message | None:
        admin_unblock.proven(tx, parts, id, is_proven=is_proven)
        return begin_changing(tx, parts, id) if is_proven else None

    refusal = parts.registry.run(commit)
    if not is_proven:
        raise ProofFailed
    _go_on(refusal)


def _go_on(refusal: Message | None) -> None:
    if refusal is not None:
        raise Refused(refusal)

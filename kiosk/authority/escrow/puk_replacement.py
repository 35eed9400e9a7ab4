"""A new PUK for a card: sealed and written down before it is sent.

Due until the card has confirmed it. Done in any operation in which the card has proven
itself, and by nobody's guess: what is to be replaced is a value that the card may have.
"""

from __future__ import annotations

from msgspec.structs import replace

from kiosk.authority.errors import NotProven, ProofFailed, Refused
from kiosk.authority.escrow import puks
from kiosk.authority.escrow.escrowed_secrets import (
    PENDING,
    note,
    open_field,
    seal_field,
)
from kiosk.authority.escrow.puk_unblock import (
    happened,
    in_order,
    live,
    must_be_sendable,
    value,
)
from kiosk.authority.proof import presence
from kiosk.authority.repeats import Once
from kiosk.authority.required_ports import RequiredPorts
from kiosk.authority.rules.held import held
from kiosk.authority.values import PukPlan
from kiosk.core.secret import Secret
from kiosk.pin.drawn import new_digits_puk, new_puk
from statemachine import candidates
from statemachine.candidates import Label
from storage.records import Credential
from storage.registry import Tx


def prove_card(
    parts: RequiredPorts, once: Once, id: str, nonce: bytes, signed: bytes
) -> None:
    """Take the card's proof without a PIN, for this operation. ProofFailed."""

    def commit(tx: Tx) -> ProofFailed | None:
        operation, credential = live(tx, id)
        is_proven = presence.is_proven(
            tx, parts, credential, operation.station, nonce, signed
        )
        note(
            tx,
            parts,
            operation,
            "escrow.card_proven" if is_proven else "escrow.proof_failed",
        )
        if is_proven:
            tx.save_operation(replace(operation, card_proven=True))
        return None if is_proven else ProofFailed()

    once.commit(commit)


def plan(parts: RequiredPorts, once: Once, id: str, told: int | None) -> PukPlan | None:
    """Say what to send next, written down as sent; None: nothing is due.

    An unresolved new PUK is the new one again: the card may have it already, so it is
    the first to be replaced by itself. One that the card may have, and does not take,
    is not sent again in this operation. Refused (ended, held, or one try left),
    NotProven.
    """
    credential = parts.registry.read(lambda it: live(it, id)[1])
    fresh = _fresh(parts, credential)

    def commit(tx: Tx) -> PukPlan | None:
        operation, credential = live(tx, id)
        if (refusal := held(credential)) is not None:
            raise Refused(refusal)
        template = tx.template(credential.template, credential.template_version)
        puk = puks.of(credential.escrow)
        waiting = puk.remaining()
        may_be_replaced = puks.may_be_replaced(template, credential)
        is_due = puks.is_due(credential.escrow) and may_be_replaced
        if not is_due or not waiting or operation.new_puk_in_doubt:
            return None
        if not operation.card_proven:
            raise NotProven
        must_be_sendable(tx, operation, puk, told)
        label = waiting[0]
        draws = puk.pending is None or puk.pending.is_refused
        happened(
            tx,
            parts,
            operation,
            lambda it: candidates.replacing(it, label, told),
            "escrow.rotation_begun",
            fields={"pending_sealed": sealed} if draws else None,
        )
        return _to_be_sent(parts, tx.credential(credential.id), label)

    with fresh:
        sealed = seal_field(parts, credential.id, PENDING, fresh)
        return once.commit(commit)


def _to_be_sent(parts: RequiredPorts, credential: Credential, label: Label) -> PukPlan:
    new = open_field(parts, credential.id, PENDING, credential.escrow.pending_sealed)
    try:
        return PukPlan(label=label, old=value(parts, credential, label), new=new)
    except BaseException:
        new.wipe()
        raise


def _fresh(parts: RequiredPorts, credential: Credential) -> Secret:
    """Return a new PUK of a form that the card has not refused."""
    draw = new_digits_puk if credential.escrow.forms_refused else new_puk
    return draw(parts.entropy)


def replaced(parts: RequiredPorts, once: Once, id: str) -> None:
    """The card confirmed the new PUK: it is current, unseen by anybody. Refused."""

    def commit(tx: Tx) -> None:
        happened(
            tx,
            parts,
            live(tx, id)[0],
            candidates.replaced,
            "escrow.rotated",
            promotes=True,
        )

    once.commit(commit)


def not_replaced(
    parts: RequiredPorts, once: Once, id: str, label: Label, left: int | None
) -> None:
    """The card refused the PUK that was to be replaced; it told `left`. Refused."""

    def commit(tx: Tx) -> None:
        happened(
            tx,
            parts,
            live(tx, id)[0],
            lambda it: candidates.not_replaced(it, label, left),
            "escrow.puk_wrong",
        )

    once.commit(commit)


def new_refused(parts: RequiredPorts, once: Once, id: str, label: Label) -> None:
    """The card definitely does not take the new PUK. Refused.

    It has what it had, unless the same one was sent before, and no answer was heard.
    """

    def commit(tx: Tx) -> None:
        operation, credential = live(tx, id)
        escrow = credential.escrow
        with in_order():
            after = candidates.new_refused(puks.of(escrow), label)
        is_gone = after.pending is None
        stays = is_gone and label is Label.PENDING
        is_of_no_use = is_gone and label is not Label.PENDING
        if not is_gone and label is not Label.PENDING:
            operation = tx.save_operation(replace(operation, new_puk_in_doubt=True))
        happened(
            tx,
            parts,
            operation,
            lambda _: after,
            "escrow.new_puk_refused",
            promotes=stays,
            fields={"forms_refused": escrow.forms_refused + is_of_no_use},
        )

    once.commit(commit)

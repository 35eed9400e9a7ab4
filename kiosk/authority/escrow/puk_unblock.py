"""PUKs that set a PIN: each written down before it is sent, and when the card answered.

A PIV card does not tell its PUK tries, so they are counted here. A value that the
card has refused is never sent again; with one try left, at worst, none is, unless the
helpdesk has released just that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from msgspec.structs import replace

from kiosk.authority.errors import Refused
from kiosk.authority.escrow import approvals, puks
from kiosk.authority.escrow.escrowed_secrets import (
    CURRENT,
    PENDING,
    note,
    open_field,
    seal_field,
)
from kiosk.authority.repeats import Once
from kiosk.authority.required_ports import RequiredPorts
from kiosk.authority.rules.held import held
from kiosk.authority.values import PukTry
from kiosk.core.errors import Message
from kiosk.core.secret import Secret
from statemachine import candidates
from statemachine.candidates import Label, Puk
from storage.records import Credential, Escrow, Operation
from storage.registry import Tx
from storage.view import View


def next_try(
    parts: RequiredPorts, once: Once, id: str, tried: Sequence[Label], told: int | None
) -> PukTry:
    """Hand out what is to be sent next, written down as sent. Refused: nothing is.

    `tried` in this operation; `told`: tries that the card says are left.
    """

    def commit(tx: Tx) -> PukTry:
        operation, credential = live(tx, id)
        template = tx.template(credential.template, credential.template_version)
        if approvals.missing(tx, operation, credential, template, parts.clock.now()):
            raise Refused(Message("stop.code_first"))
        return choose(tx, parts, id, tried, told)

    return once.commit(commit)


def choose(
    tx: Tx, parts: RequiredPorts, id: str, tried: Sequence[Label], told: int | None
) -> PukTry:
    """Write down as sent what is to be sent next, and return it. Refused."""
    operation, credential = live(tx, id)
    if (refusal := held(credential)) is not None:
        raise Refused(refusal)
    if not operation.puk_released:
        raise Refused(Message("stop.nothing_in_escrow"))
    puk = puks.of(credential.escrow)
    waiting = [each for each in puk.remaining() if each not in tried]
    if not waiting or not puks.can_release(credential.escrow):
        raise Refused(Message("stop.puk_used_up"))
    must_be_sendable(tx, operation, puk, told)
    label = waiting[0]
    happened(
        tx,
        parts,
        operation,
        lambda it: candidates.released(it, label, told),
        "escrow.puk_sent",
    )
    return PukTry(label=label, secret=value(parts, credential, label))


def typing(tx: Tx, parts: RequiredPorts, id: str, told: int | None) -> None:
    """Write down that a typed PUK is about to be sent. Refused: none may be."""
    operation, credential = live(tx, id)
    must_be_sendable(tx, operation, puks.of(credential.escrow), told)
    happened(
        tx,
        parts,
        operation,
        lambda it: candidates.typing(it, told),
        "escrow.puk_typed",
    )


def wrong(
    parts: RequiredPorts, once: Once, id: str, label: Label, left: int | None
) -> None:
    """The card compared that PUK and refused it; it told `left`. Refused."""

    def commit(tx: Tx) -> None:
        change = lambda it: candidates.refused(it, label, left)  # noqa: E731 - as below
        happened(tx, parts, live(tx, id)[0], change, "escrow.puk_wrong")

    once.commit(commit)


def unheard(parts: RequiredPorts, once: Once, id: str, label: Label) -> None:
    """The card said no to something else, and compared nothing. Refused."""

    def commit(tx: Tx) -> None:
        change = lambda it: candidates.unheard(it, label)  # noqa: E731 - as above
        happened(tx, parts, live(tx, id)[0], change, "escrow.puk_unheard")

    once.commit(commit)


def accepted(parts: RequiredPorts, once: Once, id: str, label: Label) -> None:
    """The card took that PUK, and the PIN that it set was verified. Refused."""
    once.commit(lambda tx: take(tx, parts, live(tx, id)[0], label))


def take(tx: Tx, parts: RequiredPorts, operation: Operation, label: Label) -> None:
    """Write down that the card took that PUK."""
    happened(
        tx,
        parts,
        operation,
        lambda it: candidates.taken(it, label),
        "escrow.puk_taken",
        promotes=label is Label.PENDING,
    )


# --- what replacing shares ---------------------------------------------------


def live(tx: View, id: str) -> tuple[Operation, Credential]:
    """Return an operation that goes on, and its credential. Refused: it has ended.

    What comes too late was said of a PUK that another may have replaced since.
    """
    operation = tx.operation(id)
    if operation.ended_at is not None:
        raise Refused(Message("stop.operation_ended"))
    return operation, tx.credential(operation.credential)


def must_be_sendable(tx: Tx, operation: Operation, puk: Puk, told: int | None) -> None:
    """Refused, where a wrong value could be the last one and nobody released that."""
    knowingly = approvals.released_last_try(tx, operation)
    if not candidates.may_send(puk, told, knowingly=knowingly):
        raise Refused(Message("stop.puk_last_try"))


def happened(
    tx: Tx,
    parts: RequiredPorts,
    operation: Operation,
    change: Callable[[Puk], Puk],
    kind: str,
    *,
    promotes: bool = False,
    fields: dict[str, object] | None = None,
) -> Puk:
    """Change what is known of the PUK, audited; return it. Refused: it cannot be.

    `promotes`: the new value is what the card has. `fields` of the escrow change, too.
    """
    credential = tx.credential(operation.credential)
    before = puks.of(credential.escrow)
    with in_order():
        told = changed(parts, credential, change, promotes=promotes, fields=fields)
    after = puks.of(tx.save_credential(told).escrow)
    known = {"from": str(before.known), "to": str(after.known), "left": str(after.left)}
    note(tx, parts, operation, kind, **known)
    return after


@contextmanager
def in_order() -> Iterator[None]:
    """Refuse what cannot have happened: a message that came twice, or was made up."""
    try:
        yield
    except candidates.OutOfOrder as error:
        raise Refused(Message(error.refusal.code)) from error


def changed(
    parts: RequiredPorts,
    credential: Credential,
    change: Callable[[Puk], Puk],
    *,
    promotes: bool,
    fields: dict[str, object] | None = None,
) -> Credential:
    """Return the credential with what is known of its PUK changed."""
    after = change(puks.of(credential.escrow))
    escrow = replace(credential.escrow, **(fields or {}))
    if promotes:
        escrow = _promoted(parts, credential.id, escrow)
    return replace(credential, escrow=puks.kept(escrow, after))


def value(parts: RequiredPorts, credential: Credential, label: Label) -> Secret:
    """Return the value of `label`; the caller wipes it."""
    escrow = credential.escrow
    if label is Label.PENDING:
        return open_field(parts, credential.id, PENDING, escrow.pending_sealed)
    if not escrow.current_sealed:
        return Secret(puks.FACTORY_PUK)
    return open_field(parts, credential.id, CURRENT, escrow.current_sealed)


def _promoted(parts: RequiredPorts, credential: str, escrow: Escrow) -> Escrow:
    with open_field(parts, credential, PENDING, escrow.pending_sealed) as confirmed:
        current = seal_field(parts, credential, CURRENT, confirmed)
    return replace(escrow, current_sealed=current, pending_sealed="")

"""Which way an operation goes: by its kind, by the card, by what was typed."""

from __future__ import annotations

from kiosk.authority.values import (
    Prepared,
    wipe,
)
from kiosk.cards.errors import (
    NotSupported,
)
from kiosk.core.errors import KioskError
from kiosk.core.secret import Secret
from kiosk.visit import at_pad
from kiosk.visit.change import activate, change
from kiosk.visit.finish import finish
from kiosk.visit.run import Run
from kiosk.visit.unblock import (
    with_admin_key,
    with_holder_puk,
    with_release,
)
from kiosk.visit.views import (
    Answers,
    FieldName,
    Result,
)
from statemachine.operation import Kind
from storage.records import UnblockMethod


class NotOffered(KioskError):
    """An action was begun that is not offered now."""

    code = "visit.not_offered"


def operate(run: Run, prepared: Prepared, kind: Kind, answers: Answers) -> Result:
    """Carry out what was prepared. NotSupported, NotOffered, and what the card says."""
    values = answers.values
    if run.case.at_pad:
        return _at_pad(run, kind)
    match kind:
        case Kind.CHANGE:
            return change(
                run, prepared, values[FieldName.OLD_PIN], values[FieldName.NEW_PIN]
            )
        case Kind.FINISH:
            return finish(run, prepared, values[FieldName.CURRENT_PIN])
        case Kind.UNBLOCK | Kind.ACTIVATE if FieldName.PUK in values:
            return with_holder_puk(
                run, prepared, kind, values[FieldName.PUK], values[FieldName.NEW_PIN]
            )
        case Kind.UNBLOCK:
            return _reset(run, prepared, kind, values[FieldName.NEW_PIN])
        case Kind.ACTIVATE if run.case.activation_by_reset:
            return _reset(run, prepared, kind, values[FieldName.NEW_PIN])
        case Kind.ACTIVATE if FieldName.TRANSPORT_PIN in values:
            return activate(
                run,
                prepared,
                values[FieldName.TRANSPORT_PIN],
                values[FieldName.NEW_PIN],
            )
        case _:
            return _activate_by_code(run, prepared, values[FieldName.NEW_PIN])


def _at_pad(run: Run, kind: Kind) -> Result:
    """The reader's own keys can change a PIN, or set one with a PUK."""
    by_code = run.case.activation_code_needed and not run.case.activation_by_reset
    if kind is Kind.FINISH or (kind is Kind.ACTIVATE and by_code):
        raise NotSupported(what="PIN pad")
    if kind is Kind.UNBLOCK or run.case.activation_by_reset:
        return at_pad.unblock(run, kind)
    return at_pad.change(run, kind)


def _reset(run: Run, prepared: Prepared, kind: Kind, new: Secret) -> Result:
    """Set a PIN anew with what the authority keeps for this card."""
    if run.case.unblock_method is UnblockMethod.ADMIN_KEY_ONLINE:
        return with_admin_key(run, prepared, kind, new)
    return with_release(run, prepared, kind, new)


def _activate_by_code(run: Run, prepared: Prepared, new: Secret) -> Result:
    """The transport PIN comes from escrow, against the code and the card's proof.

    It leaves for a new PIN that can be set only.
    """
    run.judge(new)
    with run.session() as session:
        nonce, signature = run.prove_presence(session)
    released = run.ask(lambda it: it.release(run.operation, nonce, signature, None))
    if released.transport is None:
        wipe(released)
        raise NotOffered
    with released.transport as transport:
        return activate(run, prepared, transport, new)

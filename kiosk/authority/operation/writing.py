"""The one write: re-judge, mark, send one modify; `write_outcome` says what is true.

Nothing is sent that the person was not told of: a password that somebody has set since
the operation was prepared is not overwritten but asked about.
"""

from __future__ import annotations

import logging

from kiosk.authority.errors import Refused
from kiosk.authority.escrow import approvals
from kiosk.authority.operation import (
    changed_elsewhere,
    transitions,
    write_repeated,
)
from kiosk.authority.operation.authorised_time import is_late, left_of
from kiosk.authority.operation.card_steps import verified
from kiosk.authority.operation.write_endings import (
    Before,
    LookBefore,
    not_recorded,
    not_sent,
    refused,
)
from kiosk.authority.operation.write_outcome import decide_unknown, decide_written
from kiosk.authority.proof import seal
from kiosk.authority.repeats import Once
from kiosk.authority.required_ports import SEND_SECONDS, RequiredPorts
from kiosk.authority.rules import in_step
from kiosk.authority.rules.held import held
from kiosk.authority.rules.in_step import Compared
from kiosk.authority.rules.reset_mode import how
from kiosk.authority.rules.sync_conditions import of_account
from kiosk.authority.values import WriteVerdict
from kiosk.core.errors import KioskError, Message
from kiosk.core.secret import Secret
from kiosk.directory.asking import ask
from kiosk.directory.errors import (
    AccountMissing,
    DirectoryError,
    OutcomeUnknown,
    ReadFailed,
    SentTooLate,
    WriteRefused,
)
from kiosk.directory.ports import DomainController
from kiosk.directory.values import Account, WriteRefusal
from statemachine.operation import Phase
from storage.errors import RegistryError
from storage.records import Authorisation, Credential, Operation, Template
from storage.registry import Tx

log = logging.getLogger(__name__)


def write(
    parts: RequiredPorts, once: Once, operation: Operation, sealed: bytes
) -> WriteVerdict:
    """Write the sealed value once. Refused if the operation may not write at all.

    `operation`: as it was when the call came.
    """
    if once.may_repeat:
        verdict = write_repeated.verdict_of(parts, once, operation, sealed)
        if verdict is not None:
            return verdict
    named = operation.sealing_key
    key = parts.registry.read(lambda view: parts.sealing.named(view, named))
    with key.open(sealed, operation=operation.id) as password:
        try:
            wanted, template = parts.registry.run(
                lambda tx: _wanted(tx, parts, operation.id)
            )
            try:
                return ask(
                    parts.directory,
                    lambda dc: _on(dc, parts, once, wanted, template, sealed, password),
                )
            except DirectoryError as error:
                return not_sent(parts, once, operation.id, error.message, error)
        except Refused:
            verdict = _of_whoever_sent_it(parts, once, operation.id, sealed)
            if verdict is None:
                raise
            return verdict


def _of_whoever_sent_it(
    parts: RequiredPorts, once: Once, id: str, sealed: bytes
) -> WriteVerdict | None:
    """Return what came of the same call, where another thread or host was faster."""
    if not once.may_repeat:
        return None
    now = parts.registry.read(lambda view: view.operation(id))
    return write_repeated.verdict_of(parts, once, now, sealed)


def _on(
    dc: DomainController,
    parts: RequiredPorts,
    once: Once,
    operation: Operation,
    template: Template,
    sealed: bytes,
    password: Secret,
) -> WriteVerdict:
    """Write on this DC. ReadFailed: nothing is marked or sent yet."""
    look = LookBefore(
        dc=dc.name,
        origin=_origin(dc),
        account=_account(dc, operation.account_guid),
        asked=how(dc, template, operation.kind),
    )
    until = parts.clock.monotonic() + _seconds(parts, operation)
    marked = parts.registry.run(lambda tx: _mark(tx, parts, operation.id, sealed, look))
    if isinstance(marked, Message):
        return not_sent(parts, once, operation.id, marked)
    before = Before(look.dc, look.origin, look.account, look.asked, marked)
    return _sent(parts, once, operation.id, dc, before, password, until)


def _sent(
    parts: RequiredPorts,
    once: Once,
    id: str,
    dc: DomainController,
    before: Before,
    password: Secret,
    until: float,
) -> WriteVerdict:
    """Send it. From here on, what cannot be written down has happened all the same."""
    try:
        return _send(parts, once, id, dc, before, password, until)
    except (KioskError, RegistryError) as error:
        log.error("write.not_recorded operation=%s code=%s", id, error.code)
        return not_recorded(parts, once, id)


def _wanted(tx: Tx, parts: RequiredPorts, id: str) -> tuple[Operation, Template]:
    """Return what is to be written. Whoever asks for it has verified the new PIN."""
    operation = tx.operation(id)
    if operation.phase is Phase.CARD_CHANGING:
        operation = verified(tx, parts, operation)
    credential = tx.credential(operation.credential)
    return operation, tx.template(credential.template, credential.template_version)


def _mark(
    tx: Tx,
    parts: RequiredPorts,
    id: str,
    sealed: bytes,
    before: LookBefore,
) -> tuple[Credential, Template] | Message:
    """Commit `writing`, or say why nothing may be written any more."""
    operation = tx.operation(id)
    now = parts.clock.now()
    if operation.ended_at is not None or operation.written:
        raise Refused(Message("stop.operation_ended"))
    if operation.sealed_digest != seal.digest(sealed):
        return Message("reason.sealed_swapped")
    if is_late(parts, operation):
        return Message("reason.authorisation_late")
    if operation.honours_history and before.asked.history_unchecked:
        return Message("reason.history_unchecked")
    credential = tx.credential(operation.credential)
    template = tx.template(credential.template, credential.template_version)
    refusal = held(credential) or of_account(before.account, template)
    if refusal is not None:
        return refusal
    now_seen = in_step.seen(before.account, before.dc)
    known = in_step.before(operation)
    if known is not None and in_step.compare(known, now_seen) is Compared.CHANGED:
        return Message(changed_elsewhere.REASON)
    if operation.authorisation is Authorisation.KEYLESS:
        if credential.authentication_key is not None:
            return Message("reason.key_on_record")
        approvals.spend(tx, operation)  # one code, one write
    transitions.move(
        tx,
        parts,
        operation,
        Phase.WRITING,
        evidence={
            "dc": before.dc,
            "account_guid": before.account.guid,
            "pwd_last_set_before": str(now_seen.pwd_last_set),
            "mark_before": in_step.words(now_seen),
            "sealed_sha256": operation.sealed_digest.hex(),
            "semantics": before.asked.words,
        },
        written=True,
        writing_until=now + parts.write_deadline,
        dc=before.dc,
        pwd_last_set_before=now_seen.pwd_last_set,
        mark_before=in_step.recorded(now_seen),
    )
    return credential, template


def _account(dc: DomainController, guid: str) -> Account:
    """Read the account that was signed for, and no other. DirectoryError."""
    account = dc.account(guid)
    if account.guid != guid:
        raise AccountMissing(account=guid)
    return account


def _origin(dc: DomainController) -> str:
    """Return what this DC signs with; empty where it does not say. ReadFailed."""
    try:
        return dc.origin()
    except ReadFailed as error:
        if error.is_of_the_controller:
            raise
        return ""


def _seconds(parts: RequiredPorts, operation: Operation) -> float:
    """Return within how many seconds from now the write is sent, or never."""
    return min(SEND_SECONDS, left_of(parts, operation))


def _send(
    parts: RequiredPorts,
    once: Once,
    id: str,
    dc: DomainController,
    before: Before,
    password: Secret,
    until: float,
) -> WriteVerdict:
    """Send the modify, unless the process was held up until it is too late."""
    semantics = before.asked.semantics
    try:
        dc.set_password(before.account, password, semantics, until=until)
    except SentTooLate:
        late = Message("reason.authorisation_late")
        return refused(parts, once, id, late, another=False)
    except WriteRefused as no:
        code = no.data["hex"] or no.data["result"]
        reason = Message(f"directory.refusal.{no.why}", {"code": code})
        another = no.why is WriteRefusal.POLICY
        return refused(parts, once, id, reason, another=another, error=no)
    except OutcomeUnknown:
        return decide_unknown(parts, once, id, before, password)
    return decide_written(parts, once, id, dc, before, password)

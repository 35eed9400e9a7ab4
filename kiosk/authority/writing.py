"""The one write: mark, modify, verify on the same DC, decide what is true now.

| the DC said | what follows |
|---|---|
| nothing was sent (unreachable, not allowed any more) | as a refusal |
| no (an LDAP answer) | roll back where the card can be changed back, else out of step |
| yes, and the bind says yes or names a condition | done, the condition is a warning |
| yes, and the bind says wrong password | out of step |
| yes, and `pwdLastSet` has moved again since | out of step: changed elsewhere |
| nothing (time out, connection lost) | done only if `pwdLastSet` moved on that DC |
| | *and* the value binds, else out of step; never rolled back |

At most one trial bind per modify, so that no check of ours locks an account.
"""

from __future__ import annotations

from dataclasses import dataclass

from msgspec.structs import replace

from kiosk.authority import history, marks, seal
from kiosk.authority.card_marks import held
from kiosk.authority.conditions import of_account
from kiosk.authority.parts import Parts
from kiosk.authority.ports import Refused, Verdict, WriteVerdict
from kiosk.authority.semantics import How, how
from kiosk.directory.ports import (
    Account,
    BindResult,
    DirectoryError,
    DomainController,
    OutcomeUnknown,
    Spread,
    WriteRefusal,
    WriteRefused,
)
from kiosk.errors import Message
from kiosk.secret import Secret
from statemachine.operation import Kind, Phase
from storage.records import LastSync, Operation, Sync, Template
from storage.registry import Tx

_CAN_GO_BACK = frozenset({Kind.CHANGE, Kind.ACTIVATE})


@dataclass(frozen=True, slots=True)
class _Written:
    """What one look after the write found."""

    dc: str
    asked: How
    bind: BindResult
    pwd_last_set: int


def write(parts: Parts, id: str, sealed: bytes) -> WriteVerdict:
    """Write the sealed value once. Refused if the operation may not write at all."""
    with parts.sealing.open(sealed, operation=id) as password:
        try:
            operation, template = parts.registry.run(lambda tx: _wanted(tx, id))
            with parts.directory.connect() as dc:
                account = dc.account(operation.account_guid)
                asked = how(dc, template)
                refusal = parts.registry.run(
                    lambda tx: _mark(tx, parts, id, sealed, dc.name, account, asked)
                )
                if refusal is not None:
                    return _refused(parts, id, refusal, another=False)
                return _send(parts, id, dc, account, password, asked)
        except DirectoryError as error:
            if parts.registry.run(lambda tx: tx.operation(id).written):
                return _out_of_step(parts, id, error.message)
            return _refused(parts, id, error.message, another=False)


def _wanted(tx: Tx, id: str) -> tuple[Operation, Template]:
    operation = tx.operation(id)
    credential = tx.credential(operation.credential)
    return operation, tx.template(credential.template, credential.template_version)


def _mark(
    tx: Tx,
    parts: Parts,
    id: str,
    sealed: bytes,
    dc: str,
    account: Account,
    asked: How,
) -> Message | None:
    """Commit `writing`, or say why nothing may be written any more."""
    operation = tx.operation(id)
    now = parts.clock.now()
    if operation.ended_at is not None or operation.written:
        raise Refused(Message("stop.operation_ended"))
    if operation.sealed_digest != seal.digest(sealed):
        return Message("reason.sealed_swapped")
    if operation.authorised_until is None or now > operation.authorised_until:
        return Message("reason.authorisation_late")
    if operation.honours_history and asked.history_unchecked:
        return Message("reason.history_unchecked")
    credential = tx.credential(operation.credential)
    template = tx.template(credential.template, credential.template_version)
    refusal = held(credential) or of_account(account, template)
    if refusal is not None:
        return refusal
    marks.move(
        tx,
        parts,
        operation,
        Phase.WRITING,
        evidence={
            "dc": dc,
            "pwd_last_set_before": str(account.pwd_last_set),
            "sealed_sha256": operation.sealed_digest.hex(),
            "semantics": asked.words,
        },
        written=True,
        writing_until=now + parts.write_deadline,
        dc=dc,
        pwd_last_set_before=account.pwd_last_set,
    )
    return None


def _send(
    parts: Parts,
    id: str,
    dc: DomainController,
    account: Account,
    password: Secret,
    asked: How,
) -> WriteVerdict:
    try:
        dc.set_password(account, password, asked.semantics)
    except WriteRefused as refused:
        reason = Message(f"directory.refusal.{refused.why}")
        return _refused(parts, id, reason, another=refused.why is WriteRefusal.POLICY)
    except OutcomeUnknown:
        return _decide_unknown(parts, id, dc.name, account, password, asked)
    return _decide_written(parts, id, dc, account, password, asked)


def _decide_written(
    parts: Parts,
    id: str,
    dc: DomainController,
    account: Account,
    password: Secret,
    asked: How,
) -> WriteVerdict:
    """The DC said success: the bind only adds to it, unless it says "wrong".

    Somebody else may set another password meanwhile, and ours binds for an hour all
    the same: only `pwdLastSet`, read before the bind and after it, tells.
    """
    ours = _look(dc, account)
    bind = dc.verify_password(account, password)
    if bind is BindResult.WRONG_PASSWORD:
        return _out_of_step(parts, id, Message("reason.bind_refused"))
    now = _look(dc, account)
    if ours and now and now.pwd_last_set > ours.pwd_last_set:
        return _out_of_step(parts, id, Message("reason.changed_elsewhere"))
    seen = ours or now
    stamp = seen.pwd_last_set if seen else _unread(parts)
    verdict = _done(parts, id, _Written(dc.name, asked, bind, stamp), password)
    return _with_spread(parts, verdict, dc, seen) if seen else verdict


def _look(dc: DomainController, account: Account) -> Account | None:
    """Return the account as it is now; None: that could not be read."""
    try:
        return dc.account(account.guid)
    except DirectoryError:
        return None


def _with_spread(
    parts: Parts, verdict: WriteVerdict, dc: DomainController, account: Account
) -> WriteVerdict:
    """Add whether others know it yet: asked when all is committed, and only said."""
    spread = parts.directory.spread(dc, account)
    if spread not in (Spread.SPREADING, Spread.UNKNOWN):
        return verdict
    said = Message(f"directory.spread.{spread}")
    return replace(verdict, warnings=(*verdict.warnings, said))


def _unread(parts: Parts) -> int:
    """`pwdLastSet` could not be read back: our clock's, in 100 ns since 1601."""
    return int((parts.clock.now() + 11_644_473_600) * 10**7)


def _decide_unknown(
    parts: Parts,
    id: str,
    name: str,
    account: Account,
    password: Secret,
    asked: How,
) -> WriteVerdict:
    """No answer came: ask the same DC whether it did it. One look, one bind."""
    unknown = Message("reason.no_answer")
    try:
        with parts.directory.connect(name) as dc:
            now = dc.account(account.guid)
            if now.pwd_last_set <= account.pwd_last_set:
                return _out_of_step(parts, id, unknown)
            bind = dc.verify_password(now, password)
    except DirectoryError:
        return _out_of_step(parts, id, unknown)
    if bind is not BindResult.OK:
        return _out_of_step(parts, id, unknown)
    written = _Written(name, asked, bind, now.pwd_last_set)
    return _done(parts, id, written, password)


def _done(parts: Parts, id: str, written: _Written, password: Secret) -> WriteVerdict:
    """Operation, lifecycle event, `pwdLastSet`, audit and receipt in one commit."""

    def commit(tx: Tx) -> None:
        operation = tx.operation(id)
        credential = tx.credential(operation.credential)
        template = tx.template(credential.template, credential.template_version)
        earlier = history.with_pin(parts, credential, template, password)
        if operation.kind is not Kind.FINISH:
            credential = marks.card_is_final(tx, parts, credential, operation)
        now = parts.clock.now()
        known_since = credential.pin_changed_at
        tx.save_credential(
            replace(
                credential,
                sync=Sync.IN_STEP,
                sync_reason="",
                activation_interrupted=False,
                pin_changed_at=now if known_since is None else known_since,
                pin_history_sealed=earlier,
                last_sync=LastSync(
                    at=now, dc=written.dc, pwd_last_set=written.pwd_last_set
                ),
            )
        )
        marks.move(
            tx,
            parts,
            operation,
            Phase.DONE,
            evidence={
                "dc": written.dc,
                "pwd_last_set": str(written.pwd_last_set),
                "bind": written.bind,
                "semantics": written.asked.words,
                "authorisation": operation.authorisation,
            },
        )

    parts.registry.run(commit)
    warnings = []
    if written.bind is not BindResult.OK:
        warnings.append(Message(f"directory.bind.{written.bind}"))
    if written.asked.history_unchecked:
        warnings.append(Message("notice.history_unchecked"))
    return WriteVerdict(verdict=Verdict.DONE, dc=written.dc, warnings=tuple(warnings))


def _refused(parts: Parts, id: str, reason: Message, *, another: bool) -> WriteVerdict:
    """A definite no: commit the way back, or that there is none."""

    def commit(tx: Tx) -> Operation:
        operation = tx.operation(id)
        if operation.kind in _CAN_GO_BACK:
            return marks.move(
                tx, parts, operation, Phase.ROLLING_BACK, reason=reason.key
            )
        if operation.kind is Kind.FINISH and operation.phase is Phase.AUTHORISED:
            return marks.move(tx, parts, operation, Phase.REFUSED, reason=reason.key)
        return marks.end_out_of_step(tx, parts, operation, reason)

    operation = parts.registry.run(commit)
    match operation.phase:
        case Phase.ROLLING_BACK | Phase.REFUSED:
            verdict = Verdict.REFUSED
        case _:
            verdict = Verdict.OUT_OF_STEP
    return WriteVerdict(
        verdict=verdict,
        reason=reason,
        roll_back=operation.phase is Phase.ROLLING_BACK,
        may_choose_another=another,
    )


def _out_of_step(parts: Parts, id: str, reason: Message) -> WriteVerdict:
    parts.registry.run(
        lambda tx: marks.end_out_of_step(tx, parts, tx.operation(id), reason)
    )
    return WriteVerdict(verdict=Verdict.OUT_OF_STEP, reason=reason)

"""What is true after a write was sent: read from the directory, never assumed.

| the DC said | what follows |
|---|---|
| nothing was sent (unreachable, not allowed any more) | as a refusal |
| no (an LDAP answer) | roll back where the card can go back, else out of step |
| yes, and the mark moved by just our write | done, if the bind agrees |
| yes, and the bind names a condition | done, the condition is a warning |
| yes, and the bind says wrong password | out of step |
| anything, and the mark moved by more | out of step: changed elsewhere |
| nothing (time out, connection lost) | done if the mark moved by just our write |
| | *and* the value binds, else out of step; never rolled back |

The bind alone proves nothing: the password before the last binds for an hour. At most
one trial bind per modify, so that no check of ours locks an account, and as the account
is called after the write.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from msgspec.structs import replace

from kiosk.authority.operation import changed_elsewhere, transitions
from kiosk.authority.repeats import Once
from kiosk.authority.required_ports import RequiredPorts
from kiosk.authority.rules import in_step, pin_history
from kiosk.authority.rules.in_step import Compared, Moved
from kiosk.authority.rules.reset_mode import ResetMode
from kiosk.authority.values import Seen, Verdict, WriteVerdict
from kiosk.core.errors import KioskError, Message
from kiosk.core.secret import Secret
from kiosk.directory.errors import DirectoryError
from kiosk.directory.ports import DomainController
from kiosk.directory.values import Account, BindResult, Spread
from statemachine.operation import Kind, Phase, Route
from storage.records import Credential, LastSync, Operation, Sync, Template
from storage.registry import RegistryError, Tx
from storage.view import View


@dataclass(frozen=True, slots=True)
class LookBefore:
    """The account on one DC directly before the write."""

    dc: str
    origin: str
    """What this DC signs with; empty: it does not say."""
    account: Account
    asked: ResetMode


@dataclass(frozen=True, slots=True)
class Before(LookBefore):
    """The same, once it is marked that something will be written."""

    known: tuple[Credential, Template]
    """As they were with the mark."""


@dataclass(frozen=True, slots=True)
class _Written:
    """What one look after the write found."""

    bind: BindResult
    seen: Seen


def decide_written(
    parts: RequiredPorts,
    once: Once,
    id: str,
    dc: DomainController,
    before: Before,
    password: Secret,
) -> WriteVerdict:
    """The DC said success: what it shows since must be that, and nothing more.

    Somebody else may set another password meanwhile, and ours binds for an hour all
    the same: only the mark, read before the bind and after it, tells.
    """
    ours = _look(dc, before.account)
    if ours is None:
        return out_of_step(parts, once, id, Message("reason.not_seen"))
    match in_step.moved(before.account, ours, before.origin):
        case Moved.ANOTHER:
            return _changed_elsewhere(parts, once, id)
        case Moved.NOTHING:
            return out_of_step(parts, once, id, Message("reason.bind_refused"))
    bind = dc.verify_password(ours, password)
    now = _look(dc, ours)
    if now is not None and _differs(before.dc, ours, now):
        return _changed_elsewhere(parts, once, id)
    if bind is BindResult.WRONG_PASSWORD:
        return out_of_step(parts, once, id, Message("reason.bind_refused"))
    written = _Written(bind, _seen(before, ours))
    verdict = _done(parts, once, id, before, written, password)
    return _with_spread(parts, verdict, dc, ours)


def _seen(before: Before, account: Account) -> Seen:
    """Return what is kept of the write; no mark where it was not judged by one."""
    seen = in_step.seen(account, before.dc)
    is_by_mark = before.account.mark is not None and before.origin
    return seen if is_by_mark else replace(seen, mark=None)


def _differs(dc: str, ours: Account, now: Account) -> bool:
    compared = in_step.compare(in_step.seen(ours, dc), in_step.seen(now, dc))
    return compared is not Compared.SAME


def _look(dc: DomainController, account: Account) -> Account | None:
    """Return the account as it is now; None: that could not be read."""
    try:
        return dc.account(account.guid)
    except DirectoryError:
        return None


def _with_spread(
    parts: RequiredPorts, verdict: WriteVerdict, dc: DomainController, account: Account
) -> WriteVerdict:
    """Add whether others know it yet: asked when all is committed, and only said."""
    spread = parts.directory.spread(dc, account)
    if spread not in (Spread.SPREADING, Spread.UNKNOWN):
        return verdict
    said = Message(f"directory.spread.{spread}")
    return replace(verdict, warnings=(*verdict.warnings, said))


def decide_unknown(
    parts: RequiredPorts, once: Once, id: str, before: Before, password: Secret
) -> WriteVerdict:
    """No answer came: ask the same DC whether it did it. One look, one bind."""
    unknown = Message("reason.no_answer")
    try:
        with parts.directory.connect(before.dc) as dc:
            ours = dc.account(before.account.guid)
            match in_step.moved(before.account, ours, before.origin):
                case Moved.ANOTHER:
                    return _changed_elsewhere(parts, once, id)
                case Moved.NOTHING | Moved.REPEATED:
                    return out_of_step(parts, once, id, unknown)
            bind = dc.verify_password(ours, password)
            now = dc.account(ours.guid)
    except DirectoryError:
        return out_of_step(parts, once, id, unknown)
    if _differs(before.dc, ours, now):
        return _changed_elsewhere(parts, once, id)
    if bind is not BindResult.OK:
        return out_of_step(parts, once, id, unknown)
    written = _Written(bind, _seen(before, ours))
    return _done(parts, once, id, before, written, password)


def _credential_of(tx: View, id: str) -> tuple[Credential, Template]:
    credential = tx.credential(tx.operation(id).credential)
    return credential, tx.template(credential.template, credential.template_version)


def _done(
    parts: RequiredPorts,
    once: Once,
    id: str,
    before: Before,
    written: _Written,
    password: Secret,
) -> WriteVerdict:
    """Operation, lifecycle event, the mark, audit and receipt in one commit."""
    seen = written.seen
    known = before.known
    earlier = pin_history.with_pin(parts, *known, password)  # slow: not in the commit

    def commit(tx: Tx) -> WriteVerdict:
        operation = tx.operation(id)
        credential, template = _credential_of(tx, id)
        sealed = earlier
        if credential.pin_history_sealed != known[0].pin_history_sealed:
            sealed = pin_history.with_pin(parts, credential, template, password)
        if operation.kind is not Kind.FINISH:
            credential = transitions.card_is_final(tx, parts, credential, operation)
        now = parts.clock.now()
        known_since = credential.pin_changed_at
        tx.save_credential(
            replace(
                credential,
                sync=Sync.IN_STEP,
                sync_reason="",
                activation_interrupted=False,
                pin_changed_at=now if known_since is None else known_since,
                pin_history_sealed=sealed,
                last_sync=LastSync(
                    at=now, dc=seen.dc, pwd_last_set=seen.pwd_last_set, mark=seen.mark
                ),
            )
        )
        transitions.move(
            tx,
            parts,
            operation,
            Phase.DONE,
            evidence={
                "dc": seen.dc,
                "pwd_last_set": str(seen.pwd_last_set),
                "mark": in_step.words(seen),
                "bind": written.bind,
                "semantics": before.asked.words,
                "authorisation": operation.authorisation,
            },
        )

        return WriteVerdict(
            verdict=Verdict.DONE, dc=seen.dc, warnings=_warnings(before, written)
        )

    return once.commit(commit)


def _warnings(before: Before, written: _Written) -> tuple[Message, ...]:
    """Return what to say beside a success."""
    warnings = []
    if written.bind is not BindResult.OK:
        warnings.append(Message(f"directory.bind.{written.bind}"))
    if before.asked.history_unchecked:
        warnings.append(Message("notice.history_unchecked"))
    if written.seen.mark is None:
        warnings.append(Message("notice.mark_hidden"))
    return tuple(warnings)


def refused(
    parts: RequiredPorts,
    once: Once,
    id: str,
    reason: Message,
    *,
    another: bool,
    error: DirectoryError | None = None,
) -> WriteVerdict:
    """A definite no: commit the way back, or that there is none.

    `error`: the directory's own answer, for the evidence.
    """
    answer = _answer(error)

    def commit(tx: Tx) -> WriteVerdict:
        operation = tx.operation(id)
        if reason.key == changed_elsewhere.REASON:
            credential = tx.credential(operation.credential)
            changed_elsewhere.mark_now(tx, parts, credential, operation.station)
        route = transitions.route_taken(operation)
        if route is Route.OLD_PIN:
            target = Phase.ROLLING_BACK
        elif route is Route.FINISH and operation.phase is Phase.AUTHORISED:
            target = Phase.REFUSED
        else:
            transitions.end_out_of_step(tx, parts, operation, reason, evidence=answer)
            return _no(reason, Verdict.OUT_OF_STEP, another=another)
        moved = transitions.move(
            tx, parts, operation, target, reason=reason.key, evidence=answer
        )
        return _no(reason, Verdict.REFUSED, moved, another=another)

    return once.commit(commit)


def _no(
    reason: Message,
    verdict: Verdict,
    operation: Operation | None = None,
    *,
    another: bool,
) -> WriteVerdict:
    return WriteVerdict(
        verdict=verdict,
        reason=reason,
        roll_back=operation is not None and operation.phase is Phase.ROLLING_BACK,
        may_choose_another=another,
    )


def _answer(error: DirectoryError | None) -> dict[str, str]:
    """Return what the DC itself answered."""
    data = error.data if error is not None else {}
    told = {
        "dc": data.get("dc", ""),
        "ldap_result": data.get("result", ""),
        "hex": data.get("hex", ""),
        "said": data.get("said", ""),
    }
    return {name: str(value) for name, value in told.items() if value != ""}


def _changed_elsewhere(parts: RequiredPorts, once: Once, id: str) -> WriteVerdict:
    return out_of_step(parts, once, id, Message(changed_elsewhere.REASON))


def out_of_step(
    parts: RequiredPorts, once: Once, id: str, reason: Message
) -> WriteVerdict:
    """Commit that card and password may differ."""

    def commit(tx: Tx) -> WriteVerdict:
        transitions.end_out_of_step(tx, parts, tx.operation(id), reason)
        return WriteVerdict(verdict=Verdict.OUT_OF_STEP, reason=reason)

    return once.commit(commit)


def not_recorded(parts: RequiredPorts, once: Once, id: str) -> WriteVerdict:
    """A write was sent and what came of it cannot be written down: say nothing else.

    The mark before it stands, and says the same at the next look.
    """
    reason = Message("reason.not_recorded")
    with suppress(KioskError, RegistryError):
        return out_of_step(parts, once, id, reason)
    return WriteVerdict(verdict=Verdict.OUT_OF_STEP, reason=reason)

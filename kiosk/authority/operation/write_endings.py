"""The commits that end a write: done, refused with the way back, or out of step.

`write_outcome` decides which; the hash for the PIN's history is made before the commit.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from msgspec.structs import replace

from kiosk.authority.errors import Refused
from kiosk.authority.operation import changed_elsewhere, transitions
from kiosk.authority.repeats import Once
from kiosk.authority.required_ports import RequiredPorts
from kiosk.authority.rules import in_step, pin_history
from kiosk.authority.rules.reset_mode import ResetMode
from kiosk.authority.values import Seen, Verdict, WriteVerdict
from kiosk.core.errors import KioskError, Message
from kiosk.core.secret import Secret
from kiosk.directory.errors import DirectoryError
from kiosk.directory.values import Account, BindResult
from statemachine.operation import Kind, Phase, Route
from storage.errors import RegistryError
from storage.records import Credential, LastSync, Operation, Sync, Template
from storage.registry import Tx
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
class Written:
    """What one look after the write found."""

    bind: BindResult
    seen: Seen


def _credential_of(tx: View, id: str) -> tuple[Credential, Template]:
    credential = tx.credential(tx.operation(id).credential)
    return credential, tx.template(credential.template, credential.template_version)


def done(
    parts: RequiredPorts,
    once: Once,
    id: str,
    before: Before,
    written: Written,
    password: Secret,
) -> WriteVerdict:
    """Operation, lifecycle event, the mark, audit and receipt in one commit."""
    seen = written.seen
    pin = pin_history.hashed(parts, before.known[1], password)  # not in the commit

    def commit(tx: Tx) -> WriteVerdict:
        operation = tx.operation(id)
        credential, template = _credential_of(tx, id)
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
                pin_history_sealed=pin_history.with_pin(
                    parts, credential, template, pin
                ),
                last_sync=LastSync(
                    at=now,
                    dc=seen.dc,
                    pwd_last_set=seen.pwd_last_set,
                    mark=in_step.recorded(seen),
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


def _warnings(before: Before, written: Written) -> tuple[Message, ...]:
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
    """A definite no to what this call sent: the way back, or that there is none.

    `error`: the directory's own answer, for the evidence.
    """

    def commit(tx: Tx) -> WriteVerdict:
        return _refuse(tx, parts, tx.operation(id), reason, error, another=another)

    return once.commit(commit)


def not_sent(
    parts: RequiredPorts,
    once: Once,
    id: str,
    reason: Message,
    error: DirectoryError | None = None,
) -> WriteVerdict:
    """Nothing was sent by this call: the way back, or that there is none.

    Refused where the same write is marked: another thread or host sends it, and what
    this one could not do says nothing of that.
    """

    def commit(tx: Tx) -> WriteVerdict:
        operation = tx.operation(id)
        if operation.written:
            raise Refused(Message("stop.operation_ended"))
        return _refuse(tx, parts, operation, reason, error, another=False)

    return once.commit(commit)


def _refuse(
    tx: Tx,
    parts: RequiredPorts,
    operation: Operation,
    reason: Message,
    error: DirectoryError | None,
    *,
    another: bool,
) -> WriteVerdict:
    answer = _answer(error)
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

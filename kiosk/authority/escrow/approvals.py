"""Release and activation codes: issued to a person, redeemed once, bound to one
operation.

A code is valid for one credential and a limited time, and void after five wrong
entries. Redeeming binds it to the operation; until the card has really changed,
a later operation of the same credential may resume it (a pulled card).
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from math import ceil

from msgspec.structs import replace

from kiosk.authority.errors import (
    CodeMistyped,
    CodeRefused,
    EntriesPaused,
    NotProven,
    Refused,
)
from kiosk.authority.escrow import wrong_entries
from kiosk.authority.repeats import Once
from kiosk.authority.required_ports import RequiredPorts
from kiosk.core.errors import Message
from kiosk.core.secret import Secret
from kiosk.pin.codes import is_well_formed, keyed_digest, new_code, normalised
from statemachine.lifecycle import State
from statemachine.operation import Kind
from storage.records import (
    Approval,
    ApprovalKind,
    AuditDraft,
    Credential,
    FirstPin,
    Operation,
    Template,
)
from storage.registry import Tx
from storage.view import View

WRONG_ENTRIES = 5
RELEASE_SECONDS = 600.0

_OPEN = 100
"""Far more codes than anybody gives out at a time."""


def issue_code(
    parts: RequiredPorts,
    *,
    credential: str,
    kind: ApprovalKind,
    operator: str,
    station: str,
    valid_for: float,
    last_try: bool,
) -> Secret:
    """Make a code for a credential; earlier ones of its kind are void.

    `valid_for` is in seconds. `last_try`: whoever gives it knows that one try at the
    PUK may be left, and lets it be spent. Shown once by whoever called: wipe it
    afterwards.
    """
    code = new_code(parts.entropy)
    salt = parts.entropy.bytes(16)
    approval = Approval(
        id=parts.entropy.bytes(8).hex(),
        kind=kind,
        credential=credential,
        salt=salt,
        digest=keyed_digest(code, salt=salt, key=_key(parts)),
        issued_by=operator,
        issued_at=parts.clock.now(),
        expires_at=parts.clock.now() + valid_for,
        last_try=last_try,
    )

    def commit(tx: Tx) -> None:
        tx.credential(credential)
        for earlier in _open(tx, credential, kind, parts.clock.now()):
            tx.save_approval(replace(earlier, spent=True))
        tx.save_approval(approval)
        tx.audit(
            AuditDraft(
                at=approval.issued_at,
                station=station,
                kind=f"approval.{kind}_issued",
                actor=operator,
                credential=credential,
                data={
                    "approval": approval.id,
                    "seconds": f"{valid_for:.0f}",
                    **({"last_try": "yes"} if last_try else {}),
                },
            )
        )

    parts.registry.run(commit)
    return code


def redeem(
    parts: RequiredPorts,
    once: Once,
    operation: str,
    kind: ApprovalKind,
    typed: Secret,
) -> None:
    """Bind the typed code to `operation`, or count a wrong entry.

    Against the credential, once its card has proven itself in this operation; else
    against the station. CodeMistyped (not counted), CodeRefused, NotProven,
    EntriesPaused.
    """
    now = parts.clock.now()
    station, is_proven, can_prove, pause = parts.registry.read(
        lambda it: _who(it, operation, now)
    )
    if not is_proven and pause:
        if can_prove:
            raise NotProven
        raise EntriesPaused(seconds=ceil(pause))
    with normalised(typed) as code:
        if not is_well_formed(code):
            raise CodeMistyped
        attempts = _attempts(parts, operation, kind, code)

    def commit(tx: Tx) -> CodeRefused | NotProven | None:
        left = _redeem(tx, parts, operation, kind, attempts, counts=is_proven)
        if left is None or is_proven:
            wrong_entries.forgive(tx, station)
        else:
            wrong_entries.count_wrong(tx, station, now)
        if left is None:
            return None
        return NotProven() if can_prove and not is_proven else CodeRefused(left)

    once.commit(commit)


def _who(tx: View, id: str, now: float) -> tuple[str, bool, bool, float]:
    """Return the station, whether the card has proven itself, whether it could, and for
    how long no code is taken there (seconds).

    Refused: it has ended. What is sent again of it uses up nobody's later codes.
    """
    operation = tx.operation(id)
    if operation.ended_at is not None:
        raise Refused(Message("stop.operation_ended"))
    key = tx.credential(operation.credential).card_authentication_key
    pause = wrong_entries.pause(tx, operation.station, now)
    return operation.station, operation.card_proven, key is not None, pause


def _attempts(
    parts: RequiredPorts, operation: str, kind: ApprovalKind, code: Secret
) -> dict[str, bytes]:
    """Return what each open code of the kind would be, if the typed one were it.

    Slow on purpose, so before the transaction and not inside it. A code that is given
    meanwhile is not the one that was typed.
    """
    now = parts.clock.now()
    waiting = parts.registry.read(
        lambda it: _open(it, it.operation(operation).credential, kind, now)
    )
    key = _key(parts)
    return {each.id: keyed_digest(code, salt=each.salt, key=key) for each in waiting}


def _redeem(
    tx: Tx,
    parts: RequiredPorts,
    operation: str,
    kind: ApprovalKind,
    attempts: Mapping[str, bytes],
    *,
    counts: bool,
) -> int | None:
    """Return None if the code fits, else how many wrong entries are left."""
    now = parts.clock.now()
    current = tx.operation(operation)
    candidates = [
        each for each in _open(tx, current.credential, kind, now) if each.id in attempts
    ]
    for approval in candidates:
        if hmac.compare_digest(attempts[approval.id], approval.digest):
            tx.save_approval(replace(approval, redeemed_by=current.id))
            redeemed = (*current.approvals, approval.id)
            tx.save_operation(replace(current, approvals=redeemed))
            _note(tx, now, current, "approval.redeemed", approval.id)
            return None
    left = 0
    for approval in candidates:
        wrong = approval.wrong_entries + counts
        left = max(left, WRONG_ENTRIES - wrong)
        if counts:
            tx.save_approval(
                replace(approval, wrong_entries=wrong, spent=wrong >= WRONG_ENTRIES)
            )
    kind_of_entry = "approval.wrong_entry" if counts else "approval.unproven_entry"
    _note(tx, now, current, kind_of_entry, "")
    return left


def spend(tx: Tx, operation: Operation) -> None:
    """Make the redeemed codes worthless: the card has really changed."""
    for redeemed in operation.approvals:
        tx.save_approval(replace(tx.approval(redeemed), spent=True))


def has(tx: View, operation: Operation, kind: ApprovalKind, now: float | None) -> bool:
    """Say whether a code of that kind was redeemed for the operation, and counts now.

    Not one that has run out, or is void since: a newer one was given, or the store was
    an older one. None: whether it was redeemed, whatever became of it.
    """
    if now is None:
        return any(tx.approval(each).kind is kind for each in operation.approvals)
    return any(
        each.kind is kind and each.expires_at > now for each in _counting(tx, operation)
    )


def released_last_try(tx: View, operation: Operation) -> bool:
    """Say whether the helpdesk has let the last try at the PUK be spent."""
    return any(each.last_try for each in _counting(tx, operation))


def _counting(tx: View, operation: Operation) -> list[Approval]:
    redeemed = [tx.approval(each) for each in operation.approvals]
    return [each for each in redeemed if not each.spent]


def missing(
    tx: View,
    operation: Operation,
    credential: Credential,
    template: Template,
    now: float,
) -> bool:
    """Say whether the operation lacks a code that its kind needs, and that is good now.

    Asked before what sets a PIN leaves: a code that was typed in time has run out all
    the same where that comes too late, and the helpdesk is asked for another.
    """
    code_first = template.first_pin is FirstPin.ACTIVATION_CODE
    match operation.kind:
        case Kind.ACTIVATE:
            wanted = code_first or credential.activation_interrupted
            return wanted and not has(tx, operation, ApprovalKind.ACTIVATION, now)
        case Kind.UNBLOCK:
            wanted_for = [ApprovalKind.RELEASE] if operation.code_wanted else []
            if never_activated(credential) and code_first:
                wanted_for.append(ApprovalKind.ACTIVATION)
            return not all(has(tx, operation, each, now) for each in wanted_for)
        case _:
            return False


def never_activated(credential: Credential) -> bool:
    """Say whether its holder has yet to set a first PIN, blocked meanwhile or not."""
    waiting = credential.state in (State.ISSUED, State.BLOCKED)
    return waiting and credential.pin_changed_at is None


def _open(tx: View, credential: str, kind: ApprovalKind, now: float) -> list[Approval]:
    return [
        approval
        for approval in tx.approvals(credential, open_at=now, limit=_OPEN)
        if approval.kind is kind
    ]


def _note(tx: Tx, at: float, operation: Operation, kind: str, approval: str) -> None:
    tx.audit(
        AuditDraft(
            at=at,
            station=operation.station,
            kind=kind,
            actor="holder",
            credential=operation.credential,
            operation=operation.id,
            data={"approval": approval} if approval else {},
        )
    )


def _key(parts: RequiredPorts) -> bytes:
    return parts.vault.derive("approval codes")

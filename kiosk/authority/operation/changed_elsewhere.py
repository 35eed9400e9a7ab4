"""A password that somebody else has set: marked once, asked about before a write."""

from __future__ import annotations

from msgspec.structs import replace

from kiosk.authority.required_ports import RequiredPorts
from kiosk.authority.rules import in_step
from kiosk.authority.rules.account_snapshot import AccountSnapshot
from kiosk.authority.rules.in_step import Compared
from statemachine.operation import Phase
from storage.records import AuditDraft, Credential, Sync
from storage.registry import Tx

REASON = "reason.changed_elsewhere"


def is_marked(credential: Credential) -> bool:
    """Say whether somebody else's password is known to be there."""
    return credential.sync is Sync.OUT_OF_STEP and credential.sync_reason == REASON


def mark(
    parts: RequiredPorts, credential: Credential, view: AccountSnapshot, station: str
) -> Credential:
    """Mark a credential whose password a look has found changed; return it as it is."""
    if view.compared is not Compared.CHANGED or is_marked(credential):
        return credential
    return parts.registry.run(lambda tx: _mark(tx, parts, credential, view, station))


def mark_set_since(
    parts: RequiredPorts, credential: Credential, view: AccountSnapshot, station: str
) -> None:
    """Mark a credential whose password was set since a form was shown, if not by us."""
    parts.registry.run(lambda tx: _mark_set_since(tx, parts, credential, view, station))


def mark_now(
    tx: Tx, parts: RequiredPorts, credential: Credential, station: str
) -> Credential:
    """Mark it; once is enough."""
    if is_marked(credential):
        return credential
    marked = tx.save_credential(
        replace(credential, sync=Sync.OUT_OF_STEP, sync_reason=REASON)
    )
    tx.audit(
        AuditDraft(
            at=parts.clock.now(),
            station=station,
            kind="credential.out_of_step",
            actor="directory",
            credential=credential.id,
            result=REASON,
        )
    )
    return marked


def _mark(
    tx: Tx,
    parts: RequiredPorts,
    looked_at: Credential,
    view: AccountSnapshot,
    station: str,
) -> Credential:
    credential = tx.credential(looked_at.id)
    if credential.last_sync != looked_at.last_sync:
        return credential  # written meanwhile: what was seen is not of now
    if _is_being_written(tx, credential):
        return credential  # by us, perhaps: a look after its end tells
    is_theirs = credential.sync is Sync.IN_STEP or (
        credential.sync is Sync.OUT_OF_STEP and not _may_be_ours(tx, credential, view)
    )
    return mark_now(tx, parts, credential, station) if is_theirs else credential


def _mark_set_since(
    tx: Tx,
    parts: RequiredPorts,
    looked_at: Credential,
    view: AccountSnapshot,
    station: str,
) -> None:
    credential = tx.credential(looked_at.id)
    is_ours = (
        view.compared is Compared.SAME
        or credential.last_sync != looked_at.last_sync
        or _is_being_written(tx, credential)
    )
    if not is_ours:
        mark_now(tx, parts, credential, station)


def _is_being_written(tx: Tx, credential: Credential) -> bool:
    """Say whether a write of ours has no end on record yet: it may be there already."""
    live = tx.live_operations(credential.id)
    return any(each.phase is Phase.WRITING for each in live)


def _may_be_ours(tx: Tx, credential: Credential, view: AccountSnapshot) -> bool:
    """Say whether the one set since the last sync may be a write of ours.

    Its answer was lost, or it was not taken for done: nobody knows.
    """
    last = credential.last_sync
    if last is None or view.newest is None:
        return True
    unsure = tx.unsure_writes(credential.id, since=last.at)
    sets = in_step.sets_between(in_step.at_last_sync(last), view.newest)
    return unsure > 0 and (sets is None or sets <= unsure)

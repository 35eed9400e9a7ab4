"""What the evidence says, for an auditor at a desk: as a whole, and of one receipt."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from kiosk.authority.office.desk import Desk
from kiosk.authority.office.operators import Action, require
from kiosk.authority.office.values import JudgedEvidence, Receipt, UnprovenWrite
from kiosk.authority.proof import verification
from kiosk.authority.proof.checkpointed_registry import OLDER
from kiosk.authority.proof.evidence import unproven_writes
from storage import walk
from storage.errors import RecordMissing
from storage.records import AuditEvent, Operation
from storage.view import View

_SET_BACK_SECONDS = 30 * 86400.0


def verified(
    desk: Desk, heard: Callable[[int, int], None] = lambda _done, _events: None
) -> JudgedEvidence:
    """Judge all evidence by the authority's own key. NotInRole, ArchiveBusy.

    `heard` hears how many events were read, and of how many.
    """
    require(desk.operator, Action.EXPORT)
    registry, keys = desk.parts.registry, desk.parts.vault.note_keys()
    reached = 0

    def read(more: int) -> None:
        nonlocal reached
        reached += more
        heard(reached, total)

    with registry.evidence_at_rest():
        total = verification.events_to_read(registry)
        evidence = verification.evidence_of(registry, read)
        found = verification.verify(evidence, keys=keys)
    told = verification.shown(found, is_own_key=True) if found.is_sound else ()
    return JudgedEvidence(
        damage=verification.damage(found),
        unproven=tuple(
            UnprovenWrite(station=each.station, seq=each.seq, reason=each.reason)
            for each in found.findings
        ),
        told=told,
        is_anchored=found.is_anchored,
    )


def receipt(desk: Desk, number: str) -> Receipt | None:
    """Follow one operation through the evidence; None: no such receipt. NotInRole.

    `number`: the one that a person reads out, or the operation's own.
    """
    require(desk.operator, Action.EXPORT)
    registry = desk.parts.registry
    operation = registry.read(lambda view: _operation(view, number))
    if operation is None:
        return None
    own: list[AuditEvent] = []
    evidence: list[AuditEvent] = []
    for event in walk.events(registry, credential=operation.credential):
        if event.kind == "credential.key_recorded":
            evidence.append(event)
        if event.operation == operation.id:
            own.append(event)
            evidence.append(event)
    findings = unproven_writes(sorted(evidence, key=lambda it: (it.lane, it.seq)))
    holder = registry.read(lambda view: view.credential(operation.credential).holder)
    return Receipt(
        number=operation.event,
        holder=holder,
        events=tuple(own),
        unproven=findings[0].reason if findings else None,
        wrote=any(event.kind == "operation.writing" for event in own),
    )


def _operation(view: View, number: str) -> Operation | None:
    found = view.operation_by_event(number)
    if found is None:
        with contextlib.suppress(RecordMissing):
            found = view.operation(number)
    return found


def set_back_at(desk: Desk) -> float | None:
    """Say for a month when an older registry was found in the place of this one.

    Seconds UTC; None: none was. NotInRole.
    """
    require(desk.operator, Action.LOOK)
    since = desk.parts.clock.now() - _SET_BACK_SECONDS
    found = desk.parts.registry.read(
        lambda view: view.events(kind=OLDER, since=since, newest_first=True, limit=1)
    )
    return found[0].at if found else None

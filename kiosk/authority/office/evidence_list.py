"""The evidence as a list that an auditor looks through, the newest first."""

from __future__ import annotations

import itertools

from kiosk.authority.office.desk import Desk
from kiosk.authority.office.list_values import (
    EvidenceFound,
    EvidenceRow,
)
from kiosk.authority.office.operators import Action, require
from kiosk.core.errors import Message
from storage import walk
from storage.errors import EvidenceDamaged, EvidenceMissing, RecordMissing
from storage.registry import Registry
from storage.view import View, fold

EXAMINED = 20_000
"""Events that are looked at for one list."""


def look(desk: Desk, term: str, *, most: int) -> EvidenceFound:
    """Return the newest events that have every word of `term` in what they are, who
    did it, where, or whose card it is about; or those of an event number.

    NotInRole.
    """
    require(desk.operator, Action.EXPORT)
    registry = desk.parts.registry
    words = fold(term).split()
    missing: list[EvidenceMissing | EvidenceDamaged] = []
    number = _numbered(registry, term.strip(), missing)
    if number is not None:
        words = []
    events = walk.events(registry, operation=number, newest_first=True, missing=missing)
    holders: dict[str, str] = {}
    found: list[EvidenceRow] = []
    looked_at = 0
    for event in itertools.islice(events, EXAMINED):
        looked_at += 1
        about = event.credential
        if about and about not in holders:
            holders[about] = registry.read(
                lambda view, about=about: _holder(view, about)  # type: ignore[misc]  # mypy cannot infer a lambda's default
            )
        row = EvidenceRow(event=event, holder=holders.get(about, ""))
        if all(word in _names(row) for word in words):
            found.append(row)
        if len(found) >= most:
            break
    return EvidenceFound(
        rows=tuple(found),
        is_cut=looked_at == EXAMINED and len(found) < most,
        missing=tuple(Message(each.code, each.data) for each in missing),
    )


def _numbered(
    registry: Registry, event: str, missing: list[EvidenceMissing | EvidenceDamaged]
) -> str | None:
    """Return the operation with that event number, as far as can be seen."""
    try:
        found = registry.read(lambda view: view.operation_by_event(event))
    except (EvidenceMissing, EvidenceDamaged) as error:
        missing.append(error)
        return None
    return found.id if found else None


def _names(row: EvidenceRow) -> str:
    event = row.event
    return fold(
        f"{event.kind} {event.actor} {event.station} {row.holder} {event.result}"
    )


def _holder(view: View, id: str) -> str:
    try:
        return view.credential(id).holder
    except RecordMissing:
        return ""

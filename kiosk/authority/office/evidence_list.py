"""The evidence as a list that an auditor looks through, the newest first."""

from __future__ import annotations

import itertools

from kiosk.authority.office.desk import Desk
from kiosk.authority.office.list_values import (
    EvidenceRow,
)
from kiosk.authority.office.operators import Action, require
from storage import walk
from storage.registry import RecordMissing
from storage.view import View, fold

EXAMINED = 20_000
"""Events that are looked at for one list."""


def look(desk: Desk, term: str, *, most: int) -> tuple[EvidenceRow, ...]:
    """Return the newest events that have every word of `term` in what they are, who
    did it, where, or whose card it is about; or those of an event number.

    NotInRole.
    """
    require(desk.operator, Action.EXPORT)
    registry = desk.parts.registry
    words = fold(term).split()
    operation = registry.read(lambda view: view.operation_by_event(term.strip()))
    if operation is not None:
        number = operation.id
        events = walk.events(registry, operation=number, newest_first=True)
        words = []
    else:
        events = walk.events(registry, newest_first=True)
    holders: dict[str, str] = {}
    found: list[EvidenceRow] = []
    for event in itertools.islice(events, EXAMINED):
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
    return tuple(found)


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

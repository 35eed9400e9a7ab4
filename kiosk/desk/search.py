"""Finding credentials as people speak of them."""

from __future__ import annotations

from kiosk.authority.office.desk import Desk
from kiosk.authority.office.operators import Action, require
from storage.records import Credential
from storage.registry import RecordMissing
from storage.view import View

MOST = 100
"""How many are shown."""


def search(desk: Desk, term: str) -> list[Credential]:
    """Return credentials by name, account, card, id, or a screen's event number.

    A part of a name is enough. Those in use come first. NotInRole.
    """
    require(desk.operator, Action.LOOK)
    if not term:
        return []
    return desk.parts.registry.read(lambda view: _search(view, term))


def _search(view: View, term: str) -> list[Credential]:
    operation = view.operation_by_event(term)
    if operation is not None:
        return [view.credential(operation.credential)]
    try:
        return [view.credential(term)]
    except RecordMissing:
        pass  # a name, then
    in_use = view.find(term, retired=False, limit=MOST)
    return in_use + view.find(term, retired=True, limit=MOST - len(in_use))

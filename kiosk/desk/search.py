"""Finding credentials as people speak of them."""

from __future__ import annotations

from kiosk.authority.office.desk import Desk
from kiosk.authority.office.operators import Action, require
from statemachine.lifecycle import State
from storage.records import Credential
from storage.registry import RecordMissing, Tx

MOST = 100
"""How many are shown."""


def search(desk: Desk, term: str) -> list[Credential]:
    """Return credentials by name, account, card, id, or a screen's event number.

    A part of a name is enough. Those in use come first. NotInRole.
    """
    require(desk.operator, Action.LOOK)
    if not term:
        return []
    found = desk.parts.registry.run(lambda tx: _search(tx, term))
    return sorted(found, key=lambda it: (it.state is State.RETIRED, it.holder))[:MOST]


def _search(tx: Tx, term: str) -> list[Credential]:
    operation = tx.operation_by_event(term)
    if operation is not None:
        return [tx.credential(operation.credential)]
    try:
        return [tx.credential(term)]
    except RecordMissing:
        pass  # a name, then
    wanted = term.casefold()
    return [each for each in tx.credentials() if _fits(each, wanted)]


def _fits(credential: Credential, wanted: str) -> bool:
    names = (credential.holder, credential.account)
    if any(wanted in name.casefold() for name in names):
        return True
    return len(wanted) >= 4 and wanted in credential.card.casefold()

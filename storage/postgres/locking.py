"""Reads of a transaction that may write: what it reads by its key is its own until it
ends.

Who reads a credential or one of its operations locks the credential first: so two who
read one and write the other meet there. What is locked is kept, as it was read or as
this transaction has saved it, and not read again.
"""

from __future__ import annotations

from storage.postgres import rows
from storage.postgres.connection import BoundedConnection
from storage.postgres.view import PostgresView
from storage.records import Operation

_OPERATION = (
    "SELECT o.document, c.document, k.authentication, k.card_authentication"
    " FROM operation o JOIN credential c ON c.id = o.credential"
    " LEFT JOIN certificate k ON k.credential = c.id"
    " WHERE o.id = %s FOR NO KEY UPDATE OF c, o"
)
"""Locked in this order, and each as whoever was waited for has left it."""


class LockingView(PostgresView):
    """Reads in the transaction that is open on the connection, and locks."""

    locks = True

    def __init__(self, connection: BoundedConnection) -> None:
        super().__init__(connection)
        self._held: dict[str, Operation] = {}
        """Operations whose credential is locked."""
        self._live: dict[str, Operation | None] = {}
        """The one that has not ended, of each credential of which that was asked."""

    def operation(self, id: str) -> Operation:
        if (held := self._held.get(id)) is not None:
            return held
        found = self._rows(_OPERATION, [id]) if rows.is_storable(id) else []
        if not found:
            return super().operation(id)  # RecordMissing; or nobody has its credential
        document, *credential = found[0]
        operation = self._held[id] = rows.record(Operation, document)
        if operation.credential not in self._locked:
            self._locked[operation.credential] = rows.credential(*credential)
        return operation

    def live_operations(self, credential: str) -> list[Operation]:
        if credential not in self._live:
            known = self._locked.get(credential)
            owner = self._one("c.id = %s", credential, known=known)
            found = super().live_operations(credential)
            if owner is None:
                return found  # nothing is locked: it is read each time
            self._live[credential] = found[0] if found else None
            self._held.update((each.id, each) for each in found)
        live = self._live[credential]
        return [] if live is None else [live]

    def _saved_here(self, operation: Operation) -> None:
        """Keep what this transaction has saved, where it is alone with it."""
        credential = operation.credential
        if credential not in self._locked:
            return
        self._held[operation.id] = operation
        live = self._live.get(credential)
        if operation.ended_at is None:
            self._live[credential] = operation
        elif live is not None and live.id == operation.id:
            self._live[credential] = None

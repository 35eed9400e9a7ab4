"""One look at one thing, without a transaction."""

from __future__ import annotations

from collections.abc import Sequence

from storage.postgres.view import PostgresView


class AsksMore(Exception):
    """A look that was to ask one thing asks another one."""


class Glance(PostgresView):
    """Reads one thing, for which no transaction is open: it is of one moment."""

    asks_more = False
    """Has more than one thing been asked for?"""

    def _rows(
        self,
        statement: str,
        values: Sequence[object] = (),
        *,
        prepare: bool | None = None,
    ) -> list[tuple[object, ...]]:
        if self.asked:
            self.asks_more = True
            raise AsksMore
        return super()._rows(statement, values, prepare=prepare)

"""A statement over all rows of a table as many smaller ones: how far it is can be told.

All of them are of the transaction that the statement would have been of: all or none.
They are not committed one by one, because a program of the earlier tables would go on
between two of them, and add rows that those have passed already; what it reads would be
half of one version and half of the next.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from storage.postgres.connection import BoundedConnection

ROWS = 20_000
"""Of one part: half a second's work."""
KEYS = {"evidence": ("lane", "seq")}
"""The primary keys of the tables that grow with the years."""
_WHOLE = re.compile(r"UPDATE (\w+) SET [^;]+")

Part = tuple[str, Sequence[object]]
"""A statement and its values."""


def parts_of(connection: BoundedConnection, statement: str) -> int:
    """Return in how many parts a statement would be made now. psycopg.Error."""
    table = _table(statement)
    if table is None:
        return 1
    (rows,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone() or (0,)
    return int(str(rows)) // ROWS + 1


def parts(connection: BoundedConnection, statement: str) -> Iterator[Part]:
    """Yield the parts of a statement, each to be made before the next is asked for.

    psycopg.Error.
    """
    table = _table(statement)
    if table is None:
        yield statement, ()
        return
    key = ", ".join(KEYS[table])
    marks = ", ".join("%s" for _ in KEYS[table])
    behind, after = "", tuple[object, ...]()
    while True:
        last = connection.execute(
            f"SELECT {key} FROM {table}{behind} ORDER BY {key} LIMIT 1 OFFSET %s",
            (*after, ROWS - 1),
        ).fetchone()
        if last is None:
            yield statement + behind, after
            return
        until = f"{' AND' if behind else ' WHERE'} ({key}) <= ({marks})"
        yield statement + behind + until, (*after, *last)
        behind, after = f" WHERE ({key}) > ({marks})", tuple(last)


def _table(statement: str) -> str | None:
    """Return the large table of which a statement changes every row, if it does."""
    found = _WHOLE.fullmatch(statement)
    if found is None or " WHERE " in statement:
        return None
    return found[1] if found[1] in KEYS else None

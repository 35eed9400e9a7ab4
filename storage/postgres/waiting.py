"""What a transaction writes at once at its end, in one statement.

Nothing can be in the way of it: a change of a row that this transaction has locked, an
answer, links of a lane that it has locked. Whatever is read or written in between
comes after it (`settle`).
"""

from __future__ import annotations

from typing import Any, LiteralString

from storage.errors import DuplicateRecord, VersionConflict
from storage.postgres import rows
from storage.postgres.connection import BoundedConnection
from storage.postgres.evidence import Lanes
from storage.postgres.rows import Values
from storage.records import Repeat

ANSWER = (
    "INSERT INTO answer (station, call, given_at, document) VALUES (%s, %s, %s, %s)"
    " ON CONFLICT DO NOTHING"
)


class Waiting:
    """Of one transaction."""

    def __init__(self, connection: BoundedConnection, lanes: Lanes) -> None:
        self._connection = connection
        self._lanes = lanes
        self._changes: dict[tuple[LiteralString, str], Values] = {}
        """Columns to be set, by table and id; `version` is the last of them."""
        self._before: dict[tuple[LiteralString, str], int] = {}
        """The version that is in the table."""
        self._answer: Repeat | None = None

    def change(self, table: LiteralString, row: Values) -> None:
        """Take a change of a row of which one version is locked."""
        place = table, str(row["id"])
        if place in self._changes:
            self._changes[place].update(row)
        else:
            self._changes[place] = dict(row)
            self._before[place] = row["version"] - 1

    def answer(self, repeat: Repeat) -> None:
        """Take an answer. DuplicateRecord: of the one that has been waiting."""
        if self._answer is not None:
            self.settle()
        self._answer = repeat

    def settle(self) -> None:
        """Write it. VersionConflict, DuplicateRecord."""
        statements: list[str] = []
        values: list[Any] = []
        changes, self._changes = self._changes, {}
        for place, row in changes.items():
            statement, told = _update(place[0], row, self._before.pop(place))
            statements.append(statement)
            values += told
        answer, self._answer = self._answer, None
        if answer is not None:
            statements.append(f"{ANSWER} RETURNING 1")
            values += answer_row(answer)
        for statement, told in self._lanes.taken():
            statements.append(f"{statement} RETURNING 1")
            values += told
        if not statements:
            return
        counts = self._together(statements, values)
        for (table, key), count in zip(changes, counts, strict=False):
            if not count:  # somebody has saved it who had not locked it
                raise VersionConflict(kind=table, key=key)
        if answer is not None and not counts[len(changes)]:
            raise DuplicateRecord(kind="repeat", key=answer.key)

    def _together(self, statements: list[str], values: list[Any]) -> list[object]:
        """Do all of them; return how many rows each was."""
        named = [f"w{number}" for number, _ in enumerate(statements)]
        parts = ", ".join(
            f"{name} AS ({each})" for name, each in zip(named, statements, strict=True)
        )
        counts = ", ".join(f"(SELECT count(*) FROM {name})" for name in named)
        statement = f"WITH {parts} SELECT {counts}"
        return list(self._connection.execute(statement, values).fetchall()[0])


def _update(table: str, row: Values, before: int) -> tuple[str, list[Any]]:
    names = [name for name in row if name != "id"]
    changes = ", ".join(f"{name} = %s" for name in names)
    return (
        f"UPDATE {table} SET {changes} WHERE id = %s AND version = %s RETURNING 1",
        [*(row[name] for name in names), row["id"], before],
    )


def answer_row(repeat: Repeat) -> list[object]:
    """Return the values of `ANSWER`."""
    return [repeat.station, repeat.key, repeat.at, rows.text(repeat)]

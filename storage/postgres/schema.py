"""The tables' versions: brought forward by their owner, checked by whoever connects.

Each file of `migrations/` is one step and one transaction, and stands in the table
`registry_schema` with its checksum. A program says the lowest number it can work with;
a step says the lowest program that can work with it. So old and new processes may run
beside each other while a fleet is upgraded, where the step allows it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from importlib import resources

import psycopg
from psycopg import errors

from storage.errors import StoreForeign, StoreNotOpened, StoreTooNew, StoreTooOld
from storage.postgres import in_parts
from storage.postgres.connection import (
    BoundedConnection,
    as_owner,
    place_of,
    translated,
)

NEEDS = 5
"""The lowest number of the tables that this program works with."""


@dataclass(frozen=True, slots=True)
class MigrationStep:
    """One migration."""

    number: int
    since: str
    """The version of the program that brought it."""
    works_from: int
    """Programs that know the tables up to this number still work with it."""

    @property
    def text(self) -> str:
        return _file(f"migrations/{self.number:04}.sql")

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()


STEPS = (
    MigrationStep(1, "0.1.0", 1),
    MigrationStep(2, "0.1.0", 2),
    MigrationStep(3, "0.1.0", 3),
    MigrationStep(4, "0.1.0", 3),
    MigrationStep(5, "0.1.0", 3),
)
KNOWS = STEPS[-1].number

Told = Callable[[int, int], object]
"""Hears how many statements are made, and of how many; the same again: it still goes
on. One over a large table counts as many smaller ones (`in_parts`). What it raises ends
the statement, and the step that it is of was never made.
"""


def _untold(_done: int, _statements: int) -> None:
    """Nobody waits for it."""


_TABLE = """
CREATE TABLE registry_schema (
    number bigint PRIMARY KEY,
    digest text NOT NULL,
    since text NOT NULL,
    works_from bigint NOT NULL
)
"""
_MADE_BY_ANOTHER = (
    errors.DuplicateTable,
    errors.DuplicateObject,  # its row's type is there, and the table not yet
    errors.UniqueViolation,
)


def check(connection: BoundedConnection, place: str) -> None:
    """Refuse tables that this program cannot work with, or that are not there.

    StoreTooNew, StoreTooOld. psycopg.Error.
    """
    found = _found(connection)
    connection.commit()  # a rollback forgets every statement that is prepared
    if not found:
        raise StoreTooOld(path=place, version=0, needed=NEEDS)
    newest = max(found)
    for number in sorted(found):
        _, since, works_from = found[number]
        if works_from > KNOWS:
            raise StoreTooNew(path=place, version=since)
    if newest < NEEDS:
        raise StoreTooOld(path=place, version=newest, needed=NEEDS)


class _Work:
    """Statements that are made one after the other, and counted."""

    def __init__(self, connection: BoundedConnection, told: Told) -> None:
        self._connection, self._told = connection, told
        self._done = self._total = 0

    def is_to_make(self, statements: int) -> None:
        self._total += statements

    def make(self, statement: str, values: Sequence[object] = ()) -> None:
        """psycopg.Error, and what `told` raises."""
        try:
            self._connection.execute(statement, values or None)
        finally:
            self._done += 1
            self._total = max(self._total, self._done)  # rows may have been added
        self.still()

    def still(self) -> None:
        self._told(self._done, self._total)


def upgraded(conninfo: str, told: Told = _untold) -> tuple[list[int], list[str]]:
    """As the tables' owner: connect, and do both `upgrade` and `improve`.

    RegistryError.
    """
    place = place_of(conninfo)
    try:
        connection = as_owner(conninfo)
    except psycopg.OperationalError as error:
        reason = " ".join(str(error).split())
        raise StoreNotOpened(place=place, reason=reason) from error
    try:
        with connection as owner:
            work = _Work(owner, told)
            owner.still = work.still
            made = upgrade(owner, place, work)
            return made, improve(owner, work)
    except psycopg.Error as error:
        raise translated(error, place) from error


def upgrade(
    connection: BoundedConnection, place: str, work: _Work | None = None
) -> list[int]:
    """As the tables' owner: make the steps that are missing; return their numbers.

    Two who do it at once wait for each other. StoreForeign, StoreTooNew,
    psycopg.Error.
    """
    work = work or _Work(connection, _untold)
    _found_table(connection)
    found = _found(connection)
    connection.rollback()
    for step in STEPS:
        if step.number not in found:
            work.is_to_make(sum(_parts_of(connection, step, found)))
    work.is_to_make(len(_optional()))
    made: list[int] = []
    for step in STEPS:
        with connection.transaction():
            mine = connection.execute(
                "INSERT INTO registry_schema (number, digest, since, works_from)"
                " VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING",
                (step.number, step.digest, step.since, step.works_from),
            )  # waits for whoever makes the same step at this moment
            if mine.rowcount:
                for statement in statements(step.text):
                    for part, values in in_parts.parts(connection, statement):
                        work.make(part, values)
                made.append(step.number)
            elif _found(connection)[step.number][0] != step.digest:
                raise StoreForeign(place=place)
    check(connection, place)
    return made


def _parts_of(
    connection: BoundedConnection, step: MigrationStep, found: Collection[int]
) -> Iterator[int]:
    """Yield for each statement of a step in how many parts it is made."""
    for statement in statements(step.text):
        yield in_parts.parts_of(connection, statement) if found else 1
    connection.rollback()


def improve(connection: BoundedConnection, work: _Work | None = None) -> list[str]:
    """Make what is faster where the engine has it; return what it refused."""
    work = work or _Work(connection, _untold)
    refused = []
    for statement in _optional():
        try:
            with connection.transaction():
                work.make(statement)
        except psycopg.Error:
            refused.append(statement)
    return refused


def _optional() -> list[str]:
    return statements(_file("optional.sql"))


def roles(account: str) -> str:
    """Return what gives an authority's account its rights: SQL, for a superuser."""
    name = '"' + account.replace('"', '""') + '"'
    return _file("roles.sql").replace(':"role"', name)


def statements(text: str) -> list[str]:
    """Split SQL of ours, which has no semicolon inside a statement."""
    lines = [line for line in text.splitlines() if not line.startswith("--")]
    return [each.strip() for each in "\n".join(lines).split(";") if each.strip()]


def _found_table(connection: BoundedConnection) -> None:
    try:
        with connection.transaction():
            connection.execute(_TABLE)
    except _MADE_BY_ANOTHER:
        return  # it is there, or somebody makes it at this moment


def _found(connection: BoundedConnection) -> dict[int, tuple[str, str, int]]:
    try:
        rows = connection.execute(
            "SELECT number, digest, since, works_from FROM registry_schema"
        ).fetchall()
    except errors.UndefinedTable:
        connection.rollback()
        return {}
    return {
        int(str(number)): (str(digest), str(since), int(str(works_from)))
        for number, digest, since, works_from in rows
    }


def _file(name: str) -> str:
    return resources.files("storage.postgres").joinpath(name).read_text("utf-8")

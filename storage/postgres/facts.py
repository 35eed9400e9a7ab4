"""What a database says of itself, and whether all that is in it is whole."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import msgspec

from storage import audit
from storage.errors import RecordDamaged
from storage.postgres import rows
from storage.postgres_registry import PostgresRegistry
from storage.records import Credential, Operation

_PAGE = 1_000
_SETTINGS = (
    "SELECT current_setting('server_version'), current_setting('fsync'),"
    " current_setting('full_page_writes'), current_setting('synchronous_commit'),"
    " current_setting('synchronous_standby_names'),"
    " extract(epoch FROM clock_timestamp()), pg_database_size(current_database())"
)
_OTHERS = (
    "SELECT pid, coalesce(host(client_addr), '') FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    " AND application_name = current_setting('application_name')"
)
"""A name that the connection string gives is that of every authority of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseFacts:
    """What is to be known of a database that holds a registry."""

    place: str
    version: str
    schema: int
    size: int
    """Bytes, indexes included."""
    events: int
    lanes: int
    unsafe: str
    """The setting by which a commit is not on the disk when it is answered, if any."""
    is_alone: bool
    """No other host has a commit when it is answered."""
    finds_parts: bool
    """A part of a name is found by an index."""
    ahead: float
    """Seconds that its clock is before this machine's."""


def facts(registry: PostgresRegistry) -> DatabaseFacts:
    """Ask the server. RegistryError."""
    before = time.time()
    (told,) = registry.asked(_SETTINGS)
    here = (before + time.time()) / 2
    version, fsync, pages, commit, standbys, clock, size = (str(each) for each in told)
    ((schema,),) = registry.asked("SELECT max(number) FROM registry_schema")
    found = registry.asked(
        "SELECT 1 FROM pg_indexes WHERE indexname = 'credential_by_part'"
    )
    heads = registry.read(lambda view: view.heads())
    settings = {
        "fsync": fsync == "off",
        "full_page_writes": pages == "off",
        "synchronous_commit": commit == "off",
    }
    return DatabaseFacts(
        place=registry.place,
        version=version,
        schema=int(str(schema)),
        size=int(size),
        events=sum(head.seq for head in heads.values()),
        lanes=len(heads),
        unsafe=", ".join(name for name, is_unsafe in settings.items() if is_unsafe),
        is_alone=not standbys or commit == "local",
        finds_parts=bool(found),
        ahead=float(clock) - here,
    )


def others(registry: PostgresRegistry) -> list[str]:
    """Return who else of this program is connected: process, and host where it tells.

    RegistryError.
    """
    return [f"{process} {host}".strip() for process, host in registry.asked(_OTHERS)]


def examined(registry: PostgresRegistry) -> Iterator[RecordDamaged | None]:
    """Read every record; yield what is wrong with it, or None. RegistryError."""
    yield from _chains(registry)
    yield from _credentials(registry)
    yield from _operations(registry)


def _chains(registry: PostgresRegistry) -> Iterator[RecordDamaged | None]:
    chains = audit.Chains()
    heads = registry.read(lambda view: view.heads())
    for lane, head in heads.items():
        is_broken = False
        try:
            for event in registry.audit_events(lane=lane):
                is_broken = event.lane != lane or bool(chains.follow(event))
                if is_broken:
                    yield _damaged("evidence", f"{lane} {event.seq}")
                    break
                yield None
        except msgspec.MsgspecError:
            is_broken = True
            yield _damaged("evidence", lane)
        reached = chains.heads.get(lane)
        if not is_broken and (reached is None or reached.seq < head.seq):
            yield _damaged("evidence", f"{lane} {head.seq}")


def _credentials(registry: PostgresRegistry) -> Iterator[RecordDamaged | None]:
    names = (*rows.CREDENTIAL_COLUMNS,)
    statement = (
        f"SELECT {', '.join(names)} FROM credential WHERE id > %s ORDER BY id LIMIT %s"
    )
    after = ""
    while page := registry.asked(statement, [after, _PAGE]):
        for each in page:
            row = dict(zip(names, each, strict=True))
            try:
                record = rows.record(Credential, row["document"])
                fits = rows.credential_row(record) == row
            except msgspec.MsgspecError:
                fits = False
            yield None if fits else _damaged("credential", str(row["id"]))
            after = str(row["id"])


def _operations(registry: PostgresRegistry) -> Iterator[RecordDamaged | None]:
    statement = (
        "SELECT id, version, credential, live_of, event, started_at, document"
        " FROM operation WHERE id > %s ORDER BY id LIMIT %s"
    )
    after = ""
    while page := registry.asked(statement, [after, _PAGE]):
        for each in page:
            try:
                row = rows.operation_row(rows.record(Operation, each[-1]))
                fits = tuple(row.values()) == each
            except msgspec.MsgspecError:
                fits = False
            yield None if fits else _damaged("operation", str(each[0]))
            after = str(each[0])


def _damaged(kind: str, key: str) -> RecordDamaged:
    return RecordDamaged(kind=kind, key=key)

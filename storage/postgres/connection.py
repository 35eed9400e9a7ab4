"""One connection to the database, opened again when it is lost; its errors, ours.

The connection string is libpq's: several hosts may be named, and the one that takes
writes is found (`target_session_attrs=read-write`, unless the string says otherwise).
One thread.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import psycopg
from psycopg import errors
from psycopg.abc import PQGen
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.errors import Diagnostic
from psycopg.pq.abc import PGconn

from storage.errors import (
    NoConnectionString,
    RegistryError,
    StoreForbidden,
    StoreFull,
    StoreLocked,
    StoreUnavailable,
)
from storage.records import Template

T = TypeVar("T")
CONNECT_SECONDS = 2
"""For each host that is named."""
ANSWER_SECONDS = 5.0
"""For each statement, by this side's clock: a server that stands still tells nobody.

The server's own limit is switched off. It would end a COMMIT that waits for a standby,
too, and PostgreSQL then says that it was committed, although only one host has it.
"""
_STILL_SECONDS = 1.0
LOCK_SECONDS = 3
IDLE_SECONDS = 10
"""How long a transaction may stand still before the server ends it."""
DEFAULTS = {
    "target_session_attrs": "read-write",
    "connect_timeout": str(CONNECT_SECONDS),
    "tcp_user_timeout": "5000",
    "keepalives_idle": "2",
    "keepalives_interval": "1",
    "keepalives_count": "3",
    "application_name": "pin-kiosk",
}
AGAIN = (errors.SerializationFailure, errors.DeadlockDetected, errors.UniqueViolation)
"""What another transaction has done to ours: run once more, it meets what is there now.

A unique key is only violated where another has just taken it; looked at again, the
function is told so (`DuplicateRecord`, `VersionConflict`).
"""
ELSEWHERE = (
    errors.AdminShutdown,
    errors.CrashShutdown,
    errors.CannotConnectNow,
    errors.ReadOnlySqlTransaction,
    errors.IdleInTransactionSessionTimeout,
)
"""What a server says that does not lead any more, or is going away."""


class BoundedConnection(psycopg.Connection[tuple[object, ...]]):
    """One that waits for no answer for ever, and hears what a server warns of."""

    warnings = 0
    """How many there were."""
    answer_seconds: float | None = None
    """How long each answer may take; None: for ever."""
    still: Callable[[], object] | None = None
    """Hears each second that there is no answer yet; only where one may take for ever.
    """

    def __init__(self, pgconn: PGconn) -> None:
        super().__init__(pgconn)
        self.templates: dict[tuple[str, int], Template] = {}
        """Published versions that were read here. Nobody can change one (`roles.sql`);
        another server that was put in this one's place is another connection."""

    def takes_one(self) -> None:
        """Let the next statement be all there is: one moment, and nothing to end."""
        self._is_to_be(alone=True)

    def looks(self) -> None:
        """Let the next statements see one moment, until the transaction ends."""
        self._is_to_be(isolation=psycopg.IsolationLevel.REPEATABLE_READ, reads=True)

    def writes(self) -> None:
        """Let the next statements be a transaction that may write."""
        self._is_to_be()

    def _is_to_be(
        self,
        *,
        alone: bool = False,
        isolation: psycopg.IsolationLevel | None = None,
        reads: bool | None = None,
    ) -> None:
        """Say how transactions begin; what is so already is not said again."""
        if self.autocommit is not alone:
            self.autocommit = alone
        if not alone and self.isolation_level is not isolation:
            self.isolation_level = isolation
        if not alone and self.read_only is not reads:
            self.read_only = reads

    def wait(
        self,
        gen: PQGen[T],
        interval: float = 0.1,
        timeout: float | None = None,
    ) -> T:
        """Wait for an answer; the connection is lost if there is none in time."""
        if self.still is not None:
            return self._wait_and_tell(gen, interval, self.still)
        try:
            return super().wait(gen, interval, timeout or self.answer_seconds)
        except errors._WaitTimeout as error:  # noqa: SLF001  # it has no other name
            self.pgconn.finish()
            raise psycopg.OperationalError("no answer in time") from error

    def _wait_and_tell(
        self, gen: PQGen[T], interval: float, still: Callable[[], object]
    ) -> T:
        """Wait for an answer for ever; what `still` raises ends the statement."""
        while True:
            try:
                return super().wait(gen, interval, _STILL_SECONDS)
            except errors._WaitTimeout:  # noqa: SLF001  # it has no other name
                try:
                    still()
                except BaseException:
                    self.cancel_safe(timeout=ANSWER_SECONDS)
                    self.pgconn.finish()
                    raise


def place_of(conninfo: str) -> str:
    """Return what may be shown of a connection string: hosts, ports, database.

    NoConnectionString: it is none.
    """
    try:
        told = conninfo_to_dict(conninfo)
    except psycopg.ProgrammingError as error:
        raise NoConnectionString(place="postgresql") from error
    hosts = str(told.get("host") or told.get("hostaddr") or "").split(",")
    ports = str(told.get("port") or "").split(",")
    ports = ports * len(hosts) if len(ports) == 1 else ports
    named = [
        f"{host}:{port}" if port else host
        for host, port in zip(hosts, ports, strict=False)
    ]
    return f"postgresql://{','.join(named)}/{told.get('dbname') or ''}"


def as_owner(conninfo: str) -> BoundedConnection:
    """Open one for what may take long: making tables and indexes. psycopg.Error."""
    connection = connect(conninfo)
    connection.answer_seconds = None
    return connection


def connect(conninfo: str) -> BoundedConnection:
    """Open a connection that waits for nothing for ever. psycopg.Error."""
    told = conninfo_to_dict(conninfo)
    wanted = {**DEFAULTS, **{key: str(it) for key, it in told.items() if it}}
    if _is_over_a_network(wanted):
        wanted.setdefault("sslmode", "verify-full")
    try:
        connection = BoundedConnection.connect(make_conninfo("", **wanted))
    except psycopg.ProgrammingError as error:  # as of any other value that is none
        raise psycopg.OperationalError(*error.args) from error
    except UnicodeError as error:
        raise psycopg.OperationalError("no host can have such a name") from error
    connection.answer_seconds = ANSWER_SECONDS  # before anything is asked
    connection.add_notice_handler(lambda told: _hear(connection, told))
    try:
        connection.execute(
            "SELECT set_config('statement_timeout', '0', false),"
            " set_config('lock_timeout', %s, false),"
            " set_config('idle_in_transaction_session_timeout', %s, false)",
            [f"{each}s" for each in (LOCK_SECONDS, IDLE_SECONDS)],
        )
        connection.commit()
    except BaseException:
        connection.close()
        raise
    return connection


def _hear(connection: BoundedConnection, told: Diagnostic) -> None:
    if told.severity_nonlocalized == "WARNING":
        connection.warnings += 1


def _is_over_a_network(told: dict[str, str]) -> bool:
    """Say whether a host is named that is no folder of a socket."""
    hosts = told.get("hostaddr") or told.get("host") or "/"
    return not all(host.startswith(("/", "@")) for host in hosts.split(","))


def is_lost(connection: BoundedConnection, error: psycopg.Error) -> bool:
    """Say whether only another connection can help."""
    return connection.closed or isinstance(error, ELSEWHERE)


def translated(error: psycopg.Error, place: str) -> RegistryError | psycopg.Error:
    """Return what the port calls this; the error itself where that is a fault of ours.

    Nothing of a statement or its values goes along: the port's data is the place.
    """
    match error:
        case errors.LockNotAvailable():
            return StoreLocked(path=place, seconds=LOCK_SECONDS)
        case errors.SerializationFailure() | errors.DeadlockDetected():
            return StoreLocked(path=place, seconds=LOCK_SECONDS)
        case errors.DiskFull() | errors.OutOfMemory():
            return StoreFull(path=place)
        case errors.InFailedSqlTransaction():
            return error
        case errors.InsufficientPrivilege():
            return StoreForbidden(place=place)
        case psycopg.OperationalError() | psycopg.InternalError():
            return StoreUnavailable(place=place)
    return error

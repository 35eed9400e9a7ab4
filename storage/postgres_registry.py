"""The registry of several hosts: `registry.Registry` on PostgreSQL.

READ COMMITTED, with what must be single held by unique keys and versions, and who works
on a credential kept apart by a lock on its row. `run` runs its function again after
what another transaction did to it, and after the connection was lost: what had not been
sent to be committed was not committed, and what had been is looked for before anything
is done again. Every change leaves something by which that can be told: an event in its
lane, an answer, a nonce, or else a mark of its own.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from types import CodeType
from typing import TypeVar

import psycopg
from msgspec.structs import replace
from psycopg import errors
from psycopg.pq import TransactionStatus

from storage import audit
from storage.audit import Head
from storage.errors import CommitUnknown, RegistryError, StoreUnavailable
from storage.postgres import rows, schema
from storage.postgres.connection import (
    AGAIN,
    BoundedConnection,
    connect,
    is_lost,
    place_of,
    translated,
)
from storage.postgres.glance import AsksMore, Glance
from storage.postgres.view import PostgresView
from storage.postgres.writing import PostgresTx
from storage.records import Approval, AuditDraft, AuditEvent, EnrollmentToken
from storage.registry import (
    ANSWERS_KEPT_SECONDS,
    FREQUENCIES_KEPT_SECONDS,
    NONCES_KEPT_SECONDS,
    SEALING_KEYS_KEPT_SECONDS,
    Tx,
)
from storage.view import View

T = TypeVar("T")
PATIENCE_SECONDS = 5.0
"""How long a call tries to find a server that takes it before it says that there is
none. A host's death takes Patroni longer; the station shows that, and tries again."""
_TRIES = 12
"""Of a transaction that others get in the way of."""
_PAUSE_SECONDS = 0.01
_RECONNECT_SECONDS = 0.2
CHECKED_SECONDS = 30.0
"""How often an open connection looks whether the tables are still for this program:
their owner may have brought them forward.
"""
_SWEPT = 500
"""Nonces or answers that are forgotten in one transaction."""
_PAGE = 2_000
"""Events that are read at once of a lane."""


class PostgresRegistry:
    """One connection to a registry that any number of processes share. One thread."""

    def __init__(
        self,
        conninfo: str,
        *,
        patience: float = PATIENCE_SECONDS,
        connecting: Callable[[str], BoundedConnection] = connect,
    ) -> None:
        """Connect. StoreUnavailable, StoreTooNew, StoreTooOld, StoreForbidden."""
        self._conninfo = conninfo
        self._place = place_of(conninfo)
        self._patience = patience
        self._connecting = connecting
        self._open: BoundedConnection | None = None
        self._checked_at = 0.0
        self._ask_more: set[CodeType] = set()
        """Functions that `read` was given before, and that asked several things."""
        self._until_served(lambda _: None)

    @property
    def place(self) -> str:
        """Where it is, without anything secret."""
        return self._place

    def run(self, fn: Callable[[Tx], T]) -> T:
        return self._until_served(lambda connection: self._commit(connection, fn))

    def read(self, fn: Callable[[View], T]) -> T:
        return self._until_served(lambda connection: self._looked(connection, fn))

    def audit_events(self, *, lane: str | None = None) -> Iterator[AuditEvent]:
        lanes = [lane] if lane else list(self.read(lambda view: view.heads()))
        decode = rows.decoder(AuditEvent)
        for each in lanes:
            after = 0
            while page := self.asked(_LANE, [each, after, _PAGE]):
                for (document,) in page:
                    event = decode(str(document))
                    yield event
                after = event.seq

    def evidence_at_rest(self) -> AbstractContextManager[None]:
        return nullcontext()  # nothing is ever moved

    def lane_of(self, station: str) -> str:
        return audit.shared_lane(station)

    def moved_away(self) -> Mapping[str, Head]:
        return {}

    def idle(self, now: float) -> bool:
        most = max(
            self._changed(_OLD_NONCES, [now - NONCES_KEPT_SECONDS, _SWEPT]),
            self._changed(_OLD_ANSWERS, [now - ANSWERS_KEPT_SECONDS, _SWEPT]),
            self._changed(_OLD_KEYS, [now - SEALING_KEYS_KEPT_SECONDS]),
            self._changed(_OLD_FREQUENCIES, [now - FREQUENCIES_KEPT_SECONDS, _SWEPT]),
        )
        return most == _SWEPT

    def distrust(
        self, *, station: str, now: float, kind: str = "registry.restored"
    ) -> None:
        def void(tx: Tx) -> None:
            dropped = tx.drop_nonces()
            open_ones = [rows.record(Approval, each) for (each,) in self._all(_OPEN)]
            for approval in open_ones:
                tx.save_approval(replace(approval, spent=True))
            tokens = [
                rows.record(EnrollmentToken, each)
                for (each,) in self._all(_OPEN_TOKENS)
            ]
            for token in tokens:
                tx.save_token(replace(token, void=True))
            voided = len(open_ones) + len(tokens)
            data = {"nonces": str(dropped), "codes": str(voided)}
            tx.audit(
                AuditDraft(
                    at=now, station=station, kind=kind, actor="registry", data=data
                )
            )

        self.run(void)

    def recovered(self) -> str:
        return ""  # the server has recovered by itself before it lets anybody in

    def close(self) -> None:
        if self._open is not None:
            self._open.close()
            self._open = None

    def asked(
        self, statement: str, values: list[object] | None = None
    ) -> list[tuple[object, ...]]:
        """Return what the server says to a question, outside of any transaction."""

        def ask(connection: BoundedConnection) -> list[tuple[object, ...]]:
            connection.takes_one()
            return connection.execute(statement, values).fetchall()

        return self._until_served(ask)

    # --- one attempt ------------------------------------------------------------

    def _looked(self, connection: BoundedConnection, fn: Callable[[View], T]) -> T:
        """Let `fn` look: most ask one thing, which needs no transaction around it.

        One that turns out to ask more is begun again where all it sees is one moment,
        and there at once the next time.
        """
        kind = getattr(fn, "__code__", None)
        if kind is not None and kind not in self._ask_more:
            connection.takes_one()
            glance = Glance(connection)
            try:
                result = fn(glance)
            except AsksMore:
                pass
            else:
                if not glance.asks_more:  # it may have hidden that
                    return result
            self._ask_more.add(kind)
        connection.looks()
        view = PostgresView(connection)
        result = fn(view)
        connection.commit()  # a rollback forgets every statement that is prepared
        if view.asked <= 1 and kind is not None:
            self._ask_more.discard(kind)
        return result

    def _commit(self, connection: BoundedConnection, fn: Callable[[Tx], T]) -> T:
        """Run and commit; what others did to it passes as psycopg.Error."""
        connection.writes()
        tx = PostgresTx(connection)
        result = fn(tx)
        tx.finish(time.time())
        if not tx.has_written:
            connection.commit()
            return result
        if connection.info.transaction_status is not TransactionStatus.INTRANS:
            raise errors.InFailedSqlTransaction  # the function hid an error from us
        try:
            self._commit_everywhere(connection)
        except psycopg.Error as error:
            if not is_lost(connection, error):
                raise
            self.close()
            if not self._was_committed(tx):
                raise
        return result

    def _commit_everywhere(self, connection: BoundedConnection) -> None:
        """Commit; CommitUnknown if the server did not wait until it was safe.

        A COMMIT whose wait for a standby is cancelled succeeds with a warning: it is
        on one host, which may be about to be put aside.
        """
        before = connection.warnings
        connection.commit()
        if connection.warnings != before:
            self.close()
            raise CommitUnknown(place=self._place)

    def _was_committed(self, tx: PostgresTx) -> bool:
        """Find out, on another connection. CommitUnknown: nobody can tell now.

        What is there may still be on that host alone, if it died and came back. So
        something is committed behind it: when that is safe, so is what was before.
        Whatever is refused here (its disk is full, tables were brought forward) says
        nothing of what was committed before.
        """

        def look(connection: BoundedConnection) -> bool:
            connection.writes()
            if not tx.stands(connection):
                return False
            behind = PostgresTx(connection)
            behind.leave_mark(time.time())
            self._commit_everywhere(connection)
            return True

        try:
            return self._until_served(look)
        except (RegistryError, psycopg.Error) as error:
            raise CommitUnknown(place=self._place) from error

    def _changed(self, statement: str, values: list[object]) -> int:
        """Make a change that may be made twice; return how many rows it was."""

        def change(connection: BoundedConnection) -> int:
            connection.writes()
            count = connection.execute(statement, values).rowcount
            connection.commit()
            return count

        return self._until_served(change)

    def _all(self, statement: str) -> list[tuple[object, ...]]:
        """Ask inside the open transaction."""
        if self._open is None:
            raise StoreUnavailable(place=self._place)
        return self._open.execute(statement).fetchall()

    # --- until it is served -----------------------------------------------------

    def _until_served(self, attempt: Callable[[BoundedConnection], T]) -> T:
        """Try until it succeeds, or is clear that it will not. RegistryError."""
        deadline = time.monotonic() + self._patience
        tries = 0
        while True:
            used: BoundedConnection | None = None
            try:
                used = self._connected()
                return attempt(used)
            except psycopg.Error as error:
                tries += 1
                if used is None or is_lost(used, error):
                    may_go_on = self._may_reconnect(error, used, deadline)
                else:
                    may_go_on = isinstance(error, AGAIN) and tries < _TRIES
                    _wait_a_little(tries)
                if not may_go_on:
                    raise translated(error, self._place) from error
            finally:
                self._give_up()

    def _connected(self) -> BoundedConnection:
        if self._open is None:
            self._open = self._connecting(self._conninfo)
        elif time.monotonic() - self._checked_at < CHECKED_SECONDS:
            return self._open
        try:
            schema.check(self._open, self._place)
        except BaseException:
            self.close()
            raise
        self._checked_at = time.monotonic()
        return self._open

    def _give_up(self) -> None:
        """Leave no transaction open, whatever ended it; no connection that is lost."""
        if self._open is None:
            return
        try:
            self._open.rollback()
        except psycopg.Error:
            self.close()

    def _may_reconnect(
        self, error: psycopg.Error, used: BoundedConnection | None, deadline: float
    ) -> bool:
        """Leave a connection that is lost; say whether another one may be tried."""
        if used is self._open:
            self.close()
        if not isinstance(error, psycopg.OperationalError | psycopg.InternalError):
            return False
        time.sleep(_RECONNECT_SECONDS)
        return time.monotonic() < deadline


def _wait_a_little(tries: int) -> None:
    """Let the other one go first: not both again at the same moment."""
    time.sleep(random.uniform(0, _PAUSE_SECONDS * tries))  # noqa: S311  # no secret


_LANE = (
    "SELECT document FROM evidence WHERE lane = %s AND seq > %s ORDER BY seq LIMIT %s"
)
_OPEN = "SELECT document FROM approval WHERE open_until IS NOT NULL"
_OPEN_TOKENS = "SELECT document FROM enrollment_token WHERE open_until IS NOT NULL"
_OLD_KEYS = "DELETE FROM sealing_key WHERE made_at < %s"
_OLD_FREQUENCIES = (
    "DELETE FROM frequency WHERE id IN"
    " (SELECT id FROM frequency WHERE at < %s ORDER BY at LIMIT %s)"
)
_OLD_NONCES = (
    "DELETE FROM nonce WHERE value IN"
    " (SELECT value FROM nonce WHERE expires_at <= %s ORDER BY expires_at LIMIT %s)"
)
_OLD_ANSWERS = (
    "DELETE FROM answer WHERE (station, call) IN"
    " (SELECT station, call FROM answer WHERE given_at < %s ORDER BY given_at LIMIT %s)"
)

"""The registry in PostgreSQL: against the same statements typed by hand, and at size.

A server of its own, with what it commits on the disk. `BENCH_CREDENTIALS` and
`BENCH_EVENTS` choose other sizes than those that are made in a bearable time.
"""

from __future__ import annotations

import itertools
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
from msgspec.structs import replace

from scripts.bench import Row
from scripts.bench.storage import credential, interleaved, kiosk_operation, median_ms
from storage import audit
from storage.audit import Head
from storage.postgres import rows, schema
from storage.postgres.connection import as_owner, connect
from storage.postgres_registry import PostgresRegistry
from storage.records import AuditDraft
from storage.view import ByHolder

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))
from lab.servers.postgres import Server  # the laboratory is no installed package

TITLE = "The registry in PostgreSQL"
CREDENTIALS = int(os.environ.get("BENCH_CREDENTIALS", "100000"))
EVENTS = int(os.environ.get("BENCH_EVENTS", "300000"))
ROUNDS = 400
LANES = 64
VERIFIED = 200_000
"""Events that are made by us, hashes and all; the others are made by the server."""
_SYLLABLES = ("ba", "ker", "len", "mo", "rit", "sta", "vel", "win", "zor", "hau")
GIVEN = [
    f"{a}{b}{c}"
    for a in ("jo", "an", "ma", "ti")
    for b, c in zip(_SYLLABLES, _SYLLABLES[1:] + _SYLLABLES[:1], strict=True)
]
"""Forty given names."""
FAMILIES = sorted(
    f"{a}{b}{c}{d}"
    for a, b in itertools.product(_SYLLABLES, repeat=2)
    for c, d in itertools.product(("ber", "man", "sen", "ski"), repeat=2)
)
"""1,600 family names; a person is one of each."""
_SERVER = {
    "fsync": "on",
    "shared_buffers": "1GB",
    "maintenance_work_mem": "512MB",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
}
_EVENT = (
    *("lane", "seq", "at", "station"),
    *("kind", "credential", "operation", "document"),
)
_KINDS = ("operation.prepared", "operation.authorised", "operation.writing")


def run() -> list[Row]:
    """Make one database, and measure it."""
    server = Server(_SERVER)
    try:
        return _run(server.conninfo(server.empty_database()))
    finally:
        server.remove()


def _run(conninfo: str) -> list[Row]:
    fill(conninfo)
    registry = PostgresRegistry(conninfo)
    by_hand = ByHand(conninfo)
    operation, same = interleaved(
        lambda n: kiosk_operation(registry, n), by_hand.kiosk_operation, ROUNDS
    )
    ids = itertools.cycle(f"c{number:06d}" for number in range(0, CREDENTIALS, 997))
    page = median_ms(lambda _: _page(registry, next(ids)), 100)
    parts = [family[1:] for family in FAMILIES[::4]]
    find = median_ms(lambda n: _find(registry, parts[n % len(parts)]), 100)
    common = median_ms(lambda n: _find(registry, GIVEN[n % len(GIVEN)][1:]), 40)
    rare = median_ms(lambda n: _find(registry, f"{CREDENTIALS - 1 - n}@ad"), 40)
    next_page = median_ms(lambda n: _find(registry, "a", after=FAMILIES[n]), 40)
    started = time.perf_counter()
    events = (event for lane in _heads for event in registry.audit_events(lane=lane))
    verdict = audit.verify(itertools.islice(events, VERIFIED))
    verified = (time.perf_counter() - started) / verdict.events * 100_000 * 1000
    if not verdict.is_sound:
        raise AssertionError(verdict)
    registry.close()
    by_hand.close()
    what = f"{CREDENTIALS:,} credentials, {EVENTS:,} events"
    return [
        Row(
            what=f"kiosk operation, {what}",
            ours=operation,
            other=same,
            unit="ms",
            other_is="the statements by hand",
            target=1.3,
        ),
        _row("a credential and its last 50 events", page, 10.0),
        _row("find by a part of a family name, the first 50", find, 50.0),
        _row("the same, of what one in forty has", common, 50.0),
        _row("the same, of what one has", rare, 50.0),
        _row("a page far on of what most have", next_page, 50.0),
        _row("100,000 events verified", verified, 1_000.0),
    ]


def _row(what: str, ours: float, bound: float) -> Row:
    return Row(
        what=what, ours=ours, other=bound, unit="ms", other_is="bound", target=1.0
    )


_MORE = """
INSERT INTO evidence (lane, seq, at, station, kind, credential, operation, document)
SELECT
  e.lane, n, 1.7e9 + n, e.lane, 'operation.writing', e.credential, e.operation, format(
    '{"actor":"holder","at":%%s,"credential":"%%s","data":{"event":"%%s","kind":"change"},'
    '"hash":"%%s","kind":"operation.writing","operation":"%%s","previous":"%%s",'
    '"result":"","seq":%%s,"station":"%%s"}', 1.7e9 + n, e.credential, n,
    e.hash, e.operation, e.hash, n, e.lane)
FROM generate_series(%(first)s::bigint, %(count)s - 1) n, LATERAL (SELECT
    'm' || n %% %(lanes)s AS lane,
    'c' || to_char(n * 7919 %% %(credentials)s, 'FM000000') AS credential,
    '00000000-0000-0000-0000-' || to_char(n / 4, 'FM000000000000') AS operation,
    repeat(to_char(n, 'FM00000000'), 8) AS hash) e
"""


# --- filling ----------------------------------------------------------------------


def fill(conninfo: str) -> None:
    """Copy records in as the registry would have written them; indexes come after."""
    with as_owner(conninfo) as connection:
        schema.upgrade(connection, "bench")
        text = "".join(step.text for step in schema.STEPS)
        indexes = [it for it in schema.statements(text) if "CREATE INDEX" in it]
        for statement in indexes:
            name = statement.split()[2]
            connection.execute(f"DROP INDEX {name}".encode())
        first = rows.credential_row(credential(0))
        _copy(connection, "credential", tuple(first), _credentials())
        _copy(connection, "evidence", _EVENT, _events())
        connection.execute(
            _MORE,
            {
                "lanes": LANES,
                "credentials": CREDENTIALS,
                "first": VERIFIED,
                "count": EVENTS,
            },
        )
        with connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO evidence_head VALUES (%s, %s, %s)",
                [(lane, head.seq, head.hash) for lane, head in _heads.items()],
            )
        for statement in indexes:
            connection.execute(statement.encode(), prepare=False)
            connection.commit()
        schema.improve(connection)
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")
        connection.execute("CHECKPOINT")


def _copy(
    connection: psycopg.Connection[Any],
    table: str,
    columns: tuple[str, ...],
    records: Iterator[tuple[Any, ...]],
) -> None:
    started = time.perf_counter()
    statement = f"COPY {table} ({', '.join(columns)}) FROM STDIN"
    with connection.cursor() as cursor, cursor.copy(statement.encode()) as copy:
        for record in records:
            copy.write_row(record)
    connection.commit()
    took = time.perf_counter() - started
    print(f"filled {table} in {took:.0f} s", file=sys.stderr, flush=True)


def _credentials() -> Iterator[tuple[Any, ...]]:
    for number in range(CREDENTIALS):
        holder = f"{FAMILIES[number * 7919 % 1600]} {GIVEN[number % 40]}"
        saved = replace(credential(number), version=1, holder=holder)
        yield tuple(rows.credential_row(saved).values())


_heads: dict[str, Head] = {}


def _events() -> Iterator[tuple[Any, ...]]:
    for number in range(min(EVENTS, VERIFIED)):
        lane = f"k{number % LANES}"
        draft = AuditDraft(
            at=1.7e9 + number,
            station=lane,
            kind=_KINDS[number % 3],
            actor="holder",
            credential=f"c{number * 7919 % CREDENTIALS:06d}",
            operation=f"00000000-0000-0000-0000-{number // 4:012d}",
            data={"event": f"{number:08d}", "kind": "change"},
        )
        head = _heads.get(lane, Head(0, audit.GENESIS))
        event = audit.link(draft, seq=head.seq + 1, previous=head.hash)
        _heads[lane] = Head(event.seq, event.hash)
        yield (
            *(lane, event.seq, event.at, lane, event.kind),
            *(event.credential, event.operation, rows.text(event)),
        )


# --- what is measured ---------------------------------------------------------------


def _page(registry: PostgresRegistry, id: str) -> None:
    registry.read(
        lambda view: (
            view.credential(id),
            view.events(credential=id, newest_first=True, limit=50),
        )
    )


def _find(registry: PostgresRegistry, term: str, after: str = "") -> None:
    place = ByHolder(after, "") if after else None
    registry.read(lambda view: view.find(term, limit=50, after=place))


class ByHand:
    """The statements of a kiosk operation, with everything made beforehand."""

    def __init__(self, conninfo: str) -> None:
        self._connection = connect(conninfo)
        self._connection.execute("INSERT INTO evidence_head VALUES ('hand', 0, '')")
        self._connection.commit()
        self._row = rows.credential_row(credential(1))
        self._do: Callable[..., Any] = self._connection.execute

    def close(self) -> None:
        self._connection.close()

    def kiosk_operation(self, number: int) -> None:
        """What `storage.kiosk_operation` does, statement for statement."""
        value, key = b"hand" + number.to_bytes(28, "big"), f"c{number % 100 + 200:06d}"
        self._do(
            "INSERT INTO nonce VALUES (%s, %s, %s, %s, %s)",
            [value, "operation", "o", "hand", 2e9],
        )
        self._connection.commit()
        self._do("DELETE FROM nonce WHERE value = %s RETURNING purpose", [value])
        found = self._do(
            "SELECT c.document, c.version, k.authentication FROM credential c"
            " LEFT JOIN certificate k ON k.credential = c.id WHERE c.id = %s"
            " FOR NO KEY UPDATE OF c",
            [key],
        ).fetchone()
        self._do(
            "UPDATE credential SET document = %s, version = version + 1"
            " WHERE id = %s AND version = %s",
            [found[0], key, found[1]],
        )
        head = self._do(
            "SELECT seq, hash FROM evidence_head WHERE lane = 'hand' FOR UPDATE"
        ).fetchone()
        seq = head[0] + 1
        self._do(
            "WITH moved AS (UPDATE evidence_head SET seq = %s WHERE lane = 'hand')"
            " INSERT INTO evidence VALUES ('hand', %s, 1.0, 'x', %s, '', %s, 'hand')",
            [seq, seq, key, found[0][:300]],
        )
        self._connection.commit()

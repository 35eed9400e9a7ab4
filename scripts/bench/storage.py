"""The embedded registry against stock TinyDB, SQLite and its own smaller self."""

from __future__ import annotations

import json
import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from msgspec.structs import replace
from tinydb import TinyDB
from tinydb.storages import JSONStorage

from scripts.bench import Row
from statemachine.lifecycle import State
from storage import canonical
from storage.records import (
    AuditDraft,
    Credential,
    LastSync,
    Nonce,
    NoncePurpose,
    PublicKey,
    Sync,
)
from storage.registry import Registry, Tx
from storage.tinydb_registry import TinyDbRegistry

LARGE, SMALL = int(os.environ.get("BENCH_CREDENTIALS", "100000")), 100
"""`BENCH_CREDENTIALS` chooses how many the larger has."""
ROUNDS = 300


def credential(number: int) -> Credential:
    """A credential of ordinary size (about 700 bytes as JSON)."""
    return Credential(
        id=f"c{number:06d}",
        card=f"piv:guid:{number:032x}",
        holder=f"Person {number}",
        account=f"person{number}@ad.test",
        account_guid=f"00000000-0000-0000-0000-{number:012d}",
        template="staff",
        template_version=1,
        state=State.ACTIVE,
        sync=Sync.IN_STEP,
        authentication_key=PublicKey(slot="9A", algorithm="P-256", spki=bytes(91)),
        last_sync=LastSync(at=0.0, dc="dc1", pwd_last_set=number),
    )


def filled(path: Path, count: int) -> TinyDbRegistry:
    """Make a registry with that many credentials."""
    registry = TinyDbRegistry(path)
    for begin in range(0, count, 1000):
        end = min(begin + 1000, count)
        registry.run(lambda tx, b=begin, e=end: _fill(tx, b, e))  # type: ignore[misc]  # mypy cannot infer a lambda's defaults
    return registry


def _fill(tx: Tx, begin: int, end: int) -> None:
    for number in range(begin, end):
        tx.save_credential(credential(number))


def commit(registry: TinyDbRegistry, number: int) -> None:
    """One durable commit: read one credential, change it."""

    def change(tx: Tx) -> None:
        known = tx.credential(f"c{number:06d}")
        tx.save_credential(replace(known, pin_changed_at=time.time()))

    registry.run(change)


def kiosk_operation(registry: Registry, number: int) -> None:
    """Two commits: issue a nonce; consume it, change state, audit."""
    value = number.to_bytes(32, "big")
    nonce = Nonce(
        value=value,
        purpose=NoncePurpose.OPERATION,
        bound_to="o",
        station="k",
        expires_at=2e9,
    )
    registry.run(lambda tx: tx.issue_nonce(nonce))

    def second(tx: Tx) -> None:
        assert tx.consume_nonce(
            value,
            purpose=NoncePurpose.OPERATION,
            bound_to="o",
            station="k",
            now=1.0,
        )
        known = tx.credential(f"c{number % SMALL:06d}")
        tx.save_credential(replace(known, pin_changed_at=float(number)))
        tx.audit(
            AuditDraft(at=1.0, station="k", kind="x", actor="a", credential=known.id)
        )

    registry.run(second)


class Sqlite:
    """The same records in SQLite: WAL, synchronous FULL, one JSON column and a key."""

    def __init__(self, path: Path, count: int) -> None:
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        for table in ("credentials", "nonces", "audit", "heads"):
            self._db.execute(f"CREATE TABLE {table} (key TEXT PRIMARY KEY, raw BLOB)")
        self._db.execute("CREATE TABLE cards (card TEXT PRIMARY KEY, key TEXT)")
        self._db.execute("BEGIN")
        for number in range(count):
            each = credential(number)
            self._put("credentials", each.id, canonical.encode(each))
            self._db.execute("INSERT INTO cards VALUES (?, ?)", (each.card, each.id))
        self._db.execute("COMMIT")

    def _put(self, table: str, key: str, raw: bytes) -> None:
        self._db.execute(f"INSERT OR REPLACE INTO {table} VALUES (?, ?)", (key, raw))

    def _get(self, table: str, key: str) -> bytes | None:
        row = self._db.execute(
            f"SELECT raw FROM {table} WHERE key = ?", (key,)
        ).fetchone()
        return row[0] if row else None

    def kiosk_operation(self, number: int) -> None:
        """What `kiosk_operation` does, record for record."""
        import msgspec

        from storage import audit
        from storage.audit import Head

        value = number.to_bytes(32, "big")
        nonce = Nonce(
            value=value,
            purpose=NoncePurpose.OPERATION,
            bound_to="o",
            station="k",
            expires_at=2e9,
        )
        self._db.execute("BEGIN IMMEDIATE")
        self._put("nonces", value.hex(), canonical.encode(nonce))
        self._db.execute("COMMIT")
        self._db.execute("BEGIN IMMEDIATE")
        raw = self._get("nonces", value.hex())
        msgspec.json.decode(raw or b"", type=Nonce)
        self._db.execute("DELETE FROM nonces WHERE key = ?", (value.hex(),))
        key = f"c{number % SMALL:06d}"
        raw = self._get("credentials", key)
        known = msgspec.json.decode(raw or b"", type=Credential)
        saved = replace(known, pin_changed_at=float(number), version=known.version + 1)
        self._put("credentials", key, canonical.encode(saved))
        raw = self._get("heads", "k")
        head = msgspec.json.decode(raw, type=Head) if raw else Head(0, audit.GENESIS)
        draft = AuditDraft(at=1.0, station="k", kind="x", actor="a", credential=key)
        event = audit.link(draft, seq=head.seq + 1, previous=head.hash)
        self._put("audit", f"k|{event.seq:012d}", canonical.encode(event))
        self._put("heads", "k", canonical.encode(Head(event.seq, event.hash)))
        self._db.execute("COMMIT")


def median_ms(act: Callable[[int], None], rounds: int) -> float:
    """Return the median duration of `act` in milliseconds."""
    times = []
    for number in range(rounds):
        started = time.perf_counter()
        act(number)
        times.append((time.perf_counter() - started) * 1000)
    return statistics.median(times)


def interleaved(
    one: Callable[[int], None], other: Callable[[int], None], rounds: int
) -> tuple[float, float]:
    """Return both medians (milliseconds), measured turn by turn."""
    ours: list[float] = []
    theirs: list[float] = []
    for number in range(rounds):
        for act, times in ((one, ours), (other, theirs)):
            started = time.perf_counter()
            act(number)
            times.append((time.perf_counter() - started) * 1000)
    return statistics.median(ours), statistics.median(theirs)


_OPEN = """
import json, sys, time
from pathlib import Path
from storage.tinydb_registry import TinyDbRegistry
started = time.perf_counter()
TinyDbRegistry(Path(sys.argv[1]))
seconds = time.perf_counter() - started
status = Path("/proc/self/status").read_text()
kib = int(status.partition("VmHWM:")[2].split()[0])
print(json.dumps([seconds, kib / 1024]))
"""


def opening(path: Path) -> tuple[float, float]:
    """Open in a fresh process, three times; the best seconds, and MiB at the peak."""
    found = []
    for _ in range(3):
        done = subprocess.run(
            [sys.executable, "-c", _OPEN, str(path)],
            check=True,
            capture_output=True,
            text=True,
        )
        found.append(json.loads(done.stdout))
    return min(each[0] for each in found), max(each[1] for each in found)


def run() -> list[Row]:
    """Measure everything on one disk, in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        return _run(Path(folder))


def _row(
    what: str, ours: float, other: float, unit: str, is_: str, limit: float
) -> Row:
    return Row(what=what, ours=ours, other=other, unit=unit, other_is=is_, target=limit)


def _run(folder: Path) -> list[Row]:
    large = filled(folder / "large" / "r", LARGE)
    small = filled(folder / "small" / "r", SMALL)
    ours, other = interleaved(
        lambda n: commit(large, n), lambda n: commit(small, n % SMALL), ROUNDS
    )
    operation, few = interleaved(
        lambda n: kiosk_operation(large, n), lambda n: kiosk_operation(small, n), ROUNDS
    )
    stock = _stock(folder / "stock.json")
    sqlite = Sqlite(folder / "sqlite.db", LARGE)
    with_it, theirs = interleaved(
        lambda n: kiosk_operation(large, n), sqlite.kiosk_operation, ROUNDS
    )
    large.close()
    small.close()
    seconds, mebibytes = opening(folder / "large" / "r")
    cards, is_small = f"{LARGE:,} cards", LARGE <= 100_000
    most = 200.0 if is_small else 1536.0
    return [
        _row(f"durable commit, {cards}", ours, other, "ms", "with 100", 1.5),
        _row(f"durable commit, {cards}", ours, stock, "ms", "stock TinyDB", 0.001),
        _row(f"kiosk operation, {cards}", operation, few, "ms", "with 100", 1.5),
        _row(
            f"kiosk operation, {cards}", with_it, theirs, "ms", "SQLite WAL FULL", 1.5
        ),
        _row(f"open {cards}", seconds, 1.0 if is_small else 6.0, "s", "bound", 1.0),
        _row(f"memory, {cards} open", mebibytes, most, "MiB", "bound", 1.0),
    ]


def _stock(path: Path) -> float:
    """A stock TinyDB with the same credentials: the median of three updates, ms."""
    documents = {
        str(number): json.loads(canonical.encode(credential(number)))
        for number in range(LARGE)
    }
    path.write_text(json.dumps({"_default": documents}))
    db = TinyDB(path, storage=JSONStorage)
    return median_ms(lambda n: _update(db, n + 1), 3)


def _update(db: TinyDB, number: int) -> None:
    db.update({"pin_changed_at": time.time()}, doc_ids=[number])

"""The embedded registry at size: what is asked costs, not what is remembered.

`BENCH_CREDENTIALS` and `BENCH_EVENTS` choose other sizes than those that are measured
in a bearable time.
"""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from scripts.bench import Row
from scripts.bench.storage import filled, median_ms, opening
from storage import audit
from storage.records import AuditDraft
from storage.registry import Tx
from storage.tinydb_registry import TinyDbRegistry

TITLE = "The embedded registry at size"
CREDENTIALS = int(os.environ.get("BENCH_CREDENTIALS", "100000"))
EVENTS = int(os.environ.get("BENCH_EVENTS", "300000"))
IS_MILLION = CREDENTIALS > 100_000
"""Then it opens within the bounds of a million credentials."""
_AT_ONCE = 1_000
_KINDS = ("operation.prepared", "operation.authorised", "operation.writing")

_WRITER = """
import json, sys, time
from pathlib import Path
from storage.records import AuditDraft
from storage.tinydb_registry import TinyDbRegistry
registry = TinyDbRegistry(Path(sys.argv[1]))
print("ready", flush=True)
longest, count, stop = 0.0, 0, Path(sys.argv[2])
while not stop.exists():
    event = AuditDraft(at=time.time(), station="other", kind="x", actor="a")
    started = time.perf_counter()
    registry.run(lambda tx: tx.audit(event))
    longest, count = max(longest, time.perf_counter() - started), count + 1
    time.sleep(0.001)
print(json.dumps([longest * 1000, count]))
"""


def run() -> list[Row]:
    """Make one registry, and measure it in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        return _run(Path(folder) / "registry.journal")


def _run(path: Path) -> list[Row]:
    registry = filled_with_evidence(path)
    waited = _tidied(registry, path)
    print(f"{waited.commits} commits of another process while it was tidied up")
    ids = itertools.cycle(f"c{number:06d}" for number in range(0, CREDENTIALS, 997))
    page = median_ms(lambda _: _page(registry, next(ids)), 50)
    first = _ms(lambda: _find(registry, "person 99"))
    find = median_ms(lambda n: _find(registry, f"rson {n}"), 20)
    rare = median_ms(lambda n: _find(registry, f"rson {CREDENTIALS - 1 - n}"), 20)
    started = time.perf_counter()
    verdict = audit.verify(registry.audit_events())
    verified = verdict.events / (time.perf_counter() - started) / 1000
    if not verdict.is_sound:
        raise AssertionError(verdict)
    registry.close()
    seconds, mebibytes = opening(path)
    what = f"{CREDENTIALS:,} credentials, {EVENTS:,} events"
    return [
        _row(f"open, {what}", seconds, 6.0 if IS_MILLION else 1.0, "s"),
        _row("memory when open", mebibytes, 1536.0 if IS_MILLION else 250.0, "MiB"),
        _row("a credential and its last 50 events", page, 10.0, "ms"),
        _row("find by a part, the first 50: first time", first, 5_000.0, "ms"),
        _row("find by a part, the first 50", find, 100.0, "ms"),
        _row("find by a part that few have", rare, 100.0, "ms"),
        _row("longest wait while sealing and compacting", waited.longest, 100.0, "ms"),
        _row("ms for 100,000 events verified", 100_000 / verified, 1_000.0, "ms"),
    ]


def _row(what: str, ours: float, bound: float, unit: str) -> Row:
    return Row(
        what=what, ours=ours, other=bound, unit=unit, other_is="bound", target=1.0
    )


def _events(tx: Tx, begin: int) -> None:
    for number in range(begin, begin + _AT_ONCE):
        tx.audit(
            AuditDraft(
                at=1.7e9 + number,
                station=f"k{number % 4}",
                kind=_KINDS[number % 3],
                actor="holder",
                credential=f"c{number * 7919 % CREDENTIALS:06d}",
                operation=f"00000000-0000-0000-0000-{number // 4:012d}",
                data={"event": f"{number:08d}", "kind": "change"},
            )
        )


def _page(registry: TinyDbRegistry, id: str) -> None:
    registry.read(
        lambda view: (
            view.credential(id),
            view.events(credential=id, newest_first=True, limit=50),
        )
    )


def _find(registry: TinyDbRegistry, term: str) -> None:
    registry.read(lambda view: view.find(term, limit=50))


def _ms(act: Callable[[], None]) -> float:
    started = time.perf_counter()
    act()
    return (time.perf_counter() - started) * 1000


def filled_with_evidence(path: Path) -> TinyDbRegistry:
    """Make a registry of the size that is measured."""
    registry = filled(path, CREDENTIALS)
    for begin in range(0, EVENTS, _AT_ONCE):
        registry.run(lambda tx, b=begin: _events(tx, b))  # type: ignore[misc]  # mypy cannot infer a lambda's defaults
        while registry.evidence.seal():
            pass
    return registry


@dataclass(slots=True)
class Waited:
    """What another process had to wait for its commits."""

    longest: float = 0.0
    """Milliseconds."""
    commits: int = 0


def _tidied(registry: TinyDbRegistry, path: Path) -> Waited:
    """Seal and compact while another process commits.

    Twice over: what one compaction leaves to the other process is to be read, too.
    """
    with waiting(path) as waited:
        for begin in (0, _AT_ONCE):
            for part in range(5):
                registry.run(lambda tx, b=begin + part: _events(tx, b))  # type: ignore[misc]  # mypy cannot infer a lambda's defaults
            registry.evidence.seal(least=1)
            registry.db.storage.journal.compact()
            time.sleep(1.0)
    return waited


@contextmanager
def waiting(path: Path) -> Iterator[Waited]:
    """Let another process commit meanwhile; say afterwards how long it waited."""
    waited, stop = Waited(), path.with_name("stop")
    writer = subprocess.Popen(
        [sys.executable, "-c", _WRITER, str(path), str(stop)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert writer.stdout is not None
    writer.stdout.readline()
    yield waited
    stop.touch()
    answer, _ = writer.communicate()
    waited.longest, waited.commits = json.loads(answer)
    stop.unlink()

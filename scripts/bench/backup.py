"""Backup and restore of an embedded registry: streaming, in constant memory.

Each runs in a process of its own, beside another one that goes on committing to the
registry. `BENCH_CREDENTIALS` and `BENCH_EVENTS` choose the size.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from kiosk import bootstrap
from kiosk.setup.new_station import Layout, create
from scripts.bench import Row
from scripts.bench.size import CREDENTIALS, EVENTS, filled_with_evidence, waiting

TITLE = "Backup and restore"
MEBIBYTES = 100.0
"""Of a process, its program included, whatever the size of the registry."""
_PEAK = """
import json, sys, time
from pathlib import Path
from kiosk.cli import main
started = time.perf_counter()
code = main(sys.argv[1:])
seconds = time.perf_counter() - started
status = Path("/proc/self/status").read_text()
kib = int(status.partition("VmHWM:")[2].split()[0])
print(json.dumps([code, seconds, kib / 1024, time.process_time()]))
"""


def run() -> list[Row]:
    """Make a station, back it up while it works, and restore it."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "station"
        folder.mkdir()
        create(Layout.below(folder, folder), bootstrap.found_registry)
        journal = next(folder.rglob("registry.journal"))
        filled_with_evidence(journal).close()
        return _measured(Path(place), folder / "kiosk.toml", journal)


def _measured(place: Path, config: Path, journal: Path) -> list[Row]:
    backup, keys = place / "backup", place / "keys"
    size = sum(it.stat().st_size for it in journal.parent.rglob("*") if it.is_file())
    words = ("backup", str(backup), "--keys", str(keys), "--config", str(config))
    with waiting(journal) as waited:
        made = _typed(*words)
    station = config.parent
    station.rename(place / "before")
    station.mkdir()
    words = ("restore", str(backup), "--keys", str(keys), "--config", str(config))
    restored = _typed(*words)
    what = f"{CREDENTIALS:,} credentials, {EVENTS:,} events, {size >> 20:,} MiB"
    print(
        f"backup of {what}: {made[0]:.1f} s by the clock, {made[2]:.1f} of the"
        f" processor; restore {restored[0]:.1f} s, {restored[2]:.1f} of the processor;"
        f" {waited.commits} commits meanwhile"
    )
    return [
        _row("backup: memory at the peak", made[1], MEBIBYTES, "MiB"),
        _row("restore: memory at the peak", restored[1], MEBIBYTES, "MiB"),
        _row("longest wait of a commit beside a backup", waited.longest, 100.0, "ms"),
    ]


def _row(what: str, ours: float, bound: float, unit: str) -> Row:
    return Row(
        what=what, ours=ours, other=bound, unit=unit, other_is="bound", target=1.0
    )


def _typed(*words: str) -> tuple[float, float, float]:
    """Type it; seconds by the clock, MiB at the peak, seconds of the processor."""
    done = subprocess.run(
        [sys.executable, "-c", _PEAK, *words],
        check=True,
        capture_output=True,
        text=True,
    )
    code, seconds, mebibytes, processor = json.loads(done.stdout.splitlines()[-1])
    if code:
        raise AssertionError(done.stderr)
    return seconds, mebibytes, processor

"""`python -m lab.hostile SECONDS [SEED]`: random histories until the time is over.

`python -m lab.hostile every SECONDS [PART OF]`: see `lab.hostile.every`.

By turns: one after the other in memory, several at once in memory, and one after the
other on a journal, which is slower. Each kind has the same share of the time. What
has been so far is told every few minutes.
"""

from __future__ import annotations

import gc
import logging
import random
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from lab.hostile.every import every
from lab.hostile.explore import Failure, judged, wander, wandered
from lab.hostile.less import Less, Replayed, shrunk
from lab.hostile.together import together
from lab.quick_hashes import pytest_configure as be_quick
from storage.tinydb_registry import TinyDbRegistry

SLICE = 60.0
"""Seconds until it is the next kind's turn."""
_GARBAGE = 20_000
"""Objects until the collector looks: what a history leaves behind is little."""
_IN_MEMORY = Path("/dev/shm")
"""Where files are, if it is there: no history waits for the machine's own disk."""


def on_a_journal(seed: int, less: Less | None = None) -> Failure | None:
    """The same as `wander`, on the files of a station."""
    there = _IN_MEMORY if _IN_MEMORY.is_dir() else None
    with tempfile.TemporaryDirectory(prefix="hostile-", dir=there) as folder:
        registry = TinyDbRegistry(Path(folder) / "registry.journal")
        try:
            return judged(wandered(seed, registry, less), f"seed {seed}, on a journal:")
        finally:
            registry.close()


KINDS: dict[str, Replayed] = {
    "alone": wander,
    "together": together,
    "on a journal": on_a_journal,
}


@dataclass(slots=True)
class Tally:
    """What came of one kind so far."""

    count: int = 0
    broken: int = 0
    worked: float = 0.0
    """Seconds of processor time."""

    def __str__(self) -> str:
        pace = 60 * self.count / max(self.worked, 0.001)
        return (
            f"{self.count} histories, {pace:.0f} in a minute of one core; "
            f"{self.broken} broken"
        )


def main(seconds: float, seed: int) -> int:
    """Let histories happen; 1: a promise was broken."""
    tallies = {name: Tally() for name in KINDS}
    ends = time.monotonic() + seconds
    print(f"from seed {seed}, for {seconds:.0f} s", flush=True)
    while time.monotonic() < ends:
        for name, happens in KINDS.items():
            until = min(time.monotonic() + min(seconds / len(KINDS), SLICE), ends)
            _go_on(tallies[name], seed, until, happens)
        if seconds > SLICE * len(KINDS):
            _tell(tallies)
    _tell(tallies)
    return 1 if any(each.broken for each in tallies.values()) else 0


def _say(words: str) -> None:
    print(words, flush=True)


def _tell(tallies: dict[str, Tally]) -> None:
    for name, tally in tallies.items():
        print(f"{name}: {tally}", flush=True)


def _go_on(tally: Tally, seed: int, until: float, happens: Replayed) -> None:
    """Let one kind happen until then (monotonic)."""
    began = time.process_time()
    while time.monotonic() < until:
        failure = happens(seed + tally.count, Less())
        tally.count += 1
        if failure is not None:
            tally.broken += 1
            print(failure, flush=True)
            if (smallest := shrunk(seed + tally.count - 1, happens)) is not None:
                print(f"{smallest[0]}: {smallest[1]}", flush=True)
    tally.worked += time.process_time() - began


if __name__ == "__main__":
    logging.disable()
    be_quick()
    gc.freeze()
    gc.set_threshold(_GARBAGE)
    match sys.argv[1:]:
        case ["every", seconds, part, of]:
            code = every(float(seconds), int(part), int(of), _say)
        case ["every", seconds]:
            code = every(float(seconds), 0, 1, _say)
        case [seconds, seed]:
            code = main(float(seconds), int(seed))
        case given:
            code = main(float([*given, "60"][0]), random.getrandbits(48))
    sys.exit(code)

"""`python -m lab.hostile SECONDS [SEED]`: random histories until the time is over.

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
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lab.hostile.explore import Failure, judged, wander, wandered
from lab.hostile.together import together
from lab.quick_hashes import pytest_configure as be_quick
from storage.tinydb_registry import TinyDbRegistry

SLICE = 60.0
"""Seconds until it is the next kind's turn."""
_GARBAGE = 20_000
"""Objects until the collector looks: what a history leaves behind is little."""
_IN_MEMORY = Path("/dev/shm")
"""Where files are, if it is there: no history waits for the machine's own disk."""


def on_a_journal(seed: int) -> Failure | None:
    """The same as `wander`, on the files of a station."""
    there = _IN_MEMORY if _IN_MEMORY.is_dir() else None
    with tempfile.TemporaryDirectory(prefix="hostile-", dir=there) as folder:
        registry = TinyDbRegistry(Path(folder) / "registry.journal")
        try:
            return judged(wandered(seed, registry), f"seed {seed}, on a journal:")
        finally:
            registry.close()


KINDS: dict[str, Callable[[int], Failure | None]] = {
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
    logging.disable()
    be_quick()
    gc.freeze()
    gc.set_threshold(_GARBAGE)
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


def _tell(tallies: dict[str, Tally]) -> None:
    for name, tally in tallies.items():
        print(f"{name}: {tally}", flush=True)


def _go_on(
    tally: Tally, seed: int, until: float, happens: Callable[[int], Failure | None]
) -> None:
    """Let one kind happen until then (monotonic)."""
    began = time.process_time()
    while time.monotonic() < until:
        failure = happens(seed + tally.count)
        tally.count += 1
        if failure is not None:
            tally.broken += 1
            print(failure, flush=True)
    tally.worked += time.process_time() - began


if __name__ == "__main__":
    given = [*sys.argv[1:], "60"]
    chosen = int(sys.argv[2]) if len(sys.argv) > 2 else random.getrandbits(48)
    sys.exit(main(float(given[0]), chosen))

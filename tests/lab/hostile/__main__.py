"""`python -m lab.hostile SECONDS [SEED]`: random histories until the time is over.

By turns: one after the other in memory, several at once in memory, and one after the
other on a journal, which is slower. Each kind has the same share of the time.
"""

from __future__ import annotations

import logging
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from lab.hostile.explore import Failure, judged, wander, wandered
from lab.hostile.together import together
from lab.quick_hashes import pytest_configure as be_quick
from storage.tinydb_registry import TinyDbRegistry


def on_a_journal(seed: int) -> Failure | None:
    """The same as `wander`, on the files of a station."""
    with tempfile.TemporaryDirectory(prefix="hostile-") as folder:
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


def main(seconds: float, seed: int) -> int:
    """Let histories happen; 1: a promise was broken."""
    logging.disable()
    be_quick()
    broken = 0
    for name, happens in KINDS.items():
        broken += _for(seconds / len(KINDS), seed, name, happens)
    return 1 if broken else 0


def _for(
    seconds: float, seed: int, name: str, happens: Callable[[int], Failure | None]
) -> int:
    began, worked, count, broken = time.monotonic(), time.process_time(), 0, 0
    while time.monotonic() < began + seconds:
        failure = happens(seed + count)
        count += 1
        if failure is not None:
            broken += 1
            print(failure, flush=True)
    worked = time.process_time() - worked
    pace = 60 * count / max(worked, 0.001)
    print(f"{name}: {count} histories from seed {seed} in {seconds:.0f} s,")
    print(f"  {pace:.0f} in a minute of one core; {broken} broken", flush=True)
    return broken


if __name__ == "__main__":
    given = [*sys.argv[1:], "60"]
    chosen = int(sys.argv[2]) if len(sys.argv) > 2 else random.getrandbits(48)
    sys.exit(main(float(given[0]), chosen))

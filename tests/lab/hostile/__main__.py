"""`python -m lab.hostile SECONDS [SEED]`: random histories until the time is over."""

from __future__ import annotations

import logging
import random
import sys
import time

from lab.hostile.explore import wander
from lab.quick_hashes import pytest_configure as be_quick


def main(seconds: float, seed: int) -> int:
    """Let histories happen; 1: a promise was broken."""
    logging.disable()
    be_quick()
    ends, count, failures = time.monotonic() + seconds, 0, 0
    while time.monotonic() < ends:
        failure = wander(seed + count)
        count += 1
        if failure is not None:
            failures += 1
            print(failure, flush=True)
    print(f"{count} histories from seed {seed} in {seconds:.0f} s, {failures} broken")
    return 1 if failures else 0


if __name__ == "__main__":
    given = [*sys.argv[1:], "60"]
    chosen = int(sys.argv[2]) if len(sys.argv) > 2 else random.getrandbits(48)
    sys.exit(main(float(given[0]), chosen))

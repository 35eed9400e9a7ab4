"""`python -m planted`: plant each bug in a copy of the tree and run its tests there.

Prints who saw it. Ends with 1 if one was not seen, if its tests could not even begin,
or if they fail without it. Words in the command line choose bugs by name or room.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from planted.bugs import Bug, all_bugs
from planted.copies import (
    SECONDS,
    TEST_SECONDS,
    WHOLE_SECONDS,
    Told,
    be_ready,
    copy_tree,
    run,
    wrong,
)


def _with(copy: Path, bug: Bug) -> Told:
    """Plant it, run its tests, and take it out again, as if it had never been there."""
    path = copy / bug.place
    with wrong(path, bug.planted_in(path.read_text("utf-8"))):
        return run(copy, bug.seen_by, seconds=SECONDS, test_seconds=TEST_SECONDS)


def _verdict(told: Told) -> tuple[bool, str]:
    if told.broken:
        return False, f"its tests cannot begin: {told.broken}"
    if told.code == pytest.ExitCode.TESTS_FAILED and told.failed:
        return True, told.failed
    return False, "NOBODY SAW IT"


def main(words: Sequence[str]) -> int:
    """Plant all, or those whose name or module has one of the words."""
    parser = argparse.ArgumentParser(prog="planted", description=__doc__)
    parser.add_argument("words", nargs="*")
    chosen = [
        bug
        for bug in all_bugs()
        if not (wanted := parser.parse_args(words).words)
        or any(word in f"{bug.name} {bug.module}" for word in wanted)
    ]
    be_ready()
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="planted-") as folder:
        copy = Path(folder)
        copy_tree(copy)
        everything = sorted({test for bug in chosen for test in bug.seen_by})
        sound = run(copy, everything, seconds=WHOLE_SECONDS, whole=True)
        if not sound.is_sound:
            print(f"without any bug: {sound}")
            return 1
        missed = 0
        for bug in chosen:
            seen, who = _verdict(_with(copy, bug))
            missed += not seen
            print(f"{bug.breaks:3} {'seen' if seen else 'MISSED':6} {bug.name}")
            print(f"           {who}", flush=True)
    seconds = time.monotonic() - begun
    print(f"{len(chosen) - missed} of {len(chosen)} seen, {seconds:.0f} s")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

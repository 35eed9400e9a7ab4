"""APDUs per operation and kind of card: ours, the shortest way, and other programs.

The simulated card counts them, behind a real pcscd, in one run. A program that has to
read the whole card for every single step pays for that here.
"""

from __future__ import annotations

import math
import subprocess
import sys
from typing import NamedTuple

import msgspec

from scripts.bench import Row

TITLE = "APDUs per operation and family beside other tools"


class Other(NamedTuple):
    """What another program sent."""

    name: str
    apdus: int
    does_less: bool = False


class Count(NamedTuple):
    """One operation on one kind of card."""

    what: str
    ours: int
    at_most: int
    others: list[Other]


def run() -> list[Row]:
    """Count in a child process: this one may need another PC/SC service later."""
    command = [sys.executable, "-m", "scripts.bench._card_apdus"]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    counts = msgspec.json.decode(done.stdout, type=list[Count])
    return [row for count in counts for row in _rows(count)]


def _rows(count: Count) -> list[Row]:
    """Return a row for each program; one beside the bound where there is none."""
    others = count.others or [Other("shortest way", count.at_most)]
    return [
        Row(
            what=count.what,
            ours=count.ours,
            at_most=count.at_most,
            other=other.apdus,
            other_is=other.name,
            unit="",
            target=math.inf if other.does_less else 1.0,
        )
        for other in others
    ]

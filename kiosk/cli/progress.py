"""How far something is that takes long: on a terminal each second, elsewhere each
minute, and nothing of what is done within two seconds.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")
_SILENT_SECONDS = 2.0
_SECONDS = {True: 1.0, False: 60.0}


def shown(steps: Iterable[T], total: int, what: str) -> Iterator[T]:
    """Yield the steps, and tell on standard error how many of `total` are done."""
    is_terminal = sys.stderr.isatty()
    begun = time.monotonic()
    due = begun + (_SILENT_SECONDS if is_terminal else _SECONDS[False])
    told = False
    for number, step in enumerate(steps, 1):
        yield step
        now = time.monotonic()
        if now >= due:
            left = (now - begun) / number * (total - number)
            line = f"{what}: {number:,} of {total:,}, about {left:,.0f} s left"
            print(
                f"\r{line}\x1b[K" if is_terminal else line,
                end="" if is_terminal else "\n",
                file=sys.stderr,
                flush=True,
            )
            due, told = now + _SECONDS[is_terminal], True
    if told and is_terminal:
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)

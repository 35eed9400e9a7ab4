"""How far something is that takes long: on a terminal each second, elsewhere each
minute, and nothing of what is done within two seconds.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Self, TypeVar

T = TypeVar("T")
_SILENT_SECONDS = 2.0
_SECONDS = {True: 1.0, False: 60.0}


class ProgressLine:
    """Tells on standard error how much of `total` is done while the block lasts.

    Its line is gone when the block ends, however it does.
    """

    def __init__(self, total: int, what: str) -> None:
        """`total` may be 0: how much there is is not known."""
        self._total, self._what = total, what
        self._is_terminal = sys.stderr.isatty()
        self._begun = time.monotonic()
        first = _SILENT_SECONDS if self._is_terminal else _SECONDS[False]
        self._due = self._begun + first
        self._done = 0
        self._is_shown = False

    def __enter__(self) -> Self:
        return self

    def reach(self, done: int, total: int) -> None:
        """Say how much is done, and of how much, which is known only now."""
        self._total = total
        self(done - self._done)

    def __call__(self, more: int = 1) -> None:
        """Say that so much more is done; 0: still busy with what comes before."""
        self._done += more
        now = time.monotonic()
        if not self._done:
            self._begun = now
        if now < self._due:
            return
        self._due, self._is_shown = now + _SECONDS[self._is_terminal], True
        line = self._line(now - self._begun)
        print(
            f"\r{line}\x1b[K" if self._is_terminal else line,
            end="" if self._is_terminal else "\n",
            file=sys.stderr,
            flush=True,
        )

    def _line(self, seconds: float) -> str:
        if not self._total:
            return f"{self._what}: {self._done:,}"
        reached = f"{self._what}: {self._done:,} of {self._total:,}"
        if not self._done:
            return reached
        left = seconds / self._done * max(self._total - self._done, 0)
        return f"{reached}, about {left:,.0f} s left"

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._is_shown and self._is_terminal:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)


def shown(steps: Iterable[T], total: int, what: str) -> Iterator[T]:
    """Yield the steps, and tell how many of `total` are done."""
    with ProgressLine(total, what) as progress:
        for step in steps:
            yield step
            progress()

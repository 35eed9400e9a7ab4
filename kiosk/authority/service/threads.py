"""The threads that work for the stations, each with a registry of its own.

The authority waits (for the directory a tenth of a second a write), so it works on
threads; the loop that hears the network never does. A registry is used by one thread.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from kiosk.authority.errors import AuthorityBusy
from kiosk.authority.required_ports import RequiredPorts

T = TypeVar("T")


class Threads:
    """A bounded number of jobs on a bounded number of threads."""

    def __init__(
        self, open: Callable[[], RequiredPorts], *, count: int, waiting: int
    ) -> None:
        """`open` gives a thread its ports, once: with a registry that is closed here.

        It is called when a thread has its first job, and again after it has raised.
        """
        self._open = open
        self._limit = count + waiting
        self._inside = 0
        self._executor = ThreadPoolExecutor(count, thread_name_prefix="authority")
        self._mine = threading.local()
        self._opened: list[RequiredPorts] = []

    @property
    def inside(self) -> int:
        """How many jobs are worked on, or wait. The loop's thread."""
        return self._inside

    async def run(self, job: Callable[[RequiredPorts], T]) -> T:
        """Let a thread do it. AuthorityBusy: too many wait; and what the job raises.

        What `open` raises, too: RegistryError above all.
        """
        if self._inside >= self._limit:
            raise AuthorityBusy
        self._inside += 1
        done = asyncio.get_running_loop().run_in_executor(
            self._executor, lambda: job(self._ports())
        )
        done.add_done_callback(self._left)
        return await asyncio.shield(done)

    def close(self, *, drops_waiting: bool = False) -> None:
        """Wait for what they have, then close the registries. Any thread, once.

        `drops_waiting`: nobody hears any more what comes of jobs that were not begun.
        """
        self._executor.shutdown(wait=True, cancel_futures=drops_waiting)
        for parts in self._opened:
            parts.registry.close()

    # --- inside -----------------------------------------------------------------

    def _left(self, done: asyncio.Future[T]) -> None:
        self._inside -= 1
        if not done.cancelled():
            done.exception()  # heard, even where nobody waits any more

    def _ports(self) -> RequiredPorts:
        """A worker's thread."""
        parts: RequiredPorts | None = getattr(self._mine, "parts", None)
        if parts is None:
            parts = self._mine.parts = self._open()
            self._opened.append(parts)
        return parts

"""Whether this process may be asked: alive, ready, about to end."""

from __future__ import annotations

import asyncio
import time

from kiosk.authority.errors import AuthorityError
from kiosk.authority.service.threads import Threads
from storage.errors import RegistryError

LOOKED_SECONDS = 1.0
"""How long a look at the registry counts: whoever asks more often costs nothing."""


class Readiness:
    """What `/ready` says. On the loop's thread."""

    def __init__(self) -> None:
        self.is_ending = False
        """It still answers, and wants to be asked no more."""
        self._looked = -LOOKED_SECONDS
        self._is_well = False
        self._looking = asyncio.Lock()

    async def is_ready(self, threads: Threads) -> bool:
        """Say whether calls can be answered: the registry is there, a thread is free.

        A directory that is away is no reason: stations are told so, by every process.
        """
        if self.is_ending:
            return False
        async with self._looking:
            if time.monotonic() - self._looked >= LOOKED_SECONDS:
                self._is_well = await _is_well(threads)
                self._looked = time.monotonic()
        return self._is_well


async def _is_well(threads: Threads) -> bool:
    try:
        await threads.run(lambda parts: parts.registry.read(lambda view: view.heads()))
    except (RegistryError, AuthorityError):
        return False
    return True

"""Who works with a registry that is to be moved: what they write then is lost.

As far as it can be seen. Root sees every process of the machine, another user their own
that are not closed to them; a database tells of every connection, from any host.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from kiosk.core.clock import Clock
from kiosk.core.errors import KioskError

_SETTLES_SECONDS = 2.0
"""Within which a command that ends, or a connection that was closed, is gone."""
_PROCESSES = Path("/proc")


class StillInUse(KioskError):
    """Somebody works with the registry that would be moved: `path`, `who`."""

    code = "config.still_in_use"


def must_be_left(place: str, users: Callable[[], Sequence[str]], clock: Clock) -> None:
    """Let pass what nobody uses, now or in a moment. StillInUse."""
    until = clock.monotonic() + _SETTLES_SECONDS
    while found := users():
        if clock.monotonic() >= until:
            raise StillInUse(path=place, who=", ".join(sorted(found)))
        clock.sleep(0.1)


def processes_of(registry: Path) -> list[str]:
    """Return the numbers of other processes that have a registry's file open.

    Its lock is meant: it keeps its place, and whoever opens the registry holds it open.
    """
    lock = registry.with_name(f"{registry.name}.lock")
    try:
        wanted = _identity(lock)
    except OSError:
        return []
    own = str(os.getpid())
    return [
        process.name
        for process in _PROCESSES.glob("[0-9]*")
        if process.name != own and _has_open(process / "fd", lock.name, wanted)
    ]


def _has_open(handles: Path, name: str, wanted: tuple[int, int]) -> bool:
    """Say whether one of a process's files is that one; it may not be looked at: no."""
    with suppress(OSError):
        for handle in handles.iterdir():
            with suppress(OSError):  # it was closed meanwhile
                if handle.readlink().name == name and _identity(handle) == wanted:
                    return True
    return False


def _identity(file: Path) -> tuple[int, int]:
    status = file.stat()
    return status.st_dev, status.st_ino

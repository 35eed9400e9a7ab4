"""When is a program done with what was typed? Not after a while: when nothing moves.

Every queue of every screen and worker is empty, the loop has nothing ready, and no
timer is due in a moment.
"""

from __future__ import annotations

import asyncio
import fcntl
import struct
import sys
import termios
import time
from collections.abc import Callable, Sequence
from typing import Any

from kiosk.tui.locked import LockedApp

SOON = 0.05
"""A timer that is due within this is part of what was typed (seconds)."""
_LONGEST = 20.0

Queue = Callable[[Callable[[], None]], None]
"""Puts a job behind all others of a worker."""


async def still(
    app: Any, workers: Sequence[Queue], *, is_read: bool, is_drawn: bool = True
) -> None:
    """Wait until nothing moves, twice in a row.

    `is_read`: the terminal takes what is drawn, so that waits for nothing, either.
    `is_drawn`: what has changed is on the screen, too; not only handled.
    """
    soon = SOON if is_drawn else 0.0
    loop = asyncio.get_running_loop()
    ends = time.monotonic() + _LONGEST
    quiet = 0
    while quiet < 2:
        if time.monotonic() > ends:
            raise AssertionError("it never comes to rest")
        await asyncio.sleep(0)
        if _moves(app, loop, soon, is_read=is_read and is_drawn):
            quiet = 0
            await asyncio.sleep(0.001)
            continue
        for queue in workers:
            await _end_of(queue, loop)
        quiet = (
            0 if _moves(app, loop, soon, is_read=is_read and is_drawn) else quiet + 1
        )


async def _end_of(queue: Queue, loop: asyncio.AbstractEventLoop) -> None:
    done = asyncio.Event()
    queue(lambda: _tell(loop, done))
    await asyncio.wait_for(done.wait(), _LONGEST)


def _tell(loop: asyncio.AbstractEventLoop, done: asyncio.Event) -> None:
    loop.call_soon_threadsafe(done.set)


def _moves(app: Any, loop: Any, soon: float, *, is_read: bool) -> bool:
    if is_read and app._driver._line.is_behind:
        return True
    if unread() or len(loop._ready) > 0:
        return True
    now = loop.time()
    if any(it._when - now < soon for it in loop._scheduled if _means_something(it)):
        return True
    return any(node.message_queue_size for node in (app, *app._registry))


def _means_something(timer: Any) -> bool:
    """It does something; the kiosk's listening for keys draws and changes nothing."""
    name = getattr(timer._callback, "__name__", "")
    return not timer._cancelled and name != LockedApp.listen_for.__name__


def unread() -> int:
    """How many bytes the terminal has for us that nobody has read."""
    told = fcntl.ioctl(sys.__stdin__, termios.FIONREAD, b"\0\0\0\0")  # type: ignore[arg-type]  # there is one
    return int(struct.unpack("i", told)[0])

"""Waiting for a line at a terminal so that Ctrl+C is heard at every moment.

A signal between a prompt and the call that waits would only be looked at when that
call returns, which takes the line that nobody is going to type.
"""

from __future__ import annotations

import select
import signal
import socket


def await_line(terminal: int) -> None:
    """Return when a line can be read, or when a signal has come. KeyboardInterrupt."""
    told, teller = socket.socketpair()
    with told, teller:
        teller.setblocking(False)  # noqa: FBT003 - its signature
        before = signal.set_wakeup_fd(teller.fileno())
        try:
            select.select([terminal, told.fileno()], [], [])
        finally:
            signal.set_wakeup_fd(before)

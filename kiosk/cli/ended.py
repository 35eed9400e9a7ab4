"""SIGTERM and a hang-up end a command as Ctrl+C does: it clears away what it has begun.

What has handlers of its own (the kiosk, a serving process) ends by those.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_ENDING = (signal.SIGTERM, signal.SIGHUP)


@contextmanager
def by_signals() -> Iterator[None]:
    """Let the block end by KeyboardInterrupt, and then the process by what was sent, so
    that whoever waits for it sees that. The first one counts: clearing away goes on.

    A signal that is ignored (`nohup`) stays so. Any thread; the main thread's block.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []

    def end(number: int, _frame: FrameType | None) -> None:
        came.append(number)
        for each in ours:
            signal.signal(each, signal.SIG_IGN)
        raise KeyboardInterrupt

    ours = [each for each in _ENDING if signal.getsignal(each) is signal.SIG_DFL]
    for each in ours:
        signal.signal(each, end)
    try:
        yield
    finally:
        for each in ours:
            signal.signal(each, signal.SIG_DFL)
        if came:
            os.kill(os.getpid(), came[0])

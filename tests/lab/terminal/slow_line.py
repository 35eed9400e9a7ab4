"""A terminal at the end of a slow line: bytes go both ways, a few a second."""

from __future__ import annotations

import contextlib
import os
import pty
import select
import threading
import time
import tty
from collections.abc import Sequence

from lab.terminal.terminal import Terminal

BYTES_A_SECOND = 30
"""300 baud, with a start bit and a stop bit for each byte."""
_AT_FULL_SPEED = 65536
STILL_SECONDS = 0.1
"""Between two bytes: a key of several may be broken in two by so long a pause."""


class SlowTerminal(Terminal):
    """The program has a pseudo-terminal, the person another; a thread goes between."""

    def __init__(
        self,
        command: Sequence[str],
        environment: dict[str, str],
        size: tuple[int, int],
        pass_fds: Sequence[int] = (),
    ) -> None:
        super().__init__(command, environment, size, pass_fds)
        self._programs = self._master
        self._master, self._persons = pty.openpty()
        tty.setraw(self._persons)
        self._is_cut = threading.Event()
        self._is_fast = threading.Event()
        self.stood_still = False
        """The machine was too busy for this line: nobody can type a key on it so."""
        self._relay = threading.Thread(target=self._run, name="line", daemon=True)
        self._relay.start()

    def speed_up(self) -> None:
        """Be as fast as any line from now on."""
        self._is_fast.set()

    def close_line(self) -> None:
        self._is_cut.set()
        self._relay.join()
        for end in (self._programs, self._persons):
            with contextlib.suppress(OSError):
                os.close(end)
        super().close_line()

    def wait(self, seconds: float = 15.0) -> int:
        self.speed_up()  # nobody waits minutes for what is still on the line
        return super().wait(seconds)

    def _run(self) -> None:
        passed = time.monotonic()
        while not self._is_cut.wait(0.0 if self._is_fast.is_set() else self._tick):
            most = _AT_FULL_SPEED if self._is_fast.is_set() else 1
            try:
                self._pass(self._programs, self._persons, most)
                self._pass(self._persons, self._programs, most)
            except OSError:  # the program has ended
                return
            before, passed = passed, time.monotonic()
            self.stood_still |= passed - before > STILL_SECONDS

    @property
    def _tick(self) -> float:
        return 1 / BYTES_A_SECOND

    def _pass(self, source: int, target: int, most: int) -> None:
        waited = select.poll()
        waited.register(source, select.POLLIN)
        if waited.poll(1 if self._is_fast.is_set() else 0):
            os.write(target, os.read(source, most))

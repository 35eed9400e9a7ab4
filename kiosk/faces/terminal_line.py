"""The line to a terminal: it may be gone, or take and send nothing, at any time.

Neither side waits for it. Not thread-safe: one thread reads and writes.
"""

from __future__ import annotations

import contextlib
import os
import select
import termios
import time
from collections import deque

_MOST_WAITING = 16 * 1024
"""Bytes that may wait behind what is being written; beyond that they are dropped."""
_MOST_READ = 1024
_CANCEL = b"\x18"
"""Ends a sequence of which the terminal has seen a part (ECMA-48: CAN)."""


class TerminalGone(Exception):
    """Nobody can be talked to any more."""


class TerminalLine:
    """One end each for reading and writing; `close` gives them back."""

    def __init__(self, reads: int, writes: int) -> None:
        """`reads` and `writes` are a terminal's; they stay the caller's."""
        self._reads = _Unblocked(reads)
        self._writes = _Unblocked(writes)
        self._read = bytearray(_MOST_READ)
        self._waiting: deque[memoryview] = deque()
        self._has_dropped = False

    @property
    def reads(self) -> int:
        """The descriptor to wait for keys at."""
        return self._reads.descriptor

    @property
    def writes(self) -> int:
        """The descriptor to wait for room at."""
        return self._writes.descriptor

    # --- in -----------------------------------------------------------------------

    def receive(self, most: int = _MOST_READ) -> memoryview:
        """Return what has come, empty if nothing has. TerminalGone.

        The caller lets go of it, then calls `forget`.
        """
        view = memoryview(self._read)
        try:
            count = os.readv(self.reads, [view[:most]])
        except BlockingIOError:
            return view[:0]
        except OSError as error:
            raise TerminalGone from error
        if not count:
            raise TerminalGone
        return view[:count]

    def forget(self) -> None:
        """Wipe what was received."""
        self._read[:] = bytes(len(self._read))

    # --- out ----------------------------------------------------------------------

    @property
    def is_behind(self) -> bool:
        """Something waits for the terminal to take it."""
        return bool(self._waiting)

    def send(self, data: bytes) -> None:
        """Send it as soon as the terminal takes it; never wait. TerminalGone.

        Where too much waits, all of it is dropped: see `has_to_catch_up`.
        """
        if self._has_dropped:
            return
        if self._waits() + len(data) > _MOST_WAITING and len(self._waiting) > 1:
            self.drop()
            self._has_dropped = True
            return
        self._waiting.append(memoryview(data))
        self.push()

    def send_the_latest(self, data: bytes) -> None:
        """Send a line of text, likewise; of too many that wait, the oldest go."""
        self._waiting.append(memoryview(data))
        while self._waits() > _MOST_WAITING and len(self._waiting) > 2:
            del self._waiting[1]
        self.push()

    def push(self) -> None:
        """Send what the terminal takes now of what waits. TerminalGone."""
        try:
            while self._waiting:
                sent = os.write(self.writes, self._waiting[0])
                self._waiting[0] = self._waiting[0][sent:]
                if not self._waiting[0]:
                    self._waiting.popleft()
        except BlockingIOError:
            return
        except OSError as error:
            raise TerminalGone from error

    def drop(self) -> None:
        """Forget what waits, but for the rest of what has begun to be sent."""
        while len(self._waiting) > 1:
            self._waiting.pop()

    def _waits(self) -> int:
        return sum(len(each) for each in self._waiting)

    def has_to_catch_up(self) -> bool:
        """Say, once, that something was dropped and that the terminal reads again."""
        is_due = self._has_dropped and not self._waiting
        if is_due:
            self._has_dropped = False
        return is_due

    # --- the end ------------------------------------------------------------------

    def finish(self, last: bytes, seconds: float) -> None:
        """Send what waits and the last words, and wait a little for that.

        A terminal that does not take it finds the last words when it reads again.
        """
        with contextlib.suppress(TerminalGone):
            self._has_dropped = False
            if last:
                self._waiting.append(memoryview(last))
            if not self._push_within(seconds):
                self._waiting.clear()
                with contextlib.suppress(termios.error):
                    termios.tcflush(self.writes, termios.TCOFLUSH)
                self._waiting.append(memoryview(_CANCEL + last))
                self.push()
        self._waiting.clear()

    def _push_within(self, seconds: float) -> bool:
        """Push until nothing waits; False: time was up before."""
        room = select.poll()
        room.register(self.writes, select.POLLOUT)
        deadline = time.monotonic() + seconds
        while True:
            self.push()
            left = deadline - time.monotonic()
            if not self._waiting or left <= 0:
                return not self._waiting
            room.poll(left * 1000)

    def close(self) -> None:
        """Give both ends back."""
        self.forget()
        self._reads.close()
        self._writes.close()


class _Unblocked:
    """A descriptor that nobody waits at, and whose owner's still can be waited at."""

    def __init__(self, descriptor: int) -> None:
        flags = os.O_RDWR | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
        self._is_shared = False
        """The terminal may not be opened again: its flags are others' as well."""
        try:
            self.descriptor = os.open(f"/proc/self/fd/{descriptor}", flags)
        except OSError:
            self._is_shared = True
            self.descriptor = os.dup(descriptor)
            os.set_blocking(self.descriptor, False)

    def close(self) -> None:
        if self._is_shared:
            os.set_blocking(self.descriptor, True)
        os.close(self.descriptor)

"""A line of whole messages between two processes: what a desk's session goes over."""

from __future__ import annotations

import threading
from typing import Protocol

from kiosk.core.errors import KioskError

LARGEST_FRAME = 1 << 20
"""Bytes. The largest page, sixty rows with what stands beside them, has a tenth."""


class LineCut(KioskError):
    """The other side is gone, silent for too long, or says what nobody would."""

    code = "relay.line_cut"


class FrameLine(Protocol):
    """Whole frames, in order, in both directions. One thread at each end."""

    def send(self, frame: bytes) -> None:
        """Send a frame. LineCut."""

    def receive(self, seconds: float) -> bytes:
        """Return the next frame. LineCut, also if none comes within `seconds`."""

    def close(self) -> None:
        """Leave. Safe to call twice; never raises."""


class Turns:
    """Whether a step is under way, for who must not end in the middle of one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._is_inside = self._is_over = False

    def begin(self) -> bool:
        """Begin a step; False: no more are begun. The session's thread."""
        with self._lock:
            self._is_inside = not self._is_over
            return self._is_inside

    def done(self) -> bool:
        """The step has ended; False: no more are begun. The session's thread."""
        with self._lock:
            self._is_inside = False
            return not self._is_over

    def end(self) -> bool:
        """Let no more begin; say whether one is under way. Any thread."""
        with self._lock:
            self._is_over = True
            return self._is_inside

"""The line between a station and the session that works at the authority."""

from __future__ import annotations

from typing import Protocol

from kiosk.core.errors import KioskError

LARGEST_FRAME = 1 << 20
"""Bytes. The largest page, sixty rows with what stands beside them, has a tenth."""


class LineCut(KioskError):
    """The other side is gone, silent for too long, or says what nobody would."""

    code = "relay.line_cut"


class Line(Protocol):
    """Whole frames, in order, in both directions. One thread at each end."""

    def send(self, frame: bytes) -> None:
        """Send a frame. LineCut."""

    def receive(self, seconds: float) -> bytes:
        """Return the next frame. LineCut, also if none comes within `seconds`."""

    def close(self) -> None:
        """Leave. Safe to call twice; never raises."""

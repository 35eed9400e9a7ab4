"""A desk's line at the authority: between the loop and a session's thread.

What is said on it is not this room's business. A line that is cut, by either end or by
something that no station says, is cut for good.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
from concurrent.futures import Future
from contextlib import suppress

from starlette.websockets import WebSocket, WebSocketDisconnect

from kiosk.core.frame_line import LARGEST_FRAME, LineCut

_SEND_SECONDS = 20.0
_WAITING = 4
"""Frames that a station may have sent before they are read: it has its turn once."""

log = logging.getLogger(__name__)


def tell(loop: asyncio.AbstractEventLoop, event: asyncio.Event) -> None:
    """Set it in its loop; a loop that has ended has nobody who waits for it."""
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(event.set)


class SocketLine:
    """`FrameLine` of the authority, between the loop and a session's thread."""

    def __init__(self, socket: WebSocket, loop: asyncio.AbstractEventLoop) -> None:
        self._socket = socket
        self._loop = loop
        self._heard: queue.Queue[bytes | None] = queue.Queue()
        self._is_cut = threading.Event()
        self._closed = asyncio.Event()
        self.over = asyncio.Event()
        """Its session has ended."""

    # --- the session's thread -----------------------------------------------------

    def send(self, frame: bytes) -> None:
        if self._is_cut.is_set() or self._loop.is_closed():
            raise LineCut
        sent: Future[None] = asyncio.run_coroutine_threadsafe(
            self._socket.send_bytes(frame), self._loop
        )
        try:
            sent.result(_SEND_SECONDS)
        except Exception:  # noqa: BLE001 - whatever the server calls a line that is gone
            self.close()
            raise LineCut from None

    def receive(self, seconds: float) -> bytes:
        try:
            frame = self._heard.get(timeout=seconds)
        except queue.Empty:
            frame = None
        if frame is None or self._is_cut.is_set():
            self.close()
            raise LineCut
        return frame

    def close(self) -> None:
        self._is_cut.set()
        self._heard.put(None)
        tell(self._loop, self._closed)

    # --- the loop's thread ----------------------------------------------------------

    def cut(self) -> None:
        """Nothing comes any more."""
        self._is_cut.set()
        self._heard.put(None)

    async def hear(self) -> None:
        """Take in what comes until the line is closed, by either end."""
        closed = asyncio.ensure_future(self._closed.wait())
        try:
            while not closed.done():
                coming = asyncio.ensure_future(self._socket.receive_bytes())
                await asyncio.wait(
                    (coming, closed), return_when=asyncio.FIRST_COMPLETED
                )
                if not coming.done():
                    coming.cancel()
                    await self._socket.close()
                    return
                frame = coming.result()
                if len(frame) > LARGEST_FRAME or self._heard.qsize() >= _WAITING:
                    await self._socket.close(1009)
                    return
                self._heard.put(frame)
        except (WebSocketDisconnect, KeyError, RuntimeError) as error:
            # KeyError: text in place of bytes. RuntimeError: it was closed meanwhile.
            log.debug("desk.line_closed type=%s", type(error).__name__)
        finally:
            closed.cancel()

"""Operators' sessions over WebSocket: `WS /v1/desk`, opened by a signed GET.

The loop carries bytes; each session has a thread, and a registry, of its own. What is
said on the line is not this room's business. A session is over when its line is, and a
process that ends lets the step end that is under way.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from starlette.routing import BaseRoute, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from kiosk.authority.errors import AuthorityBusy, AuthorityError, NotUnderstood
from kiosk.authority.required_ports import RequiredPorts
from kiosk.authority.service.callers import Caller
from kiosk.authority.service.threads import Threads
from kiosk.authority.stations.request import HttpRequest
from kiosk.core.errors import KioskError, Message, said_of
from kiosk.core.frame_line import LARGEST_FRAME, FrameLine, LineCut, Turns
from storage.errors import RegistryError

PATH = "/v1/desk"
MOST_DESKS = 64
"""Sessions of one process; the next one is told to go elsewhere."""
ENDING_SECONDS = 180.0
"""How long a process that ends waits for a step: the longest command of a card."""
_SEND_SECONDS = 20.0
_LARGEST_HEADERS = 16 * 1024
_KEY_HEX = 64
_WAITING = 4
"""Frames that a station may have sent before they are read: it has its turn once."""

log = logging.getLogger(__name__)


class Admit(Protocol):
    """Says at which station an operator wants to work. On a worker's thread."""

    def __call__(self, parts: RequiredPorts, request: HttpRequest) -> Caller:
        """AuthorityErrors: nobody's, or it may not; KioskError, RegistryError."""


class ServeDesk(Protocol):
    """Serves one session on the calling thread until its line is cut."""

    def __call__(
        self, caller: Caller, sealing_key: bytes, line: FrameLine, turns: Turns
    ) -> None:
        """KioskError, RegistryError: it could not be begun."""


Work = Callable[[bytes, FrameLine, Turns], None]


@dataclass(frozen=True, slots=True)
class DeskService:
    """What a configuration makes of the operators' half."""

    admit: Admit
    serve: ServeDesk
    refuse: Callable[[Message, bytes, FrameLine, Turns], None]
    """Says on a line why there is no session."""


class DeskHost(Protocol):
    """What is asked of the service; a reload puts others in their places."""

    threads: Threads
    names: frozenset[str]
    desk: DeskService | None


class Desks:
    """The sessions of this process. The loop's thread."""

    def __init__(self, host: DeskHost) -> None:
        self._host = host
        self._open: dict[SocketLine, Turns] = {}
        self._is_ending = False

    @property
    def routes(self) -> tuple[BaseRoute, ...]:
        """Return what the application serves of it."""
        return (WebSocketRoute(PATH, self._endpoint),)

    async def end(self) -> None:
        """Let no step begin, and wait until those that are under way have ended."""
        self._is_ending = True
        for line, turns in list(self._open.items()):
            if not turns.end():
                line.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(ENDING_SECONDS):
                await asyncio.gather(*(line.over.wait() for line in self._open))

    async def _endpoint(self, socket: WebSocket) -> None:
        desk = self._host.desk
        try:
            if desk is None or self._is_ending or len(self._open) >= MOST_DESKS:
                raise AuthorityBusy
            request, key = _signed(socket, self._host.names)
        except AuthorityError as error:
            log.info("desk.not_admitted code=%s", error.code)
            await socket.close()  # before it is accepted: the next address is asked
            return
        serve: Work
        try:
            admit = desk.admit
            caller = await self._host.threads.run(lambda parts: admit(parts, request))
        except (KioskError, RegistryError) as error:
            log.info("desk.not_admitted code=%s", error.code)
            why = said_of(error)
            serve = partial(desk.refuse, why)
        else:
            log.info("desk.opened station=%s", caller.station)
            serve = partial(desk.serve, caller)
        await socket.accept()
        await self._serve(socket, serve, key)

    async def _serve(self, socket: WebSocket, serve: Work, key: bytes) -> None:
        loop = asyncio.get_running_loop()
        line, turns = SocketLine(socket, loop), Turns()
        self._open[line] = turns

        def work() -> None:
            try:
                serve(key, line, turns)
            except (KioskError, RegistryError) as error:
                log.error("desk.not_begun code=%s", error.code)
            except Exception as error:  # noqa: BLE001 - one bad session is one session
                log.error("desk.session_failed type=%s", type(error).__name__)
            finally:
                line.close()
                _tell(loop, line.over)

        threading.Thread(target=work, name="desk-session", daemon=True).start()
        try:
            await line.hear()
        finally:
            line.cut()
            await line.over.wait()
            del self._open[line]
            log.info("desk.ended")


def _tell(loop: asyncio.AbstractEventLoop, event: asyncio.Event) -> None:
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
        _tell(self._loop, self._closed)

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


def _signed(socket: WebSocket, names: frozenset[str]) -> tuple[HttpRequest, bytes]:
    """Return the handshake as it was signed, and the key in it. NotUnderstood."""
    raw = socket.headers.raw
    if sum(len(name) + len(value) for name, value in raw) > _LARGEST_HEADERS:
        raise NotUnderstood
    authority = socket.headers.get("host", "").lower()
    if authority not in names:
        raise NotUnderstood
    headers = {name.decode("latin-1").lower(): it.decode("latin-1") for name, it in raw}
    if len(headers) != len(raw):
        raise NotUnderstood  # which of two was signed?
    query = socket.url.query
    key = query.removeprefix("key=")
    if len(key) != _KEY_HEX or not query.startswith("key="):
        raise NotUnderstood
    try:
        public = bytes.fromhex(key)
    except ValueError:
        raise NotUnderstood from None
    request = HttpRequest(
        method="GET",
        authority=authority,
        path=socket.url.path,
        query=query,
        headers=headers,
        body=b"",
    )
    return request, public

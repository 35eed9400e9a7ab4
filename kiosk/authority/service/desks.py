"""Operators' sessions over WebSocket: `WS /v1/desk`, opened by a signed GET.

The loop carries bytes; each session has a thread, and a registry, of its own. What is
said on the line is not this room's business. A session is over when its line is, and a
process that ends lets the step end that is under way. A station has one desk: a session
that it opens is in the place of an older one, whose line it may have lost long before
anybody here noticed.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from starlette.routing import BaseRoute, WebSocketRoute
from starlette.websockets import WebSocket

from kiosk.authority.errors import (
    AuthorityBusy,
    AuthorityError,
    NotUnderstood,
    StationBusy,
)
from kiosk.authority.required_ports import RequiredPorts
from kiosk.authority.service.callers import Caller
from kiosk.authority.service.socket_line import SocketLine, tell
from kiosk.authority.service.threads import Threads
from kiosk.authority.stations.limits import AGAIN_SECONDS
from kiosk.authority.stations.request import HttpRequest
from kiosk.core.errors import KioskError, Message, said_of
from kiosk.core.frame_line import FrameLine, Turns
from storage.errors import RegistryError

PATH = "/v1/desk"
MOST_DESKS = 64
"""Sessions of one process; the next one is told to go elsewhere."""
MOST_OF_ONE = 2
"""Sessions of one station that go on: the oldest makes room for the next one."""
MOST_RUNNING = 4
"""Sessions of one station with those whose step has not ended yet."""
MOST_REFUSED = 16
"""Lines on which somebody is told at the moment why there is no session."""
ENDING_SECONDS = 180.0
"""How long a process that ends waits for a step: the longest command of a card."""
_LARGEST_HEADERS = 16 * 1024
_KEY_HEX = 64

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


@dataclass(frozen=True, slots=True)
class _Open:
    """A line behind which there is a session, or a word why there is none."""

    line: SocketLine
    turns: Turns
    station: str
    """Whose session it is; empty: nobody's."""

    def end(self) -> None:
        """Let no step begin; the one that is under way ends first."""
        if not self.turns.end():
            self.line.close()


class Desks:
    """The sessions of this process. The loop's thread."""

    def __init__(self, host: DeskHost) -> None:
        self._host = host
        self._open: list[_Open] = []
        """The oldest is the first."""
        self._is_ending = False

    @property
    def routes(self) -> tuple[BaseRoute, ...]:
        """Return what the application serves of it."""
        return (WebSocketRoute(PATH, self._endpoint),)

    async def end(self) -> None:
        """Let no step begin, and wait until those that are under way have ended."""
        self._is_ending = True
        for each in self._open:
            each.end()
        with suppress(TimeoutError):
            async with asyncio.timeout(ENDING_SECONDS):
                await asyncio.gather(*(it.line.over.wait() for it in self._open))

    async def _endpoint(self, socket: WebSocket) -> None:
        desk = self._host.desk
        try:
            if desk is None or self._is_ending:
                raise AuthorityBusy
            request, key = _signed(socket, self._host.names)
            station, serve = await self._admitted(desk, request)
        except AuthorityError as error:
            log.info("desk.not_admitted code=%s", error.code)
            await socket.close()  # before it is accepted: the next address is asked
            return
        line = SocketLine(socket, asyncio.get_running_loop())
        opened = _Open(line, Turns(), station)
        self._open.append(opened)  # before it is taken: the next one counts it
        try:
            await socket.accept()
            await self._serve(opened, serve, key)
        finally:
            self._open.remove(opened)

    async def _admitted(
        self, desk: DeskService, request: HttpRequest
    ) -> tuple[str, Work]:
        """Return who works there and what they get; nobody's: a word why.

        AuthorityBusy: another address may have room.
        """
        admit = desk.admit
        try:
            caller = await self._host.threads.run(lambda parts: admit(parts, request))
            self._make_room(caller.station)
        except AuthorityBusy:
            raise
        except (KioskError, RegistryError) as error:
            if len([it for it in self._open if not it.station]) >= MOST_REFUSED:
                raise AuthorityBusy from error
            log.info("desk.not_admitted code=%s", error.code)
            return "", partial(desk.refuse, said_of(error))
        log.info("desk.opened station=%s", caller.station)
        return caller.station, partial(desk.serve, caller)

    def _make_room(self, station: str) -> None:
        """End what is too much of one station.

        StationBusy: its steps do not end. AuthorityBusy.
        """
        if self._is_ending:
            raise AuthorityBusy
        own = [it for it in self._open if it.station == station]
        if len(own) >= MOST_RUNNING:
            raise StationBusy(seconds=AGAIN_SECONDS)
        for each in own[: max(0, len(own) - MOST_OF_ONE + 1)]:
            log.info("desk.superseded station=%s", station)
            each.end()
        if len([it for it in self._open if it.station]) >= MOST_DESKS:
            raise AuthorityBusy

    async def _serve(self, opened: _Open, serve: Work, key: bytes) -> None:
        loop = asyncio.get_running_loop()
        line, turns = opened.line, opened.turns

        def work() -> None:
            try:
                serve(key, line, turns)
            except (KioskError, RegistryError) as error:
                log.error("desk.not_begun code=%s", error.code)
            except Exception as error:  # noqa: BLE001 - one bad session is one session
                log.error("desk.session_failed type=%s", type(error).__name__)
            finally:
                line.close()
                tell(loop, line.over)

        threading.Thread(target=work, name="desk-session", daemon=True).start()
        try:
            await line.hear()
        finally:
            line.cut()
            await line.over.wait()
            log.info("desk.ended")


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

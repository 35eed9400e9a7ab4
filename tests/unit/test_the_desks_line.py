"""An operator's session over a real WebSocket: who gets one, and what ends it alone."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from collections.abc import Iterator, MutableMapping
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from lab.histories import History
from lab.liar import named
from lab.servers import bad_servers
from lab.servers.ports import free_port
from lab.servers.served import Enrolled, Serving, Site, write_pair
from lab.servers.serving import until
from lab.servers.tls_servers import Wish, issue
from starlette.applications import Starlette
from starlette.websockets import WebSocket
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.sync.client import ClientConnection, connect

from kiosk.authority.client import desk_line
from kiosk.authority.client.desk_line import PATH, DeskLines
from kiosk.authority.client.line import trusting
from kiosk.authority.errors import AuthorityAway, StationMayNot
from kiosk.authority.local import LocalAuthority
from kiosk.authority.proof.seal import SealingKey
from kiosk.authority.required_ports import RequiredPorts
from kiosk.authority.service import desks
from kiosk.authority.service.app import Service, application
from kiosk.authority.service.callers import Caller
from kiosk.authority.service.desks import Desks, DeskService
from kiosk.authority.service.socket_line import SocketLine
from kiosk.authority.service.threads import Threads
from kiosk.authority.stations.request import HttpRequest
from kiosk.cards.ports import Card
from kiosk.core.entropy import SystemEntropy
from kiosk.core.errors import Message
from kiosk.core.frame_line import LARGEST_FRAME, FrameLine, LineCut, Turns
from kiosk.core.shared_tls_socket import SharedTlsSocket
from kiosk.desk.relay.channel import Channel, accepted, offered
from kiosk.desk.relay.remote_desk import CLOSED, RemoteDesk
from kiosk.desk.relay.session_host import end, host
from kiosk.desk.views import Emit, Filled, Look, Page

pytestmark = pytest.mark.slow
KIOSK = "kiosk-1"
"""A station at which no operator works."""


class OnePage:
    """`DeskPort` that shows whose session it is, and can take its time."""

    def __init__(self, station: str, gate: threading.Event) -> None:
        self._page = Page(name=station, title=Message("desk.sign_in.title"))
        self._gate = gate

    def page(self) -> Page:
        return self._page

    def choose(self, key: str, emit: Emit) -> Page:
        emit(Message("desk.working"))
        assert self._gate.wait(20)
        return self._page

    def submit(self, filled: Filled, emit: Emit) -> Page:
        return self._page

    def look(self, look: Look) -> Page:
        return self._page

    def back(self) -> Page:
        return self._page

    def card_came(self, card: Card) -> Page:
        return self._page

    def card_left(self, insertion: int) -> Page:
        return self._page

    def sign_out(self) -> Page:
        return self._page


class Door:
    """The authority's end, and stations that come to it."""

    def __init__(self, folder: Path, parts: RequiredPorts) -> None:
        self.serving: Serving
        self.gate = threading.Event()
        self.enrolled = Enrolled()
        self.site = Site.founded(folder)
        self.port = free_port()
        service = Service(
            threads=Threads(lambda: parts, count=2, waiting=8),
            verify=self.enrolled.verify,
            authority_of=LocalAuthority,
            names=frozenset({f"127.0.0.1:{self.port}"}),
            entropy=SystemEntropy(),
            desk=DeskService(self.admit, self.serve, self.refuse),
        )
        self.desks = Desks(service)
        self.app: Starlette = application(service, self.desks.routes)
        self.context = trusting(self.site.ca_file)
        self.context.sslsocket_class = SharedTlsSocket  # as a station has it
        self._came: list[RemoteDesk] = []

    def admit(self, parts: RequiredPorts, request: HttpRequest) -> Caller:
        caller = self.enrolled.verify(parts, request)
        if caller.station == KIOSK:
            raise StationMayNot(station=KIOSK, role="self-service")
        return caller

    def serve(
        self, caller: Caller, sealing_key: bytes, line: FrameLine, turns: Turns
    ) -> None:
        page = OnePage(caller.station, self.gate)
        host(offered(line, sealing_key), lambda *_: page, lambda: None, turns)

    def refuse(self, why: Message, key: bytes, line: FrameLine, _: Turns) -> None:
        end(offered(line, key), why)

    def desk(self, station: str, address: str = "") -> RemoteDesk:
        """A station that has come to this door."""
        where = address or f"https://127.0.0.1:{self.port}"
        signer = self.enrolled.signer(station)
        lines = DeskLines([where], self.site.ca_file, signer, SystemEntropy())

        def connected(lost: object) -> Channel:
            mine = SealingKey()
            return accepted(lines.opened(mine.public, lambda: None), mine, 10)

        self._came.append(RemoteDesk(connected, lambda job: job()))
        return self._came[-1]

    def close(self) -> None:
        """Let every step end, and send everybody home."""
        self.gate.set()
        for each in self._came:
            each.close()
        until(lambda: not self.desks._open)

    def repeated(self, station: str) -> tuple[str, dict[str, str]]:
        """The handshake of a station, for whoever has seen it."""
        query = f"key={SealingKey().public.hex()}"
        request = HttpRequest(
            method="GET",
            authority=f"127.0.0.1:{self.port}",
            path=PATH,
            query=query,
            headers={"idempotency-key": "seen"},
            body=b"",
        )
        more = self.enrolled.signer(station)(request)
        headers = {"idempotency-key": "seen", **more}
        return f"wss://127.0.0.1:{self.port}{PATH}?{query}", headers


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    made = Door(tmp_path, History(named("change")).world.parts)
    with Serving(made.app, made.site.listening(made.port)) as serving:
        made.serving = serving
        yield made
        made.close()


def test_each_station_gets_a_session_of_its_own(door: Door) -> None:
    one, other = door.desk("desk-1"), door.desk("desk-2")
    assert [one.page().name, other.page().name] == ["desk-1", "desk-2"]
    one.close()
    assert other.back().name == "desk-2"
    assert one.page().name == "desk-1", "a new one"


@pytest.mark.parametrize(("dead", "shown"), [(1, "desk-1"), (2, CLOSED)])
def test_a_line_that_dies_before_there_is_a_page_is_opened_once_more(
    door: Door, dead: int, shown: str
) -> None:
    signer = door.enrolled.signer("desk-1")
    where = f"https://127.0.0.1:{door.port}"
    lines = DeskLines([where], door.site.ca_file, signer, SystemEntropy())
    opened: list[Channel] = []

    def connected(lost: object) -> Channel:
        mine = SealingKey()
        opened.append(accepted(lines.opened(mine.public, lambda: None), mine, 10))
        if len(opened) <= dead:
            opened[-1].close()
        return opened[-1]

    desk = RemoteDesk(connected, lambda job: job())
    assert desk.page().name == shown
    assert len(opened) == 2
    desk.close()


def test_a_line_that_dies_is_told_of_in_our_words_alone(
    door: Door, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The library would log a traceback where its ping could not be sent."""
    tried = threading.Event()

    def no_ping(*_: object, **__: object) -> None:
        tried.set()
        raise RuntimeError

    monkeypatch.setattr(desk_line, "_PING_SECONDS", 0.05)
    monkeypatch.setattr(ClientConnection, "ping", no_ping)
    with caplog.at_level(logging.INFO):
        signer = door.enrolled.signer("desk-1")
        where = f"https://127.0.0.1:{door.port}"
        lines = DeskLines([where], door.site.ca_file, signer, SystemEntropy())
        line = lines.opened(SealingKey().public, lambda: None)
        assert tried.wait(10)
        line.close()
        for thread in threading.enumerate():
            if "keepalive" in repr(thread):
                thread.join(10)
    assert [it for it in caplog.records if it.levelno >= logging.ERROR] == []


def nobody_there(door: Door, where: str) -> DeskLines:
    """Lines that have nowhere else to go."""
    signer = door.enrolled.signer("desk-1")
    return DeskLines([where], door.site.ca_file, signer, SystemEntropy())


def test_a_name_that_nobody_resolves_is_given_up_in_time(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = threading.Event()

    def wait(*_: object, **__: object) -> list[object]:
        ended.wait(20)
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure")

    monkeypatch.setattr(socket, "getaddrinfo", wait)
    monkeypatch.setattr(desk_line, "CONNECT_SECONDS", 0.2)
    lines = nobody_there(door, "https://desk.example:8443")
    began = monotonic()
    try:
        with pytest.raises(AuthorityAway):
            lines.opened(SealingKey().public, lambda: None)
        assert monotonic() - began < 10
    finally:
        ended.set()


def test_what_cannot_be_a_name_answers_nobody(door: Door) -> None:
    with pytest.raises(AuthorityAway):
        nobody_there(door, "https://a..b:8443").opened(
            SealingKey().public, lambda: None
        )


def test_who_answers_cannot_send_a_station_on_to_somebody_else(door: Door) -> None:
    own = issue(Wish(addresses=("127.0.0.1",)), door.site.authority)
    _, key = write_pair(door.site.folder, own, "cert")
    key.rename(door.site.folder / "key.pem")
    elsewhere: list[bytes] = []
    there = bad_servers.server(lambda line, _: elsewhere.append(line.recv(100)))
    with there as port:
        moved = b"HTTP/1.1 302 Found\r\nlocation: wss://127.0.0.1:%d/\r\n\r\n" % port

        def send_on(line: socket.socket, _: threading.Event) -> None:
            line.recv(4096)
            line.sendall(moved)

        redirecting = bad_servers.behind_tls(door.site.folder, send_on)
        with bad_servers.server(redirecting) as first:
            lines = nobody_there(door, f"https://127.0.0.1:{first}")
            with pytest.raises(AuthorityAway):
                lines.opened(SealingKey().public, lambda: None)
    assert elsewhere == []


def test_a_station_that_may_not_hears_why(door: Door) -> None:
    page = door.desk(KIOSK).page()
    assert page.name == CLOSED
    assert page.notice is not None
    assert page.notice.key == "authority.station_may_not"


def test_who_has_signed_nothing_hears_nothing_of_anybody(door: Door) -> None:
    url, headers = door.repeated("desk-1")
    del headers["signature"]
    with connect(url, ssl=door.context, additional_headers=headers) as line:
        line.recv(10)  # sealed to whoever it was, and no more than a refusal
        line.recv(10)
        with pytest.raises(ConnectionClosed):
            line.recv(10)


def test_a_handshake_for_another_name_is_none(door: Door) -> None:
    page = door.desk("desk-1", f"https://localhost:{door.port}").page()
    assert page.notice is not None
    assert page.notice.key in ("authority.away", "authority.not_trusted")


def test_a_handshake_that_is_repeated_opens_nothing_that_can_be_read_or_asked(
    door: Door,
) -> None:
    url, headers = door.repeated("desk-1")
    mine = door.desk("desk-1")
    assert mine.page().name == "desk-1"
    with connect(url, ssl=door.context, additional_headers=headers) as line:
        line.recv(10)
        line.send(b"what is shown?")
        with pytest.raises(ConnectionClosed):
            line.recv(10)
    assert mine.back().name == "desk-1", "another's session is not touched"


@pytest.mark.parametrize(
    "what", [b"x" * (LARGEST_FRAME + 1), "text"], ids=["too large", "text"]
)
def test_what_no_station_says_ends_its_own_session_alone(
    door: Door, what: str | bytes
) -> None:
    url, headers = door.repeated("desk-1")
    other = door.desk("desk-2")
    assert other.page().name == "desk-2"
    with connect(url, ssl=door.context, additional_headers=headers) as line:
        line.recv(10)
        with suppress(ConnectionClosed):
            line.send(what)
        with pytest.raises(ConnectionClosed):
            line.recv(10)
    assert other.back().name == "desk-2"


def test_a_process_that_ends_waits_for_a_step_and_closes_who_is_idle(
    door: Door,
) -> None:
    idle, busy = door.desk("desk-1"), door.desk("desk-2")
    assert idle.page().name == "desk-1"
    assert busy.page().name == "desk-2"
    begun, pages = threading.Event(), list[Page]()
    work = threading.Thread(
        target=lambda: pages.append(busy.choose("x", lambda _: begun.set()))
    )
    work.start()
    assert begun.wait(10)
    loop = door.serving._loop
    ending = asyncio.run_coroutine_threadsafe(door.desks.end(), loop)
    assert idle.back().name == CLOSED
    assert not ending.done(), "it waits"
    door.gate.set()
    ending.result(20)
    work.join(20)
    (page,) = pages
    assert page.name == "desk-2", "what came of its step is shown"
    assert busy.back().notice == Message("relay.ending")
    assert door.desk("desk-3").page().name == CLOSED, "the next address is asked"


def test_a_session_that_outlives_its_server_ends_without_a_traceback() -> None:
    loop = asyncio.new_event_loop()
    line = SocketLine(
        WebSocket({"type": "websocket"}, nothing_comes, nothing_goes), loop
    )
    loop.close()
    line.close()
    with pytest.raises(LineCut):
        line.send(b"page")


async def nothing_goes(_: MutableMapping[str, Any]) -> None:
    """A socket at which nothing is said."""


async def nothing_comes() -> MutableMapping[str, Any]:
    """A socket at which nothing is heard."""
    return {}


# --- floods ---------------------------------------------------------------------------


def _told(begun: threading.Event, _: Message) -> None:
    begun.set()


def opened(door: Door, stack: ExitStack, url: str, headers: dict[str, str]) -> None:
    """Open a line and say nothing on it; one that is not taken is none."""
    with suppress(InvalidHandshake, ConnectionClosed):
        silent = {"ping_interval": None}  # it outlives the test: its thread must not
        line = connect(url, ssl=door.context, additional_headers=headers, **silent)
        stack.callback(line.socket.close)


def test_a_station_that_opens_many_sessions_keeps_nobody_from_theirs(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desks, "MOST_DESKS", 6)
    with ExitStack() as stack:
        for _ in range(9):
            opened(door, stack, *door.repeated("desk-1"))
        assert door.desk("desk-2").page().name == "desk-2"


def test_a_station_whose_lines_were_lost_unnoticed_gets_a_new_session(
    door: Door,
) -> None:
    """The authority has not noticed it: no packet comes where a cable was pulled."""
    with ExitStack() as stack:
        for _ in range(5):
            opened(door, stack, *door.repeated("desk-1"))
            assert door.desk("desk-1").page().name == "desk-1"


def test_what_a_station_has_begun_is_ended_before_its_session_is(door: Door) -> None:
    busy = door.desk("desk-1")
    assert busy.page().name == "desk-1"
    begun, pages = threading.Event(), list[Page]()
    work = threading.Thread(
        target=lambda: pages.append(busy.choose("x", lambda _: begun.set()))
    )
    work.start()
    assert begun.wait(10)
    with ExitStack() as stack:
        for _ in range(3):
            opened(door, stack, *door.repeated("desk-1"))
        door.gate.set()
        work.join(20)
        assert [page.name for page in pages] == ["desk-1"]
        assert busy.back().notice == Message("relay.ending")


def test_sessions_that_do_not_end_are_few(door: Door) -> None:
    """Each is at a step that hangs: more of one station are not begun."""
    busy = [door.desk("desk-1") for _ in range(desks.MOST_RUNNING)]
    threads = []
    for desk in busy:
        assert desk.page().name == "desk-1"
        begun = threading.Event()
        step = threading.Thread(target=desk.choose, args=("x", partial(_told, begun)))
        step.start()
        threads.append(step)
        assert begun.wait(10)
    page = door.desk("desk-1").page()
    assert page.notice is not None
    assert page.notice.key == "authority.station_busy"
    assert door.desk("desk-2").page().name == "desk-2"
    door.gate.set()
    for step, desk in zip(threads, busy, strict=True):
        step.join(20)
        desk.close()


def test_strangers_keep_nobody_from_theirs(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who has signed nothing hears that, and does not even have to listen."""
    monkeypatch.setattr(desks, "MOST_DESKS", 6)
    url, headers = door.repeated("desk-1")
    del headers["signature"]
    with ExitStack() as stack:
        for _ in range(20):
            opened(door, stack, url, headers)
        assert door.desk("desk-2").page().name == "desk-2"

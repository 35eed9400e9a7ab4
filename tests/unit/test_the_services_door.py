"""What the service does with bad requests: bounded, answered, never a word too much."""

from __future__ import annotations

import asyncio
import http.client
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import msgspec
import pytest
from lab.histories import History
from lab.liar import named
from lab.servers.ports import free_port
from lab.servers.served import Named, Serving, Site, by_header
from starlette.applications import Starlette

from kiosk.authority.client.line import trusting
from kiosk.authority.errors import AuthorityBusy
from kiosk.authority.local import LocalAuthority
from kiosk.authority.required_ports import RequiredPorts
from kiosk.authority.service import bounds, server
from kiosk.authority.service.app import Service, application
from kiosk.authority.service.threads import Threads
from kiosk.authority.stations.limits import StationLimit
from kiosk.authority.stations.request import HttpRequest
from kiosk.core.entropy import SystemEntropy
from kiosk.directory.errors import Unreachable
from kiosk.figures.prometheus import PrometheusFigures
from storage.errors import StoreUnavailable

pytestmark = pytest.mark.slow

CALL = "/v1/visit/outcome"
BODY = b'{"key":"k1","request":{"operation":"none"}}'


@pytest.fixture
def parts() -> RequiredPorts:
    return History(named("change")).world.parts


class Door:
    """A service, and a client that says exactly what it is told to."""

    def __init__(self, service: Service, site: Site, port: int) -> None:
        self.service = service
        self.port = port
        self._context = trusting(site.ca_file)

    def plain(self) -> ssl.SSLSocket:
        """Open a connection and shake hands."""
        sock = socket.create_connection(("127.0.0.1", self.port), 10)
        return self._context.wrap_socket(sock, server_hostname="127.0.0.1")

    def ask(
        self,
        path: str = CALL,
        body: bytes = BODY,
        *,
        method: str = "POST",
        **headers: str,
    ) -> tuple[int, Any, http.client.HTTPMessage]:
        given = {
            "host": f"127.0.0.1:{self.port}",
            "content-type": "application/json",
            "idempotency-key": "k1",
            "x-test-station": "kiosk-1",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        connection = http.client.HTTPSConnection(
            "127.0.0.1", self.port, context=self._context, timeout=20
        )
        try:
            connection.request(method, path, body, given)
            response = connection.getresponse()
            said = response.read()
        finally:
            connection.close()
        if "json" in response.headers.get_content_type():
            said = msgspec.json.decode(said)
        return response.status, said, response.headers

    def raw(self, words: bytes) -> bytes:
        """Say that, and return all that is said until the other side closes."""
        with self.plain() as line:
            line.sendall(words)
            heard = b""
            while part := line.recv(65536):
                heard += part
            return heard


@pytest.fixture
def door(parts: RequiredPorts, tmp_path: Path) -> Iterator[Door]:
    port = free_port()
    service = Service(
        threads=Threads(lambda: parts, count=1, waiting=2),
        verify=by_header,
        authority_of=LocalAuthority,
        names=frozenset({f"127.0.0.1:{port}"}),
        entropy=SystemEntropy(),
    )
    site = Site.founded(tmp_path)
    with Serving(application(service), site.listening(port)):
        yield Door(service, site, port)
    service.threads.close()


def head(door: Door, *lines: str, path: str = CALL) -> bytes:
    """The head of a request, by whoever writes it himself."""
    own = (f"POST {path} HTTP/1.1", f"host: 127.0.0.1:{door.port}", *lines)
    return "\r\n".join(own).encode() + b"\r\n\r\n"


def code(said: Any) -> str:
    found: str = said["error"]["code"]
    return found


# --- problems -------------------------------------------------------------------------


def test_a_problem_says_the_same_to_a_program_and_to_a_person(door: Door) -> None:
    body = b'{"key":"k1","request":{"request":{"card":"piv:guid:00","seen":%s}}}'
    seen = b'{"limits":{"minimum":6,"maximum":8,"alphabet":"digits"},"tries_left":3}'
    status, said, headers = door.ask("/v1/visit/open", body % seen)
    assert status == said["status"] == 404
    assert headers["content-type"] == "application/problem+json"
    assert said["type"] == "urn:pin-kiosk:error:authority.not_on_record"
    assert said["detail"].startswith("This card is not registered here.")
    assert said["error"]["message"]["key"] == "authority.not_on_record"


@pytest.mark.parametrize("path", ["/", "/v1", "/v2/visit/open", "/v1/visit/", "/admin"])
def test_a_path_that_is_none_is_a_problem(door: Door, path: str) -> None:
    status, said, _ = door.ask(path)
    assert (status, code(said)) == (404, "authority.not_understood")


def test_a_call_is_not_read_but_asked(door: Door) -> None:
    status, said, headers = door.ask(method="GET", body=b"")
    assert (status, code(said)) == (405, "authority.not_understood")
    assert headers["allow"] == "POST"


@pytest.mark.parametrize("call", ["run", "__init__", "close", "_must_be_ours", "%00"])
def test_a_call_that_the_port_has_not_is_not_understood(door: Door, call: str) -> None:
    status, said, _ = door.ask(f"/v1/visit/{call}")
    assert (status, code(said)) == (400, "authority.not_understood")


def test_another_name_than_its_own_is_not_answered_to(door: Door) -> None:
    status, said, _ = door.ask(host="elsewhere.example")
    assert (status, code(said)) == (400, "authority.not_understood")


@pytest.mark.parametrize("key", ["", "k2", "K1"])
def test_the_key_is_the_one_inside(door: Door, key: str) -> None:
    status, said, _ = door.ask(idempotency_key=key)
    assert (status, code(said)) == (400, "authority.not_understood")


NEWER = {
    "an argument": b'{"key":"k1","request":{"operation":"none","why":1}}',
    "a member": b'{"key":"k1","request":{"operation":"none"},"why":1}',
}


@pytest.mark.parametrize("newer", NEWER)
def test_what_a_newer_station_asks_for_besides_is_not_left_out_in_silence(
    door: Door, newer: str
) -> None:
    status, said, _ = door.ask(body=NEWER[newer])
    assert (status, code(said)) == (400, "authority.not_understood")


SEEN = b'{"limits":{"minimum":6,"maximum":8,"alphabet":"digits"%s},"tries_left":3%s}'


@pytest.mark.parametrize(
    "more", [(b',"x":1', b"", b""), (b"", b',"x":1', b""), (b"", b"", b',"x":1')]
)
def test_nor_is_what_it_asks_for_further_inside(
    door: Door, more: tuple[bytes, bytes, bytes]
) -> None:
    seen = SEEN % more[:2]
    body = b'{"key":"k1","request":{"request":{"card":"c","seen":%s%s}}}'
    plain = SEEN % (b"", b"")
    assert door.ask("/v1/visit/open", body % (plain, b""))[0] == 404, "it has its form"
    status, said, _ = door.ask("/v1/visit/open", body % (seen, more[2]))
    assert (status, code(said)) == (400, "authority.not_understood")


def test_a_header_that_stands_twice_is_refused(door: Door) -> None:
    """Which of the two was signed, and which is believed?"""
    lines = ("idempotency-key: k1", "idempotency-key: k2", "connection: close")
    words = head(door, *lines, f"content-length: {len(BODY)}") + BODY
    assert door.raw(words).startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize("cut", [0, 1, 20, len(BODY) - 1])
def test_a_body_that_is_cut_is_not_understood(door: Door, cut: int) -> None:
    status, said, _ = door.ask(body=BODY[:cut])
    assert (status, code(said)) == (400, "authority.not_understood")


def test_a_defect_is_told_by_its_number_alone(
    door: Door, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(parts: RequiredPorts, request: HttpRequest) -> Named:
        raise RuntimeError("271828")

    door.service.verify = fail
    status, said, _ = door.ask()
    assert (status, code(said)) == (500, "authority.failed_inside")
    event = said["error"]["message"]["data"]["event"]
    assert f"event={event}" in caplog.text
    assert "test_the_services_door.py" in caplog.text, "its place is in the log"
    assert "271828" not in caplog.text + str(said)


def test_who_is_not_known_is_asked_nothing(
    door: Door, parts: RequiredPorts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whose a request is is judged before anything is done for it."""
    asked: list[str] = []

    def nobody(parts: RequiredPorts, request: HttpRequest) -> Named:
        raise AuthorityBusy

    def authority(parts: RequiredPorts, station: str, key: str) -> LocalAuthority:
        asked.append(station)
        return LocalAuthority(parts, station, key)

    door.service.verify, door.service.authority_of = nobody, authority
    assert door.ask()[0] == 503
    assert asked == []


# --- bounds ---------------------------------------------------------------------------


def test_a_body_that_says_it_is_too_large_is_not_read(door: Door) -> None:
    words = head(door, f"content-length: {bounds.LARGEST_BODY + 1}")
    assert door.raw(words).startswith(b"HTTP/1.1 413 ")


def test_a_body_that_grows_too_large_is_read_no_further(door: Door) -> None:
    part = b"4000\r\n" + bytes(0x4000) + b"\r\n"
    assert door.raw(head(door, "transfer-encoding: chunked") + 5 * part).startswith(
        b"HTTP/1.1 413 "
    )


def test_headers_that_are_too_large_are_refused(door: Door) -> None:
    status, said, _ = door.ask(x_more="m" * bounds.LARGEST_HEADERS)
    assert (status, code(said)) == (413, "authority.too_large")


SLOW: dict[str, Callable[[Door], bytes]] = {
    "a body that does not come": lambda it: head(it, "content-length: 40"),
    "a body that stops": lambda it: head(it, "content-length: 40") + b'{"key":',
    "chunks that stop": lambda it: head(it, "transfer-encoding: chunked") + b"2\r\n{",
}


@pytest.mark.parametrize("slow", SLOW)
def test_a_body_that_does_not_end_is_cut_off(
    door: Door, monkeypatch: pytest.MonkeyPatch, slow: str
) -> None:
    monkeypatch.setattr(bounds, "BODY_SECONDS", 0.2)
    assert door.raw(SLOW[slow](door)).startswith(b"HTTP/1.1 408 ")


def test_a_body_that_drips_is_cut_off(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounds, "BODY_SECONDS", 0.3)
    gone = threading.Event()
    with door.plain() as line:
        line.sendall(head(door, "content-length: 60000"))

        def drip() -> None:
            while not gone.wait(0.05):
                try:
                    line.sendall(b" ")
                except OSError:
                    return

        dripping = threading.Thread(target=drip)
        dripping.start()
        heard = line.recv(65536)
        gone.set()
        dripping.join()
    assert heard.startswith(b"HTTP/1.1 408 ")


def test_the_larger_and_slower_are_in_nobodys_way(door: Door) -> None:
    with door.plain() as line:
        line.sendall(head(door, "content-length: 40"))
        assert door.ask("/live", method="GET", body=b"")[0] == 200
        assert door.ask()[0] == 404


@pytest.mark.parametrize("words", [b"", b"POST /v1/vi"])
def test_a_header_that_does_not_come_is_cut_off(
    parts: RequiredPorts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: bytes
) -> None:
    monkeypatch.setattr(server, "HEADER_SECONDS", 1.0)
    site, port = Site.founded(tmp_path), free_port()
    with Serving(Starlette(), site.listening(port)):
        context = trusting(site.ca_file)
        sock = socket.create_connection(("127.0.0.1", port), 20)
        with context.wrap_socket(sock, server_hostname="127.0.0.1") as line:
            line.sendall(words)
            assert not _said(line).startswith(b"HTTP/1.1 2")


def _said(line: ssl.SSLSocket) -> bytes:
    """All that is said until the other side closes, in whatever way."""
    heard = b""
    try:
        while part := line.recv(65536):
            heard += part
    except ConnectionResetError:
        pass
    return heard


def test_an_older_tls_is_not_spoken(door: Door) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    sock = socket.create_connection(("127.0.0.1", door.port), 10)
    with sock, pytest.raises(ssl.SSLError):
        context.wrap_socket(sock)


# --- its standing ---------------------------------------------------------------------


def standing(door: Door) -> tuple[int, int]:
    live, ready = (
        door.ask(it, method="GET", body=b"")[0] for it in ("/live", "/ready")
    )
    return live, ready


def test_it_lives_and_is_ready(door: Door) -> None:
    assert standing(door) == (200, 200)


def test_it_is_not_ready_while_the_store_is_away(
    door: Door, parts: RequiredPorts, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = _raising(StoreUnavailable(place="db1"))
    monkeypatch.setattr(parts.registry, "read", away)
    assert standing(door) == (200, 503)
    status, said, headers = door.ask()
    assert (status, code(said)) == (503, "registry.unavailable")
    assert headers["retry-after"] == "1"


def test_where_the_store_is_is_told_to_nobody_who_is_not_known(door: Door) -> None:
    def away(parts: RequiredPorts, request: HttpRequest) -> Named:
        raise StoreUnavailable(place="db1.example.org")

    door.service.verify = away
    status, said, _ = door.ask()
    assert (status, code(said)) == (503, "authority.busy")
    assert "db1" not in str(said)


def test_it_is_ready_while_the_directory_is_away(
    door: Door, parts: RequiredPorts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every process would say so: none would be left to tell the stations."""
    monkeypatch.setattr(parts.directory, "connect", _raising(Unreachable(dc="dc1")))
    assert standing(door) == (200, 200)
    status, said, _ = door.ask("/v1/visit/health", b'{"key":"k1","request":{}}')
    assert status == 200
    assert said["answer"][0]["part"] == "directory"


def test_one_that_is_to_end_still_answers_and_sends_everybody_elsewhere(
    door: Door,
) -> None:
    door.service.readiness.is_ending = True
    assert standing(door) == (200, 503)
    status, _, headers = door.ask()
    assert status == 404
    assert headers["connection"] == "close"


def test_one_that_is_full_says_so_at_once(door: Door, parts: RequiredPorts) -> None:
    held, go_on = threading.Event(), threading.Event()

    def slow(parts: RequiredPorts, request: HttpRequest) -> Named:
        held.set()
        assert go_on.wait(20)
        return by_header(parts, request)

    door.service.verify = slow
    statuses: list[int] = []
    asking = [
        threading.Thread(target=lambda: statuses.append(door.ask()[0]))
        for _ in range(3)  # one thread, and two may wait
    ]
    for each in asking:
        each.start()
    assert held.wait(20)
    _until(lambda: door.service.threads.inside == 3)
    status, said, headers = door.ask()
    assert (status, code(said)) == (503, "authority.busy")
    assert headers["retry-after"] == "1"
    go_on.set()
    for each in asking:
        each.join()
    assert statuses == [404] * 3


def _until(is_so: Callable[[], bool]) -> None:
    for _ in range(2000):
        if is_so():
            return
        threading.Event().wait(0.005)
    raise TimeoutError


def _raising(error: Exception) -> Callable[..., NoReturn]:
    def fail(*_: object, **__: object) -> NoReturn:
        raise error

    return fail


# --- its threads ----------------------------------------------------------------------


def test_each_thread_has_a_registry_of_its_own(parts: RequiredPorts) -> None:
    """A registry is used by one thread, the one that opened it."""
    closed: list[str] = []

    class Owned:
        def __init__(self) -> None:
            self.thread = threading.current_thread().name

        def close(self) -> None:
            closed.append(self.thread)

    meet = threading.Barrier(3)
    threads = Threads(
        lambda: replace(parts, registry=Owned()),  # type: ignore[arg-type]  # what is told apart
        count=3,
        waiting=3,
    )

    def job(own: RequiredPorts) -> tuple[str, str]:
        meet.wait(10)
        return own.registry.thread, threading.current_thread().name  # type: ignore[attr-defined]  # Owned

    async def work() -> list[tuple[str, str]]:
        return list(await asyncio.gather(*(threads.run(job) for _ in range(6))))

    seen = asyncio.run(work())
    assert all(opener == user for opener, user in seen)
    assert len({opener for opener, _ in seen}) == 3
    threads.close()
    assert sorted(closed) == sorted({opener for opener, _ in seen})


def test_a_store_that_could_not_be_opened_is_tried_again(parts: RequiredPorts) -> None:
    tries: list[int] = []

    def opening() -> RequiredPorts:
        tries.append(1)
        if len(tries) == 1:
            raise StoreUnavailable(place="db1")
        return parts

    threads = Threads(opening, count=1, waiting=1)

    async def work() -> RequiredPorts:
        with pytest.raises(StoreUnavailable):
            await threads.run(lambda own: own)
        return await threads.run(lambda own: own)

    assert asyncio.run(work()) is parts
    threads.close()


# --- floods ---------------------------------------------------------------------------


def test_a_station_that_floods_keeps_nobody_waiting(
    parts: RequiredPorts, tmp_path: Path
) -> None:
    """What it has begun hangs, as at a directory that does not answer."""
    port, answers = free_port(), threading.Event()

    class Hanging(LocalAuthority):
        def outcome(self, operation: str) -> NoReturn:
            if self._station == "flooding":
                answers.wait(20)
            raise Unreachable

    service = Service(
        threads=Threads(lambda: parts, count=4, waiting=32),
        verify=by_header,
        authority_of=Hanging,
        names=frozenset({f"127.0.0.1:{port}"}),
        entropy=SystemEntropy(),
        limit=StationLimit(3),
    )
    site = Site.founded(tmp_path)
    said: list[str] = []
    with Serving(application(service), site.listening(port)):
        door = Door(service, site, port)

        def ask() -> None:
            _, answer, _ = door.ask(x_test_station="flooding")
            said.append(code(answer))

        flood = [threading.Thread(target=ask) for _ in range(16)]
        for each in flood:
            each.start()
        for _ in range(5):
            status, answer, _ = door.ask(x_test_station="kiosk-2")
            assert (status, code(answer)) == (502, "directory.unreachable")
        assert not answers.is_set(), "the others were answered while it hung"
        answers.set()
        for each in flood:
            each.join(20)
    service.threads.close()
    assert said.count("directory.unreachable") == 3
    assert said.count("authority.station_busy") == 13


def test_nobody_is_told_to_be_inside_when_all_have_left(
    parts: RequiredPorts, tmp_path: Path
) -> None:
    """An alert asks for this figure, and an idle process is asked nothing more."""
    port, answers, figures = free_port(), threading.Event(), PrometheusFigures()

    class Hanging(LocalAuthority):
        def outcome(self, operation: str) -> NoReturn:
            answers.wait(20)
            raise Unreachable

    service = Service(
        threads=Threads(lambda: parts, count=4, waiting=4),
        verify=by_header,
        authority_of=Hanging,
        names=frozenset({f"127.0.0.1:{port}"}),
        entropy=SystemEntropy(),
        figures=figures,
    )
    site = Site.founded(tmp_path)
    with Serving(application(service), site.listening(port)):
        door = Door(service, site, port)
        asking = [threading.Thread(target=door.ask) for _ in range(3)]
        for count, each in enumerate(asking, 1):
            each.start()
            while service.threads.inside < count:
                time.sleep(0.01)
        assert b"pin_kiosk_calls_inside 2.0" in figures.text()
        answers.set()
        for each in asking:
            each.join(20)
        assert b"pin_kiosk_calls_inside 0.0" in figures.text()
    service.threads.close()

"""A station's connections: servers that do not convince, and the next address."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing
from pathlib import Path
from time import monotonic

import pytest
from lab.servers import bad_servers
from lab.servers.bad_servers import Handler
from lab.servers.served import Site, write_pair
from lab.servers.tls_servers import Wish, issue

from kiosk.authority.client import line as line_module
from kiosk.authority.client.line import (
    LARGEST_ANSWER,
    Address,
    CaFileUnusable,
    Line,
    LineNotTrusted,
    NotAnswered,
    trusting,
)
from kiosk.authority.client.lines import Lines
from kiosk.authority.errors import AuthorityAway, AuthorityNotTrusted
from kiosk.authority.stations.request import HttpRequest
from kiosk.core.clock import SystemClock

pytestmark = pytest.mark.slow

PATH = "/v1/visit/outcome"
HEADERS = {"idempotency-key": "k1", "content-type": "application/json"}
OK = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
WHOLE = OK + b"content-length: 2\r\n\r\n{}"
ENDING = b"HTTP/1.1 503 Not now\r\ncontent-length: 0\r\n\r\n"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    made = Site.founded(tmp_path_factory.mktemp("site"))
    own = issue(Wish(addresses=("127.0.0.1",)), made.authority)
    write_pair(made.folder, own, "cert")
    (made.folder / "cert.key").rename(made.folder / "key.pem")
    return made


@pytest.fixture
def listen(site: Site) -> Iterator[Callable[[Handler], str]]:
    """Let a handler answer behind the site's own certificate; return its address."""
    with ExitStack() as stack:

        def listening(handle: Handler) -> str:
            protected = bad_servers.behind_tls(site.folder, handle)
            port = stack.enter_context(bad_servers.server(protected))
            return f"https://127.0.0.1:{port}"

        yield listening


Listen = Callable[[Handler], str]


def sign(request: HttpRequest) -> Mapping[str, str]:
    return {"signature": f"for {request.authority}"}


class Asking:
    """The lines of one station; closed with the test."""

    def __init__(self, site: Site, *addresses: str) -> None:
        self.lines = Lines(addresses, trusting(site.ca_file), sign, SystemClock())

    def __enter__(self) -> Lines:
        return self.lines

    def __exit__(self, *_: object) -> None:
        self.lines.close()


class Heard:
    """What a server has heard, request by request; it answers each with `says`."""

    def __init__(self, *says: bytes) -> None:
        self.requests: list[bytes] = []
        self._says = list(says)

    def __call__(self, line: socket.socket, ended: threading.Event) -> None:
        while words := _request(line):
            self.requests.append(words)
            said = self._says.pop(0) if self._says else WHOLE
            if not said:
                return
            line.sendall(said)


def _request(line: socket.socket) -> bytes:
    """Return one whole request with a body of two bytes; empty: the client is gone."""
    words = b""
    while not words.endswith(b"\r\n\r\n{}"):
        part = line.recv(65536)
        if not part:
            return b""
        words += part
    return words


def ask(lines: Lines, **seconds: float) -> bytes:
    return lines.ask(
        PATH, HEADERS, b"{}", **({"seconds": 5.0, "within": 5.0} | seconds)
    ).body


# --- one address ---------------------------------------------------------------------


def cut_off(words: bytes) -> Handler:
    """Say something when spoken to, and end the line."""

    def handle(line: socket.socket, _: threading.Event) -> None:
        line.recv(4096)
        line.sendall(words)

    return handle


NO_ANSWERS = {
    "hangs up": bad_servers.hang_up,
    "no HTTP": bad_servers.say(b"220 welcome\r\n"),
    "an answer that ends early": cut_off(OK + b"content-length: 9\r\n\r\n{"),
    "an answer without its body": cut_off(OK + b"content-length: 2\r\n\r\n"),
    "chunks that end early": cut_off(OK + b"transfer-encoding: chunked\r\n\r\n9\r\n{"),
    "a header that is none": bad_servers.say(b"HTTP/1.1 two hundred\r\n\r\n"),
    "an answer without end": bad_servers.say(
        OK
        + b"content-length: %d\r\n\r\n" % (2 * LARGEST_ANSWER)
        + bytes(2 * LARGEST_ANSWER)
    ),
}
NONE_IN_TIME = {
    "an answer that stops": bad_servers.say(OK + b"content-length: 9\r\n\r\n{"),
    "silence": bad_servers.stay_silent,
    "a header that never ends": bad_servers.dribble(OK),
    "a body that drips": bad_servers.dribble(OK + b"content-length: 9000\r\n\r\n"),
    "chunks that drip": bad_servers.dribble(
        OK + b"transfer-encoding: chunked\r\n\r\n2000\r\n"
    ),
}


@pytest.mark.parametrize("how", NO_ANSWERS)
def test_what_is_no_answer_is_none(site: Site, listen: Listen, how: str) -> None:
    """Whatever time there is: that is not what it lacks."""
    answers_nothing(site, listen(NO_ANSWERS[how]), 60.0)


@pytest.mark.parametrize("how", NONE_IN_TIME)
def test_what_is_no_answer_in_time_is_none(
    site: Site, listen: Listen, how: str
) -> None:
    """However much comes: the time is one for the whole call."""
    answers_nothing(site, listen(NONE_IN_TIME[how]), 0.4)


def answers_nothing(site: Site, address: str, seconds: float) -> None:
    with closing(Line(Address.of(address), trusting(site.ca_file))) as line:
        with pytest.raises(NotAnswered):
            line.ask("POST", PATH, HEADERS, b"{}", seconds)
        assert not line.is_open


def test_a_name_that_nobody_resolves_is_given_up_in_time(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system's own resolver waits as long as it likes: a card is held meanwhile."""
    ended = threading.Event()

    def wait(*_: object, **__: object) -> list[object]:
        ended.wait(20)
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure")

    monkeypatch.setattr(socket, "getaddrinfo", wait)
    line = Line(Address("kiosk-a.example", 8443), trusting(site.ca_file))
    began = monotonic()
    try:
        with pytest.raises(NotAnswered):
            line.ask("POST", PATH, HEADERS, b"{}", 0.4)
        assert monotonic() - began < 10
    finally:
        ended.set()


def test_a_name_of_several_addresses_is_had_at_whichever_answers(
    site: Site, listen: Listen, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = Address.of(listen(Heard())).port
    monkeypatch.setattr(line_module, "by_system", lambda *_: ("127.9.9.9", "127.0.0.1"))
    line = Line(Address("127.0.0.1", port), trusting(site.ca_file))
    with closing(line):
        assert line.ask("POST", PATH, HEADERS, b"{}", 5.0).body == b"{}"


def test_a_handshake_that_drips_is_cut_off(site: Site) -> None:
    with bad_servers.server(bad_servers.dribble(b"\x16\x03\x03")) as port:
        line = Line(Address("127.0.0.1", port), trusting(site.ca_file))
        with pytest.raises(NotAnswered):
            line.ask("POST", PATH, HEADERS, b"{}", 0.4)


def test_a_connection_is_kept(site: Site, listen: Listen) -> None:
    peers = set()

    def answer(line: socket.socket, ended: threading.Event) -> None:
        while _request(line):
            peers.add(line.getpeername())
            line.sendall(WHOLE)

    with Asking(site, listen(answer)) as lines:
        assert [ask(lines) for _ in range(3)] == [b"{}"] * 3
    assert len(peers) == 1


def test_a_connection_that_was_left_is_opened_again(site: Site, listen: Listen) -> None:
    heard = Heard()

    def once(line: socket.socket, ended: threading.Event) -> None:
        heard.requests.append(_request(line))
        line.sendall(WHOLE)

    with Asking(site, listen(once)) as lines:
        assert [ask(lines) for _ in range(3)] == [b"{}"] * 3
    assert len(heard.requests) == 3


# --- who it is -----------------------------------------------------------------------

WISHES = {
    "expired": Wish(addresses=("127.0.0.1",), begins=-9, ends=-1),
    "not valid yet": Wish(addresses=("127.0.0.1",), begins=1, ends=9),
    "of another name": Wish(names=("elsewhere.example",)),
}


def shown(folder: Path, site: Site, wish: Wish, *, ours: bool = True) -> Handler:
    """Answer behind a certificate of that kind; the words heard are none."""
    folder.mkdir(exist_ok=True)
    write_pair(folder, issue(wish, site.authority if ours else None), "cert")
    (folder / "cert.key").rename(folder / "key.pem")
    return bad_servers.behind_tls(folder, Heard())


@pytest.mark.parametrize("how", WISHES)
def test_a_certificate_that_does_not_fit_is_refused(
    site: Site, tmp_path: Path, how: str
) -> None:
    handle = shown(tmp_path, site, WISHES[how])
    with bad_servers.server(handle) as port:
        address = f"https://127.0.0.1:{port}"
        with Asking(site, address) as lines, pytest.raises(AuthorityNotTrusted) as why:
            ask(lines, within=3600.0)  # it is not asked again
    assert why.value.data == {"address": f"127.0.0.1:{port}"}


def test_another_issuer_is_refused_whom_this_machine_may_believe(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wish = Wish(addresses=("127.0.0.1",))
    handle = shown(tmp_path, site, wish, ours=False)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cert.pem"))
    with bad_servers.server(handle) as port:
        line = Line(Address("127.0.0.1", port), trusting(site.ca_file))
        with closing(line), pytest.raises(LineNotTrusted):
            line.ask("POST", PATH, HEADERS, b"{}", 5.0)


def test_an_older_tls_is_refused(site: Site) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(site.folder / "cert.pem", site.folder / "key.pem")
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    heard = Heard()

    def older(line: socket.socket, ended: threading.Event) -> None:
        with context.wrap_socket(line, server_side=True) as inner:
            heard(inner, ended)

    with bad_servers.server(older) as port:
        line = Line(Address("127.0.0.1", port), trusting(site.ca_file))
        with pytest.raises(NotAnswered):
            line.ask("POST", PATH, HEADERS, b"{}", 5.0)
    assert heard.requests == []


def test_the_next_certificate_of_the_same_issuer_is_believed(
    site: Site, tmp_path: Path
) -> None:
    handle = shown(tmp_path, site, Wish(addresses=("127.0.0.1",)))
    with (
        bad_servers.server(handle) as port,
        Asking(site, f"https://127.0.0.1:{port}") as lines,
    ):
        assert ask(lines) == b"{}"


def test_a_certificate_that_changes_under_a_running_station_is_judged_anew(
    site: Site, tmp_path: Path
) -> None:
    """At each connection: our next one is believed, another's and an old one not."""
    now: list[Handler] = []
    heard: dict[str, Heard] = {}

    def changes_to(name: str, wish: Wish, *, ours: bool = True) -> None:
        folder = tmp_path / name
        folder.mkdir()
        write_pair(folder, issue(wish, site.authority if ours else None), "cert")
        (folder / "cert.key").rename(folder / "key.pem")
        heard[name] = Heard(WHOLE, b"")  # one answer to a connection, then it is left
        now[:] = [bad_servers.behind_tls(folder, heard[name])]

    def shows(line: socket.socket, ended: threading.Event) -> None:
        now[0](line, ended)

    fits = Wish(addresses=("127.0.0.1",))
    with (
        bad_servers.server(shows) as port,
        Asking(site, f"https://127.0.0.1:{port}") as lines,
    ):
        changes_to("first", fits)
        assert ask(lines) == b"{}"
        changes_to("next", fits)
        assert ask(lines) == b"{}", "the connection was kept, and left"
        assert len(heard["next"].requests) == 1
        for name, wish, is_ours in (
            ("another's", fits, False),
            ("expired", WISHES["expired"], True),
        ):
            changes_to(name, wish, ours=is_ours)
            with pytest.raises(AuthorityNotTrusted):
                ask(lines)
            assert heard[name].requests == [], "not a word was said to it"
        changes_to("mended", fits)
        assert ask(lines) == b"{}"


@pytest.mark.parametrize(
    "text", ["", "no certificate", "-----BEGIN CERTIFICATE-----\n"]
)
def test_a_file_without_an_issuer_is_named(tmp_path: Path, text: str) -> None:
    file = tmp_path / "ca.pem"
    file.write_text(text)
    with pytest.raises(CaFileUnusable) as why:
        trusting(file)
    assert why.value.data["file"] == str(file)


def test_an_issuer_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(CaFileUnusable):
        trusting(tmp_path / "none.pem")


# --- the next address -----------------------------------------------------------------


def test_the_next_address_is_asked_the_same_where_an_answer_was_lost(
    site: Site, listen: Listen
) -> None:
    """It may have been heard: the key makes it the same call."""
    lost, found = Heard(b""), Heard()
    with Asking(site, listen(lost), listen(found)) as lines:
        assert ask(lines) == b"{}"
    assert len(lost.requests) == len(found.requests) == 1
    for request in (*lost.requests, *found.requests):
        assert b"idempotency-key: k1" in request
    assert lost.requests != found.requests, "each is signed for its own address"


@pytest.mark.parametrize("status", [502, 503, 504])
def test_the_next_address_is_asked_where_one_says_not_now(
    site: Site, listen: Listen, status: int
) -> None:
    words = b"HTTP/1.1 %d Not now\r\ncontent-length: 0\r\n\r\n" % status
    with Asking(site, listen(Heard(words)), listen(Heard())) as lines:
        assert ask(lines) == b"{}"


def test_an_address_that_answers_is_asked_first_from_then_on(
    site: Site, listen: Listen
) -> None:
    first, second = Heard(b""), Heard()
    with Asking(site, listen(first), listen(second)) as lines:
        ask(lines)
        ask(lines)
    assert (len(first.requests), len(second.requests)) == (1, 2)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 500])
def test_a_no_is_an_answer(site: Site, listen: Listen, status: int) -> None:
    words = b"HTTP/1.1 %d No\r\ncontent-length: 0\r\n\r\n" % status
    other = Heard()
    with Asking(site, listen(Heard(words)), listen(other)) as lines:
        assert lines.ask(PATH, HEADERS, b"{}").status == status
    assert other.requests == []


def test_one_address_is_asked_again_until_it_is_there(
    site: Site, listen: Listen
) -> None:
    heard = Heard(ENDING, ENDING)
    with Asking(site, listen(heard)) as lines:
        assert ask(lines) == b"{}"
    assert len(heard.requests) == 3


def test_nobody_is_there(site: Site) -> None:
    closed = f"https://127.0.0.1:{bad_servers.closed_port()}"
    with Asking(site, closed, closed) as lines, pytest.raises(AuthorityAway):
        ask(lines, within=0.3)


def test_an_address_that_takes_nobody_holds_the_call_no_longer_than_it_has(
    site: Site, listen: Listen
) -> None:
    with bad_servers.black_hole() as port:
        first = f"https://127.0.0.1:{port}"
        with Asking(site, first, listen(Heard())) as lines:
            assert ask(lines, seconds=1.0) == b"{}"


def test_not_now_is_the_answer_where_there_is_no_better_one(
    site: Site, listen: Listen
) -> None:
    with Asking(site, listen(Heard(*[ENDING] * 50))) as lines:
        assert lines.ask(PATH, HEADERS, b"{}", within=1.0).status == 503


def test_one_that_is_not_trusted_does_not_stand_before_one_that_is(
    site: Site, listen: Listen, tmp_path: Path
) -> None:
    handle = shown(tmp_path, site, WISHES["expired"])
    with (
        bad_servers.server(handle) as port,
        Asking(site, f"https://127.0.0.1:{port}", listen(Heard())) as lines,
    ):
        assert ask(lines) == b"{}"


@pytest.mark.parametrize(
    ("url", "authority"),
    [
        ("https://kiosk.example", "kiosk.example"),
        ("https://kiosk.example:443", "kiosk.example"),
        ("https://kiosk.example:8443", "kiosk.example:8443"),
        ("https://[::1]:8443", "[::1]:8443"),
    ],
)
def test_what_a_request_is_signed_for(url: str, authority: str) -> None:
    assert Address.of(url).authority == authority

"""A TLS connection that one thread reads while another one writes."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
from lab.servers.served import Site, write_pair
from lab.servers.tls_servers import Wish, issue

from kiosk.authority.client.line import trusting
from kiosk.core.shared_tls_socket import SharedTlsSocket

PIECE = bytes(range(256)) * 64
PIECES = 200


class Watched:
    """The connection of OpenSSL: notes whether two threads were in it at once."""

    def __init__(self, real: Any) -> None:
        self._real = real
        self._inside = threading.Lock()
        self.at_once = 0

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._real, name)
        if name not in ("read", "write"):
            return found

        def watched(*given: object) -> object:
            if not self._inside.acquire(blocking=False):
                self.at_once += 1
                return found(*given)
            try:
                time.sleep(0)  # let the other one come
                return found(*given)
            finally:
                self._inside.release()

        return watched


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    made = Site.founded(tmp_path_factory.mktemp("site"))
    write_pair(made.folder, issue(Wish(addresses=("127.0.0.1",)), made.authority), "it")
    return made


class Peer:
    """The other side: sends pieces and sends back what it gets, or nothing."""

    def __init__(self, folder: Path, *, is_silent: bool = False) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(folder / "it.pem", folder / "it.key")
        self._is_silent = is_silent
        self.heard = 0
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        with suppress(OSError):
            plain = self._listener.accept()[0]
            with self._context.wrap_socket(plain, server_side=True) as line:
                for _ in range(PIECES):
                    if not self._is_silent:
                        line.sendall(PIECE)
                    self.heard += len(self._exactly(line))
                line.recv(1)

    def _exactly(self, line: ssl.SSLSocket) -> bytes:
        found = b""
        while len(found) < len(PIECE) and (part := line.recv(len(PIECE) - len(found))):
            found += part
        return found

    def close(self) -> None:
        self._listener.close()


def connected(site: Site, port: int) -> SharedTlsSocket:
    context = trusting(site.ca_file)
    context.sslsocket_class = SharedTlsSocket
    plain = socket.create_connection(("127.0.0.1", port), timeout=10)
    line = context.wrap_socket(plain, server_hostname="127.0.0.1")
    assert isinstance(line, SharedTlsSocket)
    line.settimeout(None)
    return line


@pytest.fixture
def silent(site: Site) -> Iterator[SharedTlsSocket]:
    with closing(Peer(site.folder, is_silent=True)) as peer:
        line = connected(site, peer.port)
        yield line
        line.close()


def test_two_threads_are_never_in_the_connection_at_once(site: Site) -> None:
    with closing(Peer(site.folder)) as peer:
        line = connected(site, peer.port)
        inside: Any = line  # what OpenSSL is asked through
        inside._sslobj = watched = Watched(inside._sslobj)
        heard = bytearray()

        def read() -> None:
            while len(heard) < PIECES * len(PIECE) and (part := line.recv(65536)):
                heard.extend(part)

        reader = threading.Thread(target=read)
        reader.start()
        for _ in range(PIECES):
            line.sendall(PIECE)
        reader.join(30)
        line.close()
    assert bytes(heard) == PIECE * PIECES
    assert peer.heard == PIECES * len(PIECE)
    assert watched.at_once == 0


def test_who_waits_for_an_answer_keeps_nobody_from_writing(
    silent: SharedTlsSocket,
) -> None:
    def wait() -> None:
        with suppress(OSError, ValueError):
            silent.recv(1)

    waiting = threading.Thread(target=wait, daemon=True)
    waiting.start()
    silent.settimeout(5)
    for _ in range(3):
        silent.sendall(PIECE)
    assert waiting.is_alive()
    silent.close()
    waiting.join(5)
    assert not waiting.is_alive(), "whoever waits is woken when it is closed"


def test_waiting_has_its_time(silent: SharedTlsSocket) -> None:
    silent.settimeout(0.05)
    with pytest.raises(TimeoutError):
        silent.recv(1)


def test_a_connection_that_was_closed_says_so(silent: SharedTlsSocket) -> None:
    silent.close()
    with pytest.raises(OSError):  # noqa: PT011 - of any kind
        silent.sendall(PIECE)

"""Servers that answer wrongly, late or never: what a network can put in our way.

Each is one listener on a loopback address that ends with its `with` block.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

Handler = Callable[[socket.socket, threading.Event], None]

# An LDAP message (RFC 4511) that begins and does not end: 120 bytes are announced.
BEGUN_MESSAGE = bytes((0x30, 0x78, 0x02, 0x01))
_PACE = 0.1


@contextmanager
def server(handle: Handler, address: str = "127.0.0.1") -> Iterator[int]:
    """Listen; `handle` each connection on a thread of its own. Yields the port."""
    ended = threading.Event()
    with socket.create_server((address, 0)) as listener:
        thread = threading.Thread(target=_accept, args=(listener, handle, ended))
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            ended.set()
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(10)


def _accept(listener: socket.socket, handle: Handler, ended: threading.Event) -> None:
    served = []
    with contextlib.suppress(OSError):  # the listener was shut down
        while True:
            line, _ = listener.accept()
            thread = threading.Thread(target=_serve, args=(line, handle, ended))
            thread.start()
            served.append((thread, line))
    for thread, line in served:
        with contextlib.suppress(OSError):  # it has ended already
            line.shutdown(socket.SHUT_RDWR)  # a client that stays says nothing more
        thread.join(10)


def _serve(line: socket.socket, handle: Handler, ended: threading.Event) -> None:
    with line, contextlib.suppress(OSError):  # the client may go whenever it likes
        handle(line, ended)


# --- what a server can do ----------------------------------------------------


def stay_silent(line: socket.socket, ended: threading.Event) -> None:
    """Accept, and never say anything."""
    ended.wait()


def hang_up(line: socket.socket, ended: threading.Event) -> None:
    """Hear the first words and close."""
    line.recv(4096)


def say(words: bytes) -> Handler:
    """Say something as soon as the client has spoken, then stay."""

    def handle(line: socket.socket, ended: threading.Event) -> None:
        line.recv(4096)
        line.sendall(words)
        ended.wait()

    return handle


def dribble(words: bytes) -> Handler:
    """Say `words` when spoken to, and then a byte now and then, for ever."""

    def handle(line: socket.socket, ended: threading.Event) -> None:
        line.recv(4096)
        line.sendall(words)
        while not ended.wait(_PACE):
            line.sendall(b"\x00")

    return handle


def behind_tls(folder: Path, handle: Handler) -> Handler:
    """Do as `handle` behind TLS, with the `cert.pem` and `key.pem` of a folder."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")

    def protected(line: socket.socket, ended: threading.Event) -> None:
        with context.wrap_socket(line, server_side=True) as inner:
            handle(inner, ended)

    return protected


def relay(address: str, port: int) -> Handler:
    """Pass everything on to another server and back."""

    def handle(line: socket.socket, ended: threading.Event) -> None:
        with socket.create_connection((address, port)) as far:
            back = threading.Thread(target=_pump, args=(far, line))
            back.start()
            _pump(line, far)
            back.join(10)

    return handle


def _pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):  # either end may close first
        while data := source.recv(65536):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)


# --- ports without a server --------------------------------------------------


@contextmanager
def black_hole() -> Iterator[int]:
    """A port whose queue is full, so that further connections are never answered."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        listener.listen(0)
        while True:
            waiting = stack.enter_context(socket.socket())
            waiting.settimeout(0.5)
            try:
                waiting.connect(listener.getsockname())
            except TimeoutError:
                break
        yield listener.getsockname()[1]


def closed_port() -> int:
    """Return a port where nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port

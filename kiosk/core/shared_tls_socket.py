"""A TLS socket that one thread reads while another one writes: in turn.

OpenSSL knows one thread at a time for a connection. Where the reading thread takes in
what a server sends after its handshake while another thread writes, the connection
breaks ("internal error"). So what would wait, waits without the connection.
"""

from __future__ import annotations

import select
import socket
import ssl
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

T = TypeVar("T")
_CLOSED = 9
"""EBADF."""


class SharedTlsSocket(ssl.SSLSocket):
    """What an `SSLContext` makes whose `sslsocket_class` it is.

    Once its handshake is done `recv` and `sendall` may be called on two threads at
    once; nothing else is to be used of it but the time limit, `shutdown` and `close`.
    """

    _turn: threading.Lock | None = None
    """Held by who is inside; None: the handshake is not done."""
    _seconds: float | None = None

    def do_handshake(self, block: bool = False) -> None:  # noqa: FBT001, FBT002 - as ssl has it
        super().do_handshake(block)
        self._seconds = self.gettimeout()
        super().settimeout(0.0)
        self._turn = threading.Lock()

    def settimeout(self, value: float | None) -> None:
        """For each `recv`, and for each `sendall` as a whole."""
        if self._turn is None:
            super().settimeout(value)
        else:
            self._seconds = value

    def recv(self, buflen: int = 1024, flags: int = 0) -> bytes:
        return self._in_turn(lambda: super(SharedTlsSocket, self).recv(buflen, flags))

    def sendall(self, data: Any, flags: int = 0) -> None:  # Any: whatever is bytes
        with memoryview(data) as view, view.cast("B") as left:
            sent = 0
            while sent < len(left):
                part = left[sent:]
                sent += self._in_turn(
                    lambda part=part: super(SharedTlsSocket, self).send(part, flags)  # type: ignore[misc]  # mypy cannot infer a lambda's default
                )

    def shutdown(self, how: int) -> None:
        """End it under the other thread: what was under way there ends by itself."""
        socket.socket.shutdown(self, how)

    def close(self) -> None:
        """Close it, and wake whoever waits for it."""
        with suppress(OSError):
            socket.socket.shutdown(self, socket.SHUT_RDWR)
        super().close()

    # --- inside -----------------------------------------------------------------

    def _in_turn(self, step: Callable[[], T]) -> T:
        """Do a step, as soon as it need not wait. OSError, TimeoutError."""
        turn, seconds = self._turn, self._seconds
        if turn is None:
            return step()
        until = None if seconds is None else time.monotonic() + seconds
        while True:
            with turn:
                try:
                    return step()
                except ssl.SSLWantReadError:
                    event = select.POLLIN
                except ssl.SSLWantWriteError:
                    event = select.POLLOUT
            self._wait(event, until)

    def _wait(self, event: int, until: float | None) -> None:
        left = None if until is None else 1000 * (until - time.monotonic())
        waiting = select.poll()
        try:
            waiting.register(self, event)
        except ValueError:
            raise OSError(_CLOSED, "it was closed") from None
        if (
            not waiting.poll(None if left is None else max(left, 0))
            and left is not None
        ):
            raise TimeoutError

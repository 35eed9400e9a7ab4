"""A line to a server on which, for a while, no answer comes back.

    with OneWay.to("127.3.4.5", 636) as line:
        ...                        # connect to line.address, ask, be answered
        with line.unanswered():
            ...                    # what is asked arrives, and nothing is heard of it

The server knows nothing of it: it neither stands still nor sees a client give up
before the block ends. (Samba 4.22 and later drop the request of a client
that has gone; earlier ones carry it out.)
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from lab.servers.bad_servers import server

_CHUNK = 16 * 1024


class OneWay:
    """The line. Whole until told otherwise."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._whole = threading.Event()
        self._whole.set()
        self.address = ""
        """Where to connect, as `host:port`; the server's own host."""

    @classmethod
    @contextmanager
    def to(cls, host: str, port: int) -> Iterator[OneWay]:
        """Carry what comes to `address` to that server, until the block ends."""
        line = cls(host, port)
        with server(line._carry, host) as own:
            line.address = f"{host}:{own}"
            yield line

    @contextmanager
    def unanswered(self) -> Iterator[None]:
        """Let nothing come back meanwhile; what is lost stays lost."""
        self._whole.clear()
        try:
            yield
        finally:
            self._whole.set()

    def _carry(self, client: socket.socket, ended: threading.Event) -> None:
        with socket.create_connection(self._target) as beyond:
            back = threading.Thread(target=self._back, args=(beyond, client))
            back.start()
            try:
                while asked := client.recv(_CHUNK):
                    beyond.sendall(asked)
            finally:
                ended.wait()
                with contextlib.suppress(OSError):  # the server was faster
                    beyond.shutdown(socket.SHUT_RDWR)
                back.join()

    def _back(self, beyond: socket.socket, client: socket.socket) -> None:
        with contextlib.suppress(OSError):  # either may go whenever it likes
            while said := beyond.recv(_CHUNK):
                if self._whole.is_set():
                    client.sendall(said)
        with contextlib.suppress(OSError):
            client.shutdown(socket.SHUT_RDWR)

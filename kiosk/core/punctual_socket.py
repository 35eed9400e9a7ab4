"""A TLS socket with an end for a whole call, whatever the other side sends.

A time limit of a socket is one for each read: a server that sends a byte a second holds
a call for ever. Here every read and write ends by one moment.
"""

from __future__ import annotations

import ssl
import time


class PunctualSocket(ssl.SSLSocket):
    """What an `SSLContext` makes whose `sslsocket_class` it is. One thread."""

    deadline: float | None = None

    def hurry(self, seconds: float) -> None:
        """From now on, end what is read and written in `seconds`. TimeoutError."""
        self.deadline = time.monotonic() + seconds
        self._limit()

    def recv_into(
        self, buffer: object, nbytes: int | None = None, flags: int = 0
    ) -> int:
        self._limit()
        return super().recv_into(buffer, nbytes, flags)  # type: ignore[arg-type]  # whatever http.client reads into

    def send(self, data: object, flags: int = 0) -> int:
        self._limit()
        return super().send(data, flags)  # type: ignore[arg-type]  # whatever is sent

    def _limit(self) -> None:
        if self.deadline is None:
            return
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self.settimeout(left)

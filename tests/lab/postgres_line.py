"""A line to a PostgreSQL server that can be cut: before a COMMIT arrives, or after."""

from __future__ import annotations

import select
import socket
import threading
from contextlib import suppress
from pathlib import Path


class Line:
    """Passes on what comes to its own socket. Ends with `close`.

    `cut_before`, `cut_after`: what holds these bytes is not passed on, and the line is
    cut; or it is, and the line is cut when the answer is there. Each works once.
    """

    def __init__(self, server: Path, own: Path) -> None:
        self._server = server
        self.cut_before = b""
        self.cut_after = b""
        self.connections = 0
        self._listening = socket.socket(socket.AF_UNIX)
        self._listening.bind(str(own))
        self._listening.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listening.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(near,), daemon=True).start()

    def _serve(self, near: socket.socket) -> None:
        with near, socket.socket(socket.AF_UNIX) as far:
            far.connect(str(self._server))
            try:
                while self._pass_on(near, far):
                    pass
            except OSError:
                return

    def _pass_on(self, near: socket.socket, far: socket.socket) -> bool:
        """Pass on what comes next, either way; say whether the line still stands."""
        for ready in select.select([near, far], [], [])[0]:
            data = ready.recv(65536)
            if ready is near and self.cut_before and self.cut_before in data:
                self.cut_before = b""
                return False
            if not data:
                return False
            (far if ready is near else near).sendall(data)
            if ready is near and self.cut_after and self.cut_after in data:
                self.cut_after = b""
                far.recv(65536)
                return False
        return True

    def close(self) -> None:
        with suppress(OSError):  # it was cut already
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

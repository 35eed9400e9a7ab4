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
    cut; or it is, and the line is cut when the answer is there. Each works once, after
    `spared` that were let pass; if it `stays_cut`, nobody gets through until `mended`.
    `swallowed`: what holds these bytes is not passed on, and the line stands.
    """

    def __init__(self, server: Path, own: Path) -> None:
        self._server = server
        self.cut_before = b""
        self.cut_after = b""
        self.swallowed = b""
        self.connections = 0
        self.commits = 0
        self.spared = 0
        self.stays_cut = False
        self.lag = 0.0
        """Seconds that each answer takes on its way."""
        self._is_cut = False
        self._never = threading.Event()
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
            if self._is_cut:
                near.close()
                continue
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
            is_commit = ready is near and b"COMMIT" in data
            self.commits += is_commit
            if ready is near and self._is_due(self.cut_before, data):
                self._cut()
                return False
            if not data:
                return False
            if ready is near and self.swallowed and self.swallowed in data:
                continue
            if ready is far and self.lag:
                self._never.wait(self.lag)
            (far if ready is near else near).sendall(data)
            if ready is near and self._is_due(self.cut_after, data):
                self._cut()
                far.recv(65536)
                return False
        return True

    def _is_due(self, wanted: bytes, data: bytes) -> bool:
        if not wanted or wanted not in data:
            return False
        self.spared -= 1
        return self.spared < 0

    def _cut(self) -> None:
        self.cut_before = self.cut_after = b""
        self._is_cut = self.stays_cut

    def mended(self) -> None:
        """Let everybody through again, and cut nothing more."""
        self.cut_before = self.cut_after = b""
        self._is_cut = False

    def close(self) -> None:
        with suppress(OSError):  # it was cut already
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

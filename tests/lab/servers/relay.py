"""A line between two programs of one host that can be unplugged, without any privilege.

Unplugged, what was connected stays so and hears nothing, as behind a pulled cable; and
whoever connects waits. Plugged in again, what was on its way arrives.
"""

from __future__ import annotations

import select
import socket
import threading
import time
from contextlib import suppress


class Relay:
    """Listens on a port of its own and passes on to another. Ends with `close`."""

    def __init__(self, target: int) -> None:
        self.target = target
        self._plugged = threading.Event()
        self._plugged.set()
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=100)
        self.port = int(self._listening.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def unplug(self) -> None:
        self._plugged.clear()

    def plug(self) -> None:
        self._plugged.set()

    def close(self) -> None:
        self._plugged.set()
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(near,), daemon=True).start()

    def _serve(self, near: socket.socket) -> None:
        with near, socket.socket() as far:
            try:
                self._plugged.wait()
                far.connect(("127.0.0.1", self.target))
                while True:
                    ready = select.select([near, far], [], [], 0.2)[0]
                    if not self._plugged.is_set():
                        self._plugged.wait()
                        continue
                    for each in ready:
                        data = each.recv(65536)
                        if not data:
                            return
                        (far if each is near else near).sendall(data)
            except OSError:
                return


def listens(port: int, seconds: float) -> bool:
    """Wait until somebody listens there; say whether somebody does."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return True
        time.sleep(0.05)
    return False

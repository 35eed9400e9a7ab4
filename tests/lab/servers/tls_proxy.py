"""A proxy that ends the TLS of stations and opens its own to the authority.

It keeps what it sees: everything that is not sealed besides.
"""

from __future__ import annotations

import socket
import ssl
import threading
from contextlib import suppress
from pathlib import Path

from lab.servers.served import write_pair
from lab.servers.tls_servers import Wish, issue


class TlsProxy:
    """Listens on a port of its own, with a certificate of an issuer of its own."""

    def __init__(self, folder: Path, target: int, trusted: Path) -> None:
        """`target`: the authority's port; `trusted`: who has issued its certificate."""
        issuer = issue(Wish(common_name="the proxy's own", is_authority=True))
        self.ca_file = folder / "proxy-ca.pem"
        self.ca_file.write_bytes(issuer.pem)
        shown = issue(Wish(addresses=("127.0.0.1",)), issuer)
        self._near = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._near.load_cert_chain(*write_pair(folder, shown, "proxy"))
        self._far = ssl.create_default_context(cafile=str(trusted))
        self._target = target
        self.seen = bytearray()
        """Both ways, as it was before TLS."""
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=100)
        self.port = int(self._listening.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
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

    def _serve(self, plain: socket.socket) -> None:
        with suppress(OSError), self._near.wrap_socket(plain, server_side=True) as near:
            far = self._far.wrap_socket(
                socket.create_connection(("127.0.0.1", self._target)),
                server_hostname="127.0.0.1",
            )
            with far:
                back = threading.Thread(target=self._pass, args=(far, near))
                back.start()
                self._pass(near, far)
                back.join()

    def _pass(self, source: ssl.SSLSocket, sink: ssl.SSLSocket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                self.seen += data
                sink.sendall(data)
        for each in (source, sink):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

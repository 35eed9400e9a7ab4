"""Where figures are read: a Unix socket, or a loopback port. Nowhere else.

HTTP/1.0 without TLS and without a sign-in: so a port of another address is refused. A
site that reads from afar has a reader on this machine (an agent, or a proxy with TLS).
"""

from __future__ import annotations

import ipaddress
import os
import socket
import stat
import threading
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

from kiosk.core.errors import KioskError, reason_of
from kiosk.figures.prometheus import CONTENT_TYPE

PATH = "/metrics"
_SECONDS = 5.0
_UNIX = "unix:"


class FiguresNotListening(KioskError):
    """Figures cannot be read there: `place`, `reason`."""

    code = "config.figures_not_listening"


class FiguresInPublic(KioskError):
    """That address is none of this machine alone: `place`."""

    code = "config.figures_in_public"


class FiguresListener:
    """Answers whoever may reach the place, on a thread of its own."""

    def __init__(self, place: str, text: Callable[[], bytes]) -> None:
        """Listen. `place`: `unix:/run/…/metrics` or a loopback `ADDRESS:PORT`.

        FiguresNotListening, FiguresInPublic.
        """
        self._file = Path(place.removeprefix(_UNIX)) if _is_unix(place) else None
        try:
            self._server = _server(place, self._file, text)
        except OSError as error:
            reason = reason_of(error)
            raise FiguresNotListening(place=place, reason=reason) from error
        except (ValueError, OverflowError) as error:
            raise FiguresNotListening(place=place, reason="no address") from error
        self._made = None if self._file is None else _inode_of(self._file)
        self._thread = threading.Thread(
            target=self._server.serve_forever, name="figures", daemon=True
        )
        self._thread.start()

    @property
    def port(self) -> int:
        """Where it listens; 0: it is a Unix socket."""
        return 0 if self._file else int(self._server.server_address[1])

    def close(self) -> None:
        """Stop, and take the socket's file away."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(2.0)
        if self._file is not None and _inode_of(self._file) == self._made:
            self._file.unlink(missing_ok=True)


def _inode_of(file: Path) -> int:
    """Tell a file from another one in its place; 0: there is none."""
    try:
        return file.lstat().st_ino
    except OSError:
        return 0


def _is_unix(place: str) -> bool:
    return place.startswith(_UNIX)


def _server(place: str, file: Path | None, text: Callable[[], bytes]) -> HTTPServer:
    class FiguresAnswers(BaseHTTPRequestHandler):
        timeout = _SECONDS

        def do_GET(self) -> None:
            if self.path != PATH:
                self.send_error(404)
                return
            said = text()
            self.send_response(200)
            self.send_header("content-type", CONTENT_TYPE)
            self.send_header("content-length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_: object) -> None:
            """Whoever reads figures every few seconds is no event."""

        def version_string(self) -> str:
            return "pin-kiosk"

    if file is not None:
        return _on_file(file, FiguresAnswers)
    host, _, port = place.rpartition(":")
    host = host.strip("[]")
    if not ipaddress.ip_address(host).is_loopback:
        raise FiguresInPublic(place=place)
    return (_Six if ":" in host else _FiguresServer)((host, int(port)), FiguresAnswers)


class _FiguresServer(HTTPServer):
    """A reader that hangs is waited for in seconds, one that breaks off is no error."""

    def handle_error(self, *_: object) -> None:
        pass

    def server_bind(self) -> None:
        """Bind without asking DNS who this machine is."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = "localhost", 0


class _Six(_FiguresServer):
    address_family = socket.AF_INET6


class _OnFile(_FiguresServer):
    address_family = socket.AF_UNIX

    def get_request(self) -> tuple[socket.socket, tuple[str, int]]:
        connection, _ = self.socket.accept()
        return connection, ("", 0)


def _is_heard(file: Path) -> bool:
    """Say whether a process listens there."""
    with socket.socket(socket.AF_UNIX) as asking:
        asking.settimeout(_SECONDS)
        try:
            asking.connect(str(file))
        except ConnectionRefusedError:
            return False
    return True


def _on_file(file: Path, answers: type[BaseHTTPRequestHandler]) -> HTTPServer:
    """Listen at a file that its owner and group may use."""
    with suppress(FileNotFoundError):
        if stat.S_ISSOCK(file.lstat().st_mode) and not _is_heard(file):
            file.unlink()  # of a process that ended without taking it away
    before = os.umask(0o117)
    try:
        return _OnFile(str(file), answers)  # type: ignore[arg-type]  # a path, for this family
    finally:
        os.umask(before)

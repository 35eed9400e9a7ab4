"""A desk's line from the station: a WebSocket over TLS 1.3, opened with a signed GET.

The handshake signs for the key to which the session's frames are sealed, so a handshake
that somebody repeats opens a session that they cannot read a word of. A thread of the
library hears the line and says at once that it is lost.
"""

from __future__ import annotations

import logging
import queue
import ssl
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.sync.client import ClientConnection, connect

from kiosk.authority.client.line import Address, trusting
from kiosk.authority.client.lines import Sign
from kiosk.authority.errors import AuthorityAway, AuthorityNotTrusted
from kiosk.authority.stations.request import HttpRequest
from kiosk.core.entropy import Entropy
from kiosk.core.frame_line import LARGEST_FRAME, FrameLine, LineCut
from kiosk.core.shared_tls_socket import SharedTlsSocket

PATH = "/v1/desk"
CONNECT_SECONDS = 5.0
_PING_SECONDS = 10.0
"""Between pings, and how long one may go unanswered."""
_KEY_BYTES = 16

_UNHEARD = logging.getLogger(f"{__name__}.library")
"""What the library says of a line that dies is said here, in one line of ours."""
_UNHEARD.addHandler(logging.NullHandler())
_UNHEARD.setLevel(logging.CRITICAL)
_UNHEARD.propagate = False

log = logging.getLogger(__name__)


class DeskLines:
    """Opens lines to whichever address of the authority answers. One thread."""

    def __init__(
        self, addresses: Sequence[str], ca_file: Path, sign: Sign, entropy: Entropy
    ) -> None:
        """CaFileUnusable."""
        self._addresses = tuple(map(Address.of, addresses))
        self._context = trusting(ca_file)
        self._context.sslsocket_class = SharedTlsSocket  # the library's thread reads
        self._sign = sign
        self._entropy = entropy

    def opened(self, public: bytes, lost: Callable[[], None]) -> FrameLine:
        """Open a line for the session with that sealing key (raw, X25519).

        `lost` is called on a thread of the line's when it is lost. AuthorityAway,
        AuthorityNotTrusted.
        """
        distrusted = ""
        for address in self._addresses:
            try:
                return DeskLine(*self._at(address, public), lost)
            except ssl.SSLCertVerificationError:
                distrusted = address.authority
                log.error("authority.not_trusted at=%s", distrusted)
            except (OSError, InvalidHandshake, EOFError, ValueError) as error:
                # ValueError: it cannot be a name, or it sends us somewhere else.
                why = type(error).__name__
                log.warning("authority.not_answered at=%s why=%s", address.host, why)
        if distrusted:
            raise AuthorityNotTrusted(address=distrusted)
        raise AuthorityAway

    def _at(
        self, address: Address, public: bytes
    ) -> tuple[ClientConnection, ExitStack]:
        query = f"key={public.hex()}"
        headers = {"idempotency-key": self._entropy.bytes(_KEY_BYTES).hex()}
        request = HttpRequest(
            method="GET",
            authority=address.authority.lower(),
            path=PATH,
            query=query,
            headers=headers,
            body=b"",
        )
        left = ExitStack()
        opened = left.enter_context(
            # To a socket of ours: so the name is looked up within the limit, and who
            # answers there cannot send a station on to somebody else.
            connect(
                f"wss://{address.authority}{PATH}?{query}",
                ssl=self._context,
                additional_headers={**headers, **self._sign(request)},
                sock=address.reached(CONNECT_SECONDS),  # the library closes it
                user_agent_header=None,
                compression=None,
                logger=_UNHEARD,
                proxy=None,
                open_timeout=CONNECT_SECONDS,
                ping_interval=_PING_SECONDS,
                ping_timeout=_PING_SECONDS,
                close_timeout=1.0,
                max_size=LARGEST_FRAME,
            )
        )
        return opened, left


class DeskLine:
    """`FrameLine` of the station."""

    def __init__(
        self, opened: ClientConnection, left: ExitStack, lost: Callable[[], None]
    ) -> None:
        """`left` closes it."""
        self._opened, self._left = opened, left
        self._lost = lost
        self._heard: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        threading.Thread(target=self._hear, name="desk-line", daemon=True).start()

    def send(self, frame: bytes) -> None:
        try:
            self._opened.send(frame)
        except (ConnectionClosed, OSError):
            raise LineCut from None

    def receive(self, seconds: float) -> bytes:
        try:
            frame = self._heard.get(timeout=seconds)
        except queue.Empty:
            frame = None
        if frame is None:
            self._heard.put(None)
            raise LineCut
        return frame

    def close(self) -> None:
        threading.Thread(target=self._left.close, daemon=True).start()

    def _hear(self) -> None:
        """A thread of its own: what comes is kept until somebody asks for it."""
        try:
            while True:
                frame = self._opened.recv()
                if isinstance(frame, str):
                    break  # the authority sends bytes
                self._heard.put(frame)
        except ConnectionClosed:
            log.info("desk.line_closed")
        except OSError as error:
            log.info("desk.line_failed errno=%s", error.errno)
        self._heard.put(None)
        self._lost()

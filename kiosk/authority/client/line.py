"""One kept-alive connection to one address of the authority: HTTP/1.1 over TLS 1.3.

Everything that sockets, TLS and HTTP raise ends here: a request was answered, or it was
not, and then nobody knows whether it was heard.
"""

from __future__ import annotations

import http.client
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from urllib.parse import urlsplit

from kiosk.core.errors import KioskError, reason_of
from kiosk.core.name_lookup import by_system
from kiosk.core.punctual_socket import PunctualSocket
from kiosk.core.untrusted_text import visible

CONNECT_SECONDS = 2.0
LARGEST_ANSWER = 1 << 20
"""Bytes; no answer of the port comes near it."""


class NotAnswered(KioskError):
    """There was no answer; what was asked may have been heard. Stays in this room."""

    code = "authority.away"


class LineNotTrusted(NotAnswered):
    """The other side could not show who it is: `address`, `why`. Nothing was sent."""

    code = "authority.not_trusted"


class CaFileUnusable(KioskError):
    """No issuer can be read from a station's `ca_file`: `file`, `reason`."""

    code = "config.ca_file_unusable"


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What came back, whatever it is."""

    status: int
    kind: str
    """Its media type, without parameters."""
    body: bytes
    date: str
    """What the other side's clock says; empty: it does not."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where the authority is, as it is configured."""

    host: str
    port: int

    @classmethod
    def of(cls, url: str) -> Address:
        """Return the address of a configured `https://HOST[:PORT]`."""
        parts = urlsplit(url)
        return cls(parts.hostname or "", parts.port or 443)

    @property
    def authority(self) -> str:
        """Return what requests to it are signed for."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == 443 else f"{host}:{self.port}"

    def reached(self, limit: float) -> socket.socket:
        """Find where it is and connect, within that many seconds in all.

        OSError. UnicodeError: it cannot be a name.
        """
        until = monotonic() + limit
        trouble: OSError = TimeoutError()
        found = by_system(self.host, limit)
        for index, place in enumerate(found):
            left = max((until - monotonic()) / (len(found) - index), 0.01)
            try:
                return socket.create_connection((place, self.port), timeout=left)
            except OSError as error:
                trouble = error
        raise trouble


def trusting(ca_file: Path) -> ssl.SSLContext:
    """Return what believes the site's own issuer and nobody else. CaFileUnusable."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.sslsocket_class = PunctualSocket
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    try:
        context.load_verify_locations(cafile=ca_file)
    except ssl.SSLError as error:
        # No certificate is in it; what stands there is not repeated.
        raise CaFileUnusable(file=str(ca_file), reason="no certificate") from error
    except OSError as error:
        raise CaFileUnusable(file=str(ca_file), reason=reason_of(error)) from error
    return context


class Line:
    """A connection, opened when it is first needed. One thread."""

    def __init__(self, address: Address, context: ssl.SSLContext) -> None:
        self.address = address
        self._context = context
        self._open: http.client.HTTPConnection | None = None

    @property
    def is_open(self) -> bool:
        """Say whether it was used before: then the other side may have left it."""
        return self._open is not None

    def ask(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str],
        body: bytes,
        seconds: float,
    ) -> HttpAnswer:
        """Ask within `seconds` in all. NotAnswered, LineNotTrusted."""
        try:
            if self._open is None:
                seconds = self._connect(seconds)
            return self._asked(method, target, headers, body, seconds)
        except ssl.SSLCertVerificationError as error:
            self.close()
            why = visible(error.verify_message, 80)
            raise LineNotTrusted(address=self.address.authority, why=why) from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            # ValueError: a header that is no header, or a name that is no name.
            self.close()
            raise NotAnswered from error

    def close(self) -> None:
        """Let go of it; the next question opens another."""
        if self._open is not None:
            self._open.close()
            self._open = None

    # --- inside -----------------------------------------------------------------

    def _connect(self, seconds: float) -> float:
        """Connect and shake hands; return how many seconds are left."""
        until = monotonic() + seconds
        limit = min(CONNECT_SECONDS, max(seconds, 0.01))
        plain = self.address.reached(limit)
        try:
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            secured = self._context.wrap_socket(
                plain,
                server_hostname=self.address.host,
                do_handshake_on_connect=False,
            )
        except BaseException:
            plain.close()
            raise
        try:
            secured.settimeout(limit)  # for the handshake as a whole
            secured.do_handshake()
        except BaseException:
            secured.close()
            raise
        opened = http.client.HTTPConnection(self.address.host, self.address.port)
        opened.sock = secured
        self._open = opened
        return until - monotonic()

    def _asked(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str],
        body: bytes,
        seconds: float,
    ) -> HttpAnswer:
        opened = self._open
        if opened is None or not isinstance(opened.sock, PunctualSocket):
            raise TimeoutError
        opened.auto_open = 0  # a second connection would be one without TLS
        opened.sock.hurry(seconds)
        opened.request(method, target, body, {**headers, "host": self._host()})
        with opened.getresponse() as response:
            text = response.read(LARGEST_ANSWER + 1)
            if len(text) > LARGEST_ANSWER:
                raise http.client.HTTPException  # nobody reads the rest
            if response.length:  # of what it said would come: the line ended before
                raise http.client.IncompleteRead(b"", response.length)
            if response.will_close:
                self.close()
            return HttpAnswer(
                response.status,
                response.headers.get_content_type(),
                text,
                response.headers.get("date", ""),
            )

    def _host(self) -> str:
        return self.address.authority

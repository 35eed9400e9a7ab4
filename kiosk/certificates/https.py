"""One HTTPS request to a server that is verified, within bounds of time and size."""

from __future__ import annotations

import base64
import http.client
import ssl
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from kiosk.certificates.ports import (
    SourceMalformed,
    SourceNotTrusted,
    SourceSilent,
    SourceUnusable,
)
from kiosk.core.errors import reason_of
from kiosk.core.punctual_socket import PunctualSocket
from kiosk.core.secret import Secret
from kiosk.core.secret_file import read_secret

LARGEST = 256 * 1024
"""Bytes of an answer before a server is no longer listened to."""
_PART = 16 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpsSettings:
    """Where a server is, whom we believe, and who we are. Times in seconds."""

    url: str
    """`https://host` or `https://host:port`; a path is not used."""
    ca_file: Path | None
    """Who may have signed the server's certificate; None: whom the system trusts."""
    user: str = ""
    password_file: Path | None = None
    client_certificate: Path | None = None
    """With its chain (PEM)."""
    client_key: Path | None = None
    connect_timeout: float = 5.0
    receive_timeout: float = 15.0
    """For one whole answer, however slowly it comes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer."""

    status: int
    body: bytes
    content_type: str
    retry_after: str


class HttpsClient:
    """Asks one server. A connection lives for one request."""

    def __init__(self, settings: HttpsSettings) -> None:
        """Nothing is read or connected yet. SourceUnusable: this is no address."""
        self._settings = settings
        self._address = urlsplit(settings.url)
        try:
            self._port = self._address.port
        except ValueError as error:
            raise SourceUnusable(file=settings.url, reason=str(error)) from error
        self.name = self._address.netloc
        """Host and port, as errors name the server."""

    def get(self, path: str) -> Reply:
        """GET. SourceError, SecretFileError."""
        return self._ask("GET", path, None, {})

    def post(self, path: str, content_type: str, body: bytes) -> Reply:
        """POST, authenticated. SourceError, SecretFileError."""
        headers = {
            "Content-Type": content_type,
            "Content-Transfer-Encoding": "base64",
            **self._authorization(),
        }
        return self._ask("POST", path, body, headers)

    def _ask(
        self, method: str, path: str, body: bytes | None, headers: dict[str, str]
    ) -> Reply:
        told = self._settings
        host = self._address.hostname or ""
        connection = http.client.HTTPSConnection(
            host,
            self._port,
            timeout=told.connect_timeout,
            context=self._context(),
        )
        try:
            connection.connect()
            if isinstance(connection.sock, PunctualSocket):
                connection.sock.hurry(told.receive_timeout)
            connection.request(method, path, body, headers)
            with connection.getresponse() as response:
                return _read(response)
        except ssl.SSLCertVerificationError as error:
            raise SourceNotTrusted(source=self.name) from error
        except (OSError, UnicodeError) as error:  # the latter: no host is called so
            raise SourceSilent(source=self.name) from error
        except http.client.HTTPException as error:
            raise SourceMalformed from error
        finally:
            connection.close()

    def _context(self) -> ssl.SSLContext:
        """Return what verifies the server, and shows our own certificate."""
        told = self._settings
        file = told.ca_file
        try:
            context = ssl.create_default_context(cafile=file and str(file))
            context.minimum_version = ssl.TLSVersion.TLSv1_2
            context.sslsocket_class = PunctualSocket
            if told.client_certificate is not None and told.client_key is not None:
                file = told.client_key
                read_secret(file).wipe()  # refuses a key that others can read
                context.load_cert_chain(told.client_certificate, file, _no_password)
        except (OSError, ssl.SSLError) as error:
            reason = reason_of(error)
            raise SourceUnusable(file=str(file), reason=reason) from error
        return context

    def _authorization(self) -> dict[str, str]:
        told = self._settings
        if not told.user or told.password_file is None:
            return {}
        with read_secret(told.password_file) as password:
            pair = Secret(told.user.encode() + b":" + password.reveal())
        with pair:
            encoded = base64.b64encode(pair.reveal()).decode("ascii")
        return {"Authorization": f"Basic {encoded}"}


def _read(response: http.client.HTTPResponse) -> Reply:
    body = bytearray()
    while part := response.read(_PART):
        body += part
        if len(body) > LARGEST:
            raise SourceMalformed
    return Reply(
        status=response.status,
        body=bytes(body),
        content_type=response.headers.get("Content-Type", ""),
        retry_after=response.headers.get("Retry-After", ""),
    )


def _no_password() -> str:
    """Let an encrypted key be an error instead of a prompt on the terminal."""
    return ""

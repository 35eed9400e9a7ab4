"""A small EST server (RFC 7030) on loopback, with TLS, and with ways to misbehave.

with EstServer(folder) as server:
    server.behaves(Behaviour.SILENT)
    server.url, server.ca_file
"""

from __future__ import annotations

import base64
import datetime
import ipaddress
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    pkcs7,
)
from cryptography.x509.oid import NameOID

from kiosk.cards.values import KeySlot
from kiosk.certificates import card_certificates, profiles
from kiosk.certificates.local_ca import Issuer, new_issuer
from kiosk.certificates.ports import Applicant

USER, PASSWORD = "kiosk-ra", "horse battery"
PREFIX = "/.well-known/est"


class Behaviour(StrEnum):
    """How the server answers an enrollment."""

    GOOD = "good"
    REFUSES = "refuses"
    """400 with words."""
    FORBIDS = "forbids"
    SILENT = "silent"
    """Takes the request and never answers."""
    SLOW = "slow"
    """Sends one byte after the other, for ever."""
    GARBAGE = "garbage"
    NO_CMS = "no cms"
    """Base64 of something that is no CMS."""
    ENDLESS = "endless"
    HANGS_UP = "hangs up"
    NOT_HTTP = "not http"
    WRONG_KEY = "wrong key"
    WRONG_NAME = "wrong name"
    OTHER_CA = "other ca"
    """Signed by somebody else than /cacerts says."""
    ACCEPTED_FIRST = "202 first"
    """202 with the Retry-After of the server, then the certificate."""
    ALWAYS_ACCEPTED = "always 202"
    REDIRECTS = "redirects"


@dataclass
class Asked:
    """What came in."""

    method: str
    path: str
    authorization: str
    peer: str
    """Subject of the TLS client certificate."""
    body: bytes = b""


@dataclass
class EstServer:
    """The server, while it is entered."""

    folder: Path
    wants_client_certificate: bool = False
    retry_after: str = "1"
    asked: list[Asked] = field(default_factory=list)
    behaviour: Behaviour = Behaviour.GOOD

    def __post_init__(self) -> None:
        self.issuer = self._new_issuer("EST CA")
        self.other = self._new_issuer("Somebody else")
        self._tls = self._new_issuer("TLS CA")
        self.ca_file = self.folder / "tls-ca.pem"
        self.ca_file.write_bytes(self._tls.certificate.public_bytes(Encoding.PEM))
        self._stop = threading.Event()

    def behaves(self, behaviour: Behaviour) -> None:
        self.behaviour = behaviour
        self.asked.clear()

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self._server.server_address[1]}"

    def paths(self) -> list[str]:
        """Return what was asked, without what all have in common."""
        return [each.path.removeprefix(PREFIX) for each in self.asked]

    def client_files(self, name: str = "kiosk") -> tuple[Path, Path]:
        """Return certificate and key of a client that this server knows."""
        return self._leaf(name, x509.DNSName(name))

    # --- life -------------------------------------------------------------------

    def __enter__(self) -> Self:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        own = self._leaf("server", x509.IPAddress(ipaddress.ip_address("127.0.0.1")))
        context.load_cert_chain(*own)
        if self.wants_client_certificate:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(self.ca_file)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self._server.handle_error = lambda *_: None  # type: ignore[method-assign]  # clients hang up here on purpose
        self._server.socket = context.wrap_socket(
            self._server.socket, server_side=True, do_handshake_on_connect=False
        )
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), daemon=True
        )
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def wait(self, seconds: float) -> bool:
        """Pause an answer; False once the server ends."""
        return not self._stop.wait(seconds)

    # --- certificates -----------------------------------------------------------

    def _new_issuer(self, name: str) -> Issuer:
        certificate, pem = new_issuer(name, now=_now())
        key = load_pem_private_key(pem, password=None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        return Issuer(x509.load_pem_x509_certificate(certificate), key, 30)

    def _leaf(self, name: str, alternative: x509.GeneralName) -> tuple[Path, Path]:
        key = ec.generate_private_key(ec.SECP256R1())
        start = datetime.datetime.now(datetime.UTC) - datetime.timedelta(minutes=5)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(self._tls.certificate.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(start + datetime.timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName([alternative]), False)
            .add_extension(self._tls._identifier(), False)
            .sign(self._tls._key, hashes.SHA256())
        )
        files = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        files[0].write_bytes(certificate.public_bytes(Encoding.PEM))
        files[1].touch(0o600)
        files[1].write_bytes(
            key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        )
        return files

    def certified(self, csr: x509.CertificateSigningRequest) -> bytes:
        """Return the certs-only CMS for a request, as the server behaves."""
        key = csr.public_key()
        if self.behaviour is Behaviour.WRONG_KEY:
            key = ec.generate_private_key(ec.SECP256R1()).public_key()
        is_other = self.behaviour is Behaviour.OTHER_CA
        issuer = self.other if is_other else self.issuer
        der = issuer.certify(
            key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
            self._person(csr),
            _slot(csr),
            guid=bytes(range(16)),
            now=_now(),
        )
        own = [card_certificates.read(der), issuer.certificate]
        return pkcs7.serialize_certificates(own, Encoding.DER)

    def _person(self, csr: x509.CertificateSigningRequest) -> Applicant:
        names = csr.extensions.get_extension_for_class(
            x509.SubjectAlternativeName
        ).value
        upn = [each.value[2:] for each in names.get_values_for_type(x509.OtherName)]
        account = upn[0].decode() if upn else ""
        if self.behaviour is Behaviour.WRONG_NAME:
            account = "mallory@ad.test"
        return Applicant(account=account, display_name=account, guid="")


def _slot(csr: x509.CertificateSigningRequest) -> KeySlot:
    uses = csr.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    is_card = profiles.PIV_CARD_AUTHENTICATION in uses
    return KeySlot.CARD_AUTHENTICATION if is_card else KeySlot.AUTHENTICATION


def _now() -> float:
    return datetime.datetime.now(datetime.UTC).timestamp()


def _handler(server: EstServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            """A test has no log."""

        def do_GET(self) -> None:
            self._note()
            if not self.path.endswith("/cacerts"):
                self._say(404)
                return
            chain = [server.issuer.certificate]
            self._cms(pkcs7.serialize_certificates(chain, Encoding.DER))

        def do_POST(self) -> None:
            asked = self._note()
            if not server.wants_client_certificate:
                pair = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
                if asked.authorization != f"Basic {pair}":
                    self._say(401, headers={"WWW-Authenticate": 'Basic realm="EST"'})
                    return
            if self.headers["Content-Type"] != "application/pkcs10":
                self._say(415)
                return
            csr = x509.load_der_x509_csr(base64.b64decode(asked.body))
            assert csr.is_signature_valid
            answer = self._misbehaviour().get(server.behaviour)
            if answer is not None:
                answer()
            elif server.behaviour is Behaviour.ACCEPTED_FIRST and self._is_first():
                self._say(202, headers={"Retry-After": server.retry_after})
            else:
                self._cms(server.certified(csr))

        def _misbehaviour(self) -> dict[Behaviour, Callable[[], None]]:
            return {
                Behaviour.REFUSES: lambda: self._say(400, b"Not \x1b[2J this one.\n"),
                Behaviour.FORBIDS: lambda: self._say(403),
                Behaviour.SILENT: lambda: self._pause(),
                Behaviour.SLOW: lambda: self._drip(),
                Behaviour.GARBAGE: lambda: self._body(b"\x00\xff!"),
                Behaviour.NO_CMS: lambda: self._cms(b"\x30\x03\x02\x01\x00"),
                Behaviour.ENDLESS: lambda: self._flood(),
                Behaviour.HANGS_UP: lambda: self.connection.close(),
                Behaviour.NOT_HTTP: lambda: self._raw(b"SSH-2.0-nonsense\r\n"),
                Behaviour.ALWAYS_ACCEPTED: lambda: self._say(
                    202, headers={"Retry-After": server.retry_after}
                ),
                Behaviour.REDIRECTS: lambda: self._say(
                    302, headers={"Location": "https://127.0.0.2/"}
                ),
            }

        # --- answers ------------------------------------------------------------

        def _note(self) -> Asked:
            certificate = self.connection.getpeercert()
            length = int(self.headers.get("Content-Length", 0))
            asked = Asked(
                method=self.command,
                path=self.path,
                authorization=self.headers.get("Authorization", ""),
                peer=str(certificate.get("subject", "")) if certificate else "",
                body=self.rfile.read(length),
            )
            server.asked.append(asked)
            return asked

        def _is_first(self) -> bool:
            return sum(each.method == "POST" for each in server.asked) == 1

        def _say(
            self, status: int, body: bytes = b"", headers: dict[str, str] | None = None
        ) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "text/plain")
            self.send_header("Content-Length", str(len(body)))
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def _cms(self, der: bytes) -> None:
            self._body(base64.encodebytes(der))

        def _body(self, body: bytes) -> None:
            self.send_response(200)
            kind = "application/pkcs7-mime; smime-type=certs-only"
            self.send_header("Content-Type", kind)
            self.send_header("Content-Transfer-Encoding", "base64")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def _pause(self) -> None:
            while server.wait(1):
                pass

        def _drip(self) -> None:
            self._raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
            while server.wait(0.02):
                self._raw(b"A")

        def _flood(self) -> None:
            self._raw(b"HTTP/1.1 200 OK\r\n\r\n")
            while server.wait(0):
                self._raw(b"A" * 65536)

        def _raw(self, data: bytes) -> None:
            self.wfile.write(data)
            self.wfile.flush()

    return Handler

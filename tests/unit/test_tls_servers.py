"""A server that is not trusted is refused, and for the reason that is true.

Real handshakes on loopback. What is checked does not hang on Python's version: 3.13
turns more on by itself than 3.11, and the outcome is the same.
"""

from __future__ import annotations

import socket
import ssl
import threading
from dataclasses import dataclass
from pathlib import Path

import pytest
from lab.servers import bad_servers
from lab.servers.bad_certificates import BAD, GOOD, MIDDLE, ROOT, Chain, below, signed
from lab.servers.tls_servers import NAME, SERVER, Issued, Wish, issue, tls_server

from kiosk.core.errors import Message
from kiosk.directory.errors import DirectoryError, TlsRefused
from kiosk.directory.ldap import LdapSettings, Protection
from kiosk.directory.ldap.channel import Channel
from kiosk.directory.ldap.tls import verifying
from kiosk.directory.values import WhyNoTrust
from kiosk.texts import sentence


@dataclass(frozen=True)
class Place:
    """A folder, and a root that is trusted."""

    folder: Path
    root: Issued

    def settings(self, port: int, protection: Protection) -> LdapSettings:
        file = self.folder / "ca.pem"
        file.write_bytes(self.root.pem)
        return LdapSettings(
            dcs=(f"{NAME}:{port}",),
            base_dn="DC=example,DC=org",
            service_account="svc@example.org",
            password_file=Path("/nowhere"),
            ca_file=file,
            protection=protection,
            connect_timeout=2.0,
            receive_timeout=2.0,
        )


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path, issue(ROOT))


def refusal(settings: LdapSettings) -> DirectoryError:
    with pytest.raises(DirectoryError) as refused:
        Channel(settings, settings.dcs[0])
    return refused.value


def said(error: DirectoryError) -> str:
    assert isinstance(error.detail, Message)
    return sentence(error.detail, limit=200)


@pytest.mark.parametrize("name", BAD)
def test_a_bad_certificate_is_refused_for_its_real_reason(
    place: Place, name: str
) -> None:
    bad = BAD[name]
    with tls_server(place.folder, bad.chain(place.root)) as port:
        error = refusal(place.settings(port, Protection.LDAPS))
    assert isinstance(error, TlsRefused)
    assert error.data["reason"] == bad.why, said(error)
    assert bad.told in said(error)


@pytest.mark.filterwarnings("ignore:.*TLSv1:DeprecationWarning")
@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"ciphers": "AES128-SHA:@SECLEVEL=0"}, WhyNoTrust.NO_CIPHER),
        ({}, WhyNoTrust.OLD_TLS),
    ],
    ids=["no cipher in common", "only old versions"],
)
def test_a_handshake_that_cannot_succeed_says_why(
    place: Place, changes: dict[str, object], why: WhyNoTrust
) -> None:
    version = ssl.TLSVersion.TLSv1_2 if changes else ssl.TLSVersion.TLSv1_1
    own = issue(GOOD, place.root)
    with tls_server(
        place.folder,
        [own],
        minimum_version=version if changes else ssl.TLSVersion.TLSv1,
        maximum_version=version,
        **changes,
    ) as port:
        error = refusal(place.settings(port, Protection.LDAPS))
    assert isinstance(error, TlsRefused), error
    assert error.data["reason"] == why, said(error)


@pytest.mark.parametrize("result", [1, 2, 52, 53])
def test_starttls_that_is_refused_says_what_the_server_answered(
    place: Place, result: int
) -> None:
    words = b"TLS is not for you"
    body = bytes((0x0A, 1, result, 4, 0, 4, len(words))) + words

    def refuse(line: socket.socket, ended: threading.Event) -> None:
        request = line.recv(4096)
        number = request[2 : 4 + request[3]]  # the message's number, as INTEGER
        answer = number + bytes((0x78, len(body))) + body
        line.sendall(bytes((0x30, len(answer))) + answer)
        ended.wait()

    with bad_servers.server(refuse) as port:
        error = refusal(place.settings(port, Protection.STARTTLS))
    assert error.data["reason"] == WhyNoTrust.NO_TLS
    assert f"{result} TLS is not for you" in said(error)


# --- trusted -----------------------------------------------------------------


@pytest.mark.parametrize(
    "chain",
    [
        signed(GOOD),
        signed(Wish(purposes=(SERVER,))),
        signed(Wish(names_its_issuer=False)),
        signed(Wish(rsa_bits=2048)),
        below(MIDDLE),
        below(Wish(common_name="x", is_authority=True, permitted=(NAME,))),
    ],
    ids=[
        "plain",
        "for servers",
        "as Samba's own",
        "RSA 2048",
        "below another",
        "named",
    ],
)
def test_a_good_certificate_is_taken(place: Place, chain: Chain) -> None:
    with tls_server(place.folder, chain(place.root)) as port:
        settings = place.settings(port, Protection.LDAPS)
        Channel(settings, settings.dcs[0]).close()


def test_what_the_file_holds_is_trusted_root_or_not(place: Place) -> None:
    """An issuing authority alone; or, where there is none, the server's own."""
    issuing = issue(MIDDLE, place.root)
    own = issue(GOOD, issuing)
    for trusted in (issuing, own):
        with tls_server(place.folder, [own]) as port:
            settings = Place(place.folder, trusted).settings(port, Protection.LDAPS)
            Channel(settings, settings.dcs[0]).close()


def test_what_is_checked_is_said_here_and_not_by_the_version_of_python() -> None:
    context = verifying(None)
    assert not context.verify_flags & ssl.VerifyFlags.VERIFY_X509_STRICT
    assert context.verify_flags & ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert not context.hostname_checks_common_name
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    assert context.security_level >= 2


def test_the_strict_form_of_python_3_13_would_refuse_samba_s_own(place: Place) -> None:
    """That is why it is switched off: the test of the table above proves it matters."""
    own = issue(Wish(names_its_issuer=False), place.root)
    (place.folder / "ca.pem").write_bytes(place.root.pem)
    strict = ssl.create_default_context(cafile=place.folder / "ca.pem")
    strict.verify_flags |= ssl.VerifyFlags.VERIFY_X509_STRICT
    with tls_server(place.folder, [own]) as port:
        line = socket.create_connection(("127.0.0.1", port))
        with line, pytest.raises(ssl.SSLCertVerificationError) as refused:
            strict.wrap_socket(line, server_hostname=NAME)
    assert "Key Identifier" in refused.value.verify_message

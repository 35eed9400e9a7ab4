"""The line to a DC: trusted or not opened at all, and never waited for without end."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from lab.domain.samba import CertificateKind, SambaDomain
from lab.servers import bad_servers

from kiosk.core.clock import SystemClock
from kiosk.directory.errors import DirectoryError, TlsRefused, Unreachable
from kiosk.directory.ldap import LdapDirectory, LdapSettings, Protection
from kiosk.directory.values import WhyNoTrust, WhyUnreachable

pytestmark = pytest.mark.samba

BOTH = pytest.mark.parametrize("protection", list(Protection))
UNWILLING = bytes.fromhex("78070a013504000400")
"""The operation of an extended response: unwillingToPerform."""


@pytest.fixture(scope="module")
def other_dc(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SambaDomain]:
    """A DC that shows other certificates: restarted by `showing`."""
    with SambaDomain.start(tmp_path_factory.mktemp("samba") / "dc") as domain:
        yield domain


def showing(domain: SambaDomain, kind: CertificateKind) -> SambaDomain:
    domain.stop()
    domain.run(kind)
    return domain


def quick(domain: SambaDomain, *dcs: str, **changes: object) -> LdapSettings:
    """Settings with short timeouts, for these DCs or the domain's own."""
    return domain.settings(
        connect_timeout=0.5,
        receive_timeout=2.0,
        dcs=dcs or (domain.address,),
        **changes,
    )


def failure(settings: LdapSettings) -> DirectoryError:
    directory = LdapDirectory(settings, SystemClock())
    with pytest.raises(DirectoryError) as error, directory.connect():
        pass
    return error.value


def assert_distrusted(settings: LdapSettings, why: WhyNoTrust) -> None:
    error = failure(settings)
    assert isinstance(error, TlsRefused)
    assert (error.data["dc"], error.data["reason"]) == (settings.dcs[0], why)


def assert_unreachable(settings: LdapSettings, why: WhyUnreachable) -> None:
    error = failure(settings)
    assert isinstance(error, Unreachable)
    assert error.data == {"dcs": ", ".join(settings.dcs), "reason": why}


# --- trusted -----------------------------------------------------------------


@BOTH
def test_a_dc_is_reached_by_an_address_in_its_certificate(
    samba: SambaDomain, protection: Protection
) -> None:
    settings = samba.settings(protection=protection)
    with LdapDirectory(settings, SystemClock()).connect() as dc:
        assert dc.name == samba.address


def test_a_dc_is_reached_by_a_name_in_its_certificate(samba: SambaDomain) -> None:
    with bad_servers.server(bad_servers.relay(samba.address, 636)) as port:
        settings = samba.settings(dcs=(f"localhost:{port}",))
        with LdapDirectory(settings, SystemClock()).connect() as dc:
            assert dc.name == f"localhost:{port}"


# --- not trusted -------------------------------------------------------------


@BOTH
def test_a_certificate_of_another_authority_is_refused(
    samba: SambaDomain, protection: Protection
) -> None:
    settings = samba.settings(protection=protection, ca_file=samba.foreign_ca_file)
    assert_distrusted(settings, WhyNoTrust.INCOMPLETE)


def test_the_authorities_of_the_system_do_not_vouch_for_it_either(
    samba: SambaDomain,
) -> None:
    assert_distrusted(samba.settings(ca_file=None), WhyNoTrust.INCOMPLETE)


@BOTH
@pytest.mark.parametrize(
    ("kind", "why"),
    [
        (CertificateKind.EXPIRED, WhyNoTrust.EXPIRED),
        (CertificateKind.NOT_YET_VALID, WhyNoTrust.NOT_YET_VALID),
        (CertificateKind.WRONG_NAME, WhyNoTrust.WRONG_NAME),
    ],
)
def test_a_wrong_certificate_is_refused_by_its_fault(
    other_dc: SambaDomain,
    protection: Protection,
    kind: CertificateKind,
    why: WhyNoTrust,
) -> None:
    domain = showing(other_dc, kind)
    assert_distrusted(domain.settings(protection=protection), why)


def test_a_name_that_is_not_in_the_certificate_is_refused(samba: SambaDomain) -> None:
    with bad_servers.server(bad_servers.relay(samba.address, 636)) as port:
        settings = samba.settings(dcs=(f"127.0.0.1:{port}",))
        assert_distrusted(settings, WhyNoTrust.WRONG_NAME)


@BOTH
def test_without_a_readable_ca_file_nothing_is_opened(
    samba: SambaDomain, tmp_path: Path, protection: Protection
) -> None:
    garbage = tmp_path / "ca.pem"
    garbage.write_text("no certificate\n")
    for file in (garbage, tmp_path / "missing.pem"):
        settings = samba.settings(ca_file=file, protection=protection)
        assert_distrusted(settings, WhyNoTrust.CA_FILE)


def test_starttls_that_somebody_took_away_is_refused_before_any_password(
    samba: SambaDomain,
) -> None:
    heard: list[bytes] = []

    def strip(line: socket.socket, ended: object) -> None:
        request = line.recv(4096)
        number = request[2 : 4 + request[3]]  # the message's number, as INTEGER
        answer = number + UNWILLING
        line.sendall(bytes((0x30, len(answer))) + answer)
        heard.extend((request, line.recv(4096)))

    with bad_servers.server(strip) as port:
        settings = quick(samba, f"127.0.0.1:{port}", protection=Protection.STARTTLS)
        assert_distrusted(settings, WhyNoTrust.NO_TLS)
    assert len(heard) == 2
    assert not any(samba.service_password.encode() in words for words in heard)


def test_a_port_that_speaks_something_else_offers_no_tls(samba: SambaDomain) -> None:
    with bad_servers.server(bad_servers.say(b"220 mail.example.org ready\r\n")) as port:
        assert_distrusted(quick(samba, f"127.0.0.1:{port}"), WhyNoTrust.NO_TLS)


# --- not reached -------------------------------------------------------------


def test_a_closed_port_refuses(samba: SambaDomain) -> None:
    settings = quick(samba, f"127.0.0.1:{bad_servers.closed_port()}")
    assert_unreachable(settings, WhyUnreachable.REFUSED)


@BOTH
def test_a_black_hole_is_given_up(samba: SambaDomain, protection: Protection) -> None:
    with bad_servers.black_hole() as port:
        settings = quick(samba, f"127.0.0.1:{port}", protection=protection)
        assert_unreachable(settings, WhyUnreachable.TIMED_OUT)


@BOTH
def test_a_silent_server_is_given_up(
    samba: SambaDomain, protection: Protection
) -> None:
    with bad_servers.server(bad_servers.stay_silent) as port:
        settings = quick(samba, f"127.0.0.1:{port}", protection=protection)
        assert_unreachable(settings, WhyUnreachable.TIMED_OUT)


def test_a_handshake_that_dribbles_is_given_up(samba: SambaDomain) -> None:
    record_begun = bytes.fromhex("16030300ff")
    with bad_servers.server(bad_servers.dribble(record_begun)) as port:
        settings = quick(samba, f"127.0.0.1:{port}")
        assert_unreachable(settings, WhyUnreachable.TIMED_OUT)


def test_an_answer_to_starttls_that_dribbles_is_given_up(samba: SambaDomain) -> None:
    with bad_servers.server(bad_servers.dribble(bad_servers.BEGUN_MESSAGE)) as port:
        settings = quick(samba, f"127.0.0.1:{port}", protection=Protection.STARTTLS)
        assert_unreachable(settings, WhyUnreachable.TIMED_OUT)


def test_an_answer_behind_trusted_tls_that_dribbles_is_given_up(
    samba: SambaDomain,
) -> None:
    dribble = bad_servers.dribble(bad_servers.BEGUN_MESSAGE)
    with bad_servers.server(
        bad_servers.behind_tls(samba.folder / "tls", dribble)
    ) as port:
        settings = quick(samba, f"localhost:{port}")
        assert_unreachable(settings, WhyUnreachable.TIMED_OUT)


@BOTH
def test_a_server_that_hangs_up_is_told_as_a_lost_connection(
    samba: SambaDomain, protection: Protection
) -> None:
    with bad_servers.server(bad_servers.hang_up) as port:
        settings = quick(samba, f"127.0.0.1:{port}", protection=protection)
        assert_unreachable(settings, WhyUnreachable.CONNECTION_LOST)


def test_ldaps_on_the_port_of_plain_ldap_is_told_as_a_lost_connection(
    samba: SambaDomain,
) -> None:
    settings = quick(samba, f"{samba.address}:389")
    assert_unreachable(settings, WhyUnreachable.CONNECTION_LOST)


@pytest.mark.parametrize("words", [b"\x30\x03\x02\x01", b"\x00" * 40, b"\xff" * 40])
def test_garbage_behind_trusted_tls_is_a_directory_error(
    samba: SambaDomain, words: bytes
) -> None:
    speak = bad_servers.behind_tls(samba.folder / "tls", bad_servers.say(words))
    with bad_servers.server(speak) as port:
        assert isinstance(failure(quick(samba, f"localhost:{port}")), Unreachable)


def test_a_frozen_dc_is_given_up(samba: SambaDomain) -> None:
    samba.freeze()
    try:
        assert_unreachable(quick(samba), WhyUnreachable.TIMED_OUT)
    finally:
        samba.thaw()


def test_a_name_that_nobody_knows_is_told(
    samba: SambaDomain, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(*_arguments: object, **_named: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    assert_unreachable(quick(samba, "dc9.ad.test"), WhyUnreachable.NAME_UNKNOWN)


def test_a_name_that_cannot_be_one_is_told(samba: SambaDomain) -> None:
    assert_unreachable(quick(samba, "dc1..ad.test"), WhyUnreachable.NAME_UNKNOWN)


# --- several -----------------------------------------------------------------


def test_a_dc_that_is_not_trusted_is_passed_over(
    samba: SambaDomain, other_dc: SambaDomain
) -> None:
    showing(other_dc, CertificateKind.EXPIRED)
    settings = samba.settings(dcs=(other_dc.address, samba.address))
    with LdapDirectory(settings, SystemClock()).connect() as dc:
        assert dc.name == samba.address


def test_distrust_is_told_before_silence(samba: SambaDomain) -> None:
    closed = f"127.0.0.1:{bad_servers.closed_port()}"
    settings = quick(samba, samba.address, closed, ca_file=samba.foreign_ca_file)
    assert_distrusted(settings, WhyNoTrust.INCOMPLETE)

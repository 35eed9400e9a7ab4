"""Certificates by EST: asked for with the card's own signature, within bounds."""

from __future__ import annotations

import dataclasses
import email.utils
import logging
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from lab.cards.requests import ANN, card
from lab.servers.est_server import PASSWORD, USER, Behaviour, EstServer

from kiosk.cards.values import KeyAlgorithm, KeySlot
from kiosk.certificates.answer import accepted
from kiosk.certificates.card_certificates import accounts, key_of
from kiosk.certificates.est import EstClient, EstSettings
from kiosk.certificates.https import HttpsClient, HttpsSettings
from kiosk.certificates.ports import (
    AnotherKey,
    AnotherName,
    Certified,
    NotOfThisIssuer,
    Pending,
    SourceError,
    SourceMalformed,
    SourceNotTrusted,
    SourceRefused,
    SourceSilent,
    SourceUnusable,
)
from kiosk.core.clock import ManualClock
from kiosk.core.secret_file import SecretExposed

pytestmark = pytest.mark.slow

PATIENCE = 0.5
"""Seconds a test waits for a server that says nothing."""


@pytest.fixture
def clock() -> ManualClock:
    import time

    return ManualClock(time.time())


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EstServer]:
    with EstServer(tmp_path) as server:
        yield server


@pytest.fixture
def settings(server: EstServer, tmp_path: Path) -> HttpsSettings:
    password = tmp_path / "password"
    password.touch(0o600)
    password.write_text(f"{PASSWORD}\n")
    return HttpsSettings(
        url=server.url,
        ca_file=server.ca_file,
        user=USER,
        password_file=password,
        connect_timeout=5.0,
        receive_timeout=5.0,
    )


def client(
    settings: HttpsSettings,
    clock: ManualClock,
    *,
    wait: float = 0,
    labels: dict[KeySlot, str] | None = None,
) -> EstClient:
    told = EstSettings(days=365, wait=wait, labels=labels or {})
    return EstClient(HttpsClient(settings), told, clock)


Obtain = Callable[..., Certified | Pending]


@pytest.fixture
def obtain(settings: HttpsSettings, clock: ManualClock) -> Obtain:
    def obtain(wait: float = 0, **changes: object) -> Certified | Pending:
        changed = dataclasses.replace(settings, **changes)  # type: ignore[arg-type]  # fields by name
        asking = client(changed, clock, wait=wait)
        return asking.obtain(card().request(), now=clock.now())

    return obtain


@pytest.mark.parametrize(
    "algorithm", [KeyAlgorithm.P256, KeyAlgorithm.RSA_2048], ids=str
)
def test_the_server_certifies_the_key_of_the_card(
    server: EstServer,
    settings: HttpsSettings,
    clock: ManualClock,
    algorithm: KeyAlgorithm,
) -> None:
    request = card(algorithm).request()
    answer = client(settings, clock).obtain(request, now=clock.now())
    assert isinstance(answer, Certified)
    certificate = accepted(answer, request, now=clock.now())
    assert key_of(certificate) == request.spki
    assert accounts(certificate) == [ANN.account]
    assert answer.issuers == (server.issuer.certificate,)
    assert server.paths() == ["/cacerts", "/simpleenroll"]


def test_each_key_is_asked_for_by_the_profile_that_the_site_names(
    server: EstServer, settings: HttpsSettings, clock: ManualClock
) -> None:
    labels = {KeySlot.AUTHENTICATION: "logon", KeySlot.CARD_AUTHENTICATION: "piv-card"}
    asking, at_hand = client(settings, clock, labels=labels), card()
    for slot in KeySlot:
        request = at_hand.request(slot)
        answer = asking.obtain(request, now=clock.now())
        assert isinstance(answer, Certified)
        accepted(answer, request, now=clock.now())
    assert server.paths() == [
        "/logon/cacerts",
        "/logon/simpleenroll",
        "/piv-card/cacerts",
        "/piv-card/simpleenroll",
    ]


def test_a_certificate_of_the_same_names_is_renewed(
    server: EstServer, settings: HttpsSettings, clock: ManualClock
) -> None:
    person = dataclasses.replace(ANN, display_name=ANN.account)  # as this CA names
    before = client(settings, clock).obtain(
        card().request(person=person), now=clock.now()
    )
    assert isinstance(before, Certified)
    again = card().request(person=person, renews=before.chain[0])
    assert isinstance(client(settings, clock).obtain(again, now=clock.now()), Certified)
    assert server.paths()[-1] == "/simplereenroll"


def test_a_client_certificate_is_shown_where_there_is_one(
    tmp_path: Path, settings: HttpsSettings, clock: ManualClock
) -> None:
    folder = tmp_path / "mutual"
    folder.mkdir()
    with EstServer(folder, wants_client_certificate=True) as server:
        certificate, key = server.client_files()
        mutual = HttpsSettings(
            url=server.url,
            ca_file=server.ca_file,
            client_certificate=certificate,
            client_key=key,
        )
        asking = client(mutual, clock)
        answer = asking.obtain(card().request(), now=clock.now())
        assert isinstance(answer, Certified)
        assert "kiosk" in server.asked[-1].peer
        assert server.asked[-1].authorization == ""
        key.chmod(0o644)
        with pytest.raises(SecretExposed):
            asking.obtain(card().request(), now=clock.now())
        with pytest.raises(SourceSilent):
            client(dataclasses.replace(mutual, client_certificate=None), clock).obtain(
                card().request(), now=clock.now()
            )


# --- no ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        (Behaviour.REFUSES, "400 Not \ufffd[2J this one."),
        (Behaviour.FORBIDS, "403"),
        (Behaviour.REDIRECTS, "302"),
    ],
)
def test_a_no_is_told_with_the_servers_words_made_harmless(
    server: EstServer, obtain: Obtain, behaviour: Behaviour, reason: str
) -> None:
    server.behaves(behaviour)
    with pytest.raises(SourceRefused) as caught:
        obtain()
    assert caught.value.data == {"reason": reason}


def test_a_wrong_password_is_refused_and_stays_secret(
    obtain: Obtain, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    (tmp_path / "password").write_text("wrong-and-secret")
    with pytest.raises(SourceRefused) as caught:
        obtain()
    assert str(caught.value.data["reason"]).startswith("401")
    assert "wrong-and-secret" not in f"{caught.value!r} {caplog.text}"


def test_a_password_file_that_others_may_read_is_not_used(
    obtain: Obtain, server: EstServer, tmp_path: Path
) -> None:
    (tmp_path / "password").chmod(0o640)
    with pytest.raises(SecretExposed):
        obtain()
    assert server.paths() == ["/cacerts"]


# --- nonsense ----------------------------------------------------------------


@pytest.mark.parametrize(
    "behaviour",
    [
        Behaviour.GARBAGE,
        Behaviour.NO_CMS,
        Behaviour.ENDLESS,
        Behaviour.NOT_HTTP,
    ],
)
def test_nonsense_is_no_certificate(
    server: EstServer, obtain: Obtain, behaviour: Behaviour
) -> None:
    server.behaves(behaviour)
    with pytest.raises(SourceMalformed):
        obtain()


@pytest.mark.parametrize(
    ("behaviour", "error"),
    [
        (Behaviour.WRONG_KEY, AnotherKey),
        (Behaviour.WRONG_NAME, AnotherName),
        (Behaviour.OTHER_CA, NotOfThisIssuer),
    ],
)
def test_a_certificate_that_is_not_what_was_wanted_is_not_taken(
    server: EstServer,
    settings: HttpsSettings,
    clock: ManualClock,
    behaviour: Behaviour,
    error: type[SourceError],
) -> None:
    server.behaves(behaviour)
    request = card().request()
    answer = client(settings, clock).obtain(request, now=clock.now())
    assert isinstance(answer, Certified)
    with pytest.raises(error):
        accepted(answer, request, now=clock.now())


# --- silence -----------------------------------------------------------------


@pytest.mark.parametrize(
    "behaviour", [Behaviour.SILENT, Behaviour.SLOW, Behaviour.HANGS_UP]
)
def test_a_server_that_does_not_finish_is_given_up(
    server: EstServer, obtain: Obtain, behaviour: Behaviour
) -> None:
    server.behaves(behaviour)
    with pytest.raises(SourceSilent) as caught:
        obtain(receive_timeout=PATIENCE)
    assert caught.value.data == {"source": server.url.removeprefix("https://")}


def test_a_port_that_takes_connections_and_says_nothing_is_given_up(
    obtain: Obtain,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        url = f"https://127.0.0.1:{mute.getsockname()[1]}"
        with pytest.raises(SourceSilent):
            obtain(url=url, connect_timeout=PATIENCE)


def test_a_port_where_nobody_listens_is_silent(obtain: Obtain) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(SourceSilent):
        obtain(url=f"https://127.0.0.1:{port}")


@pytest.mark.parametrize("host", ["ca..example", f"{'a' * 64}.example"])
def test_a_host_that_cannot_be_called_so_is_silent(obtain: Obtain, host: str) -> None:
    with pytest.raises(SourceSilent):
        obtain(url=f"https://{host}")


# --- trust -------------------------------------------------------------------


def test_a_server_that_is_not_trusted_hears_nothing(
    server: EstServer, obtain: Obtain
) -> None:
    with pytest.raises(SourceNotTrusted):
        obtain(ca_file=None)
    assert server.asked == []


def test_a_server_of_another_name_hears_nothing(
    server: EstServer, obtain: Obtain
) -> None:
    with pytest.raises(SourceNotTrusted):
        obtain(url=server.url.replace("127.0.0.1", "localhost"))
    assert server.asked == []


def test_a_file_of_authorities_that_is_not_there_is_named(
    obtain: Obtain, tmp_path: Path
) -> None:
    with pytest.raises(SourceUnusable) as caught:
        obtain(ca_file=tmp_path / "none.pem")
    assert caught.value.data["file"] == str(tmp_path / "none.pem")


def test_an_address_that_is_none_is_told() -> None:
    with pytest.raises(SourceUnusable):
        HttpsClient(HttpsSettings(url="https://ca:99999", ca_file=None))


# --- later -------------------------------------------------------------------


def test_a_short_wait_is_waited_out(
    server: EstServer, obtain: Obtain, clock: ManualClock
) -> None:
    server.behaves(Behaviour.ACCEPTED_FIRST)
    server.retry_after = "7"
    assert isinstance(obtain(wait=10), Certified)
    assert clock.monotonic() == 7
    posts = [each.body for each in server.asked if each.method == "POST"]
    assert len(posts) == 2
    assert posts[0] == posts[1]


def test_a_date_is_a_wait_too(
    server: EstServer, obtain: Obtain, clock: ManualClock
) -> None:
    server.behaves(Behaviour.ACCEPTED_FIRST)
    server.retry_after = email.utils.formatdate(clock.now() + 8, usegmt=True)
    assert isinstance(obtain(wait=10), Certified)
    assert 6 <= clock.monotonic() <= 9


@pytest.mark.parametrize(
    "form", ["%a %b %d %H:%M:%S %Y", "%a, %d %b %Y %H:%M:%S -0000"]
)
@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Tokyo"])
def test_a_date_without_a_zone_is_utc_wherever_the_station_stands(
    server: EstServer,
    obtain: Obtain,
    clock: ManualClock,
    monkeypatch: pytest.MonkeyPatch,
    form: str,
    zone: str,
) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    server.behaves(Behaviour.ALWAYS_ACCEPTED)
    server.retry_after = time.strftime(form, time.gmtime(clock.now() + 3600))
    answer = obtain(wait=10)
    monkeypatch.undo()
    time.tzset()
    assert isinstance(answer, Pending)
    assert 3598 <= answer.seconds <= 3600


def test_a_server_that_does_not_say_when_is_asked_in_a_minute(
    server: EstServer, obtain: Obtain
) -> None:
    server.behaves(Behaviour.ALWAYS_ACCEPTED)
    server.retry_after = ""
    answer = obtain(wait=10)
    assert isinstance(answer, Pending)
    assert answer.seconds == 60


def test_a_long_wait_is_a_ticket(
    server: EstServer, obtain: Obtain, clock: ManualClock
) -> None:
    server.behaves(Behaviour.ALWAYS_ACCEPTED)
    server.retry_after = "3600"
    answer = obtain(wait=10)
    where = server.url.removeprefix("https://")
    assert answer == Pending(where=where, seconds=3600)
    assert clock.monotonic() == 0


def test_many_short_waits_end_where_the_site_says(
    server: EstServer, obtain: Obtain, clock: ManualClock
) -> None:
    server.behaves(Behaviour.ALWAYS_ACCEPTED)
    server.retry_after = "0"
    assert isinstance(obtain(wait=10), Pending)
    assert clock.monotonic() == 10


@pytest.mark.parametrize("told", ["soon", "-1", "1e9", "Mon, 99 Foo 2026 00:00"])
def test_a_wait_that_means_nothing_is_nonsense(
    server: EstServer, obtain: Obtain, told: str
) -> None:
    server.behaves(Behaviour.ALWAYS_ACCEPTED)
    server.retry_after = told
    with pytest.raises(SourceMalformed):
        obtain()


def test_a_wait_of_centuries_is_bounded(server: EstServer, obtain: Obtain) -> None:
    server.behaves(Behaviour.ALWAYS_ACCEPTED)
    server.retry_after = "9" * 400
    answer = obtain()
    assert isinstance(answer, Pending)
    assert answer.seconds == 7 * 86_400

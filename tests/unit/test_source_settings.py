"""The source that [certificates] describes is the one that is asked."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from lab.cards.requests import card
from lab.servers import postgres
from lab.servers.est_server import PASSWORD, USER, EstServer
from msgspec.structs import replace

from kiosk import bootstrap
from kiosk.bootstrap.places import places_in
from kiosk.bootstrap.relay import relayed_site_of
from kiosk.cards.values import KeySlot
from kiosk.certificates.attestation import MakerNotTrusted, NotAttested
from kiosk.certificates.builder import SourceUnclear, est_client
from kiosk.certificates.card_certificates import NotACertificate
from kiosk.certificates.local_ca import new_issuer
from kiosk.certificates.ports import Certified, Pending, SourceUnusable
from kiosk.config import Config, load
from kiosk.config.sections.enrollment import CertificateOrigin, Certificates
from kiosk.config.sections.station import StationRole
from kiosk.config.toml_file import WrongValue
from kiosk.core.clock import ManualClock, SystemClock
from kiosk.desk.files import OwnFiles
from kiosk.doctor import Health, certificates, examine
from kiosk.doctor.station import checks_of
from kiosk.setup.new_station import IssuerFiles, Layout, create
from kiosk.simulation.cards import attestation as simulated
from kiosk.simulation.cards.options import of_yubikey
from kiosk.texts import sentence
from storage.memory_registry import MemoryRegistry

pytestmark = pytest.mark.slow


@pytest.fixture
def config(tmp_path: Path) -> Config:
    layout = Layout.below(tmp_path, tmp_path)
    issuer = IssuerFiles(*new_issuer("Test issuer", now=time.time()))
    create(layout, bootstrap.found_registry, issuer)
    return load(layout.config)


def told(config: Config, **settings: object) -> Config:
    return replace(config, certificates=Certificates(**settings))  # type: ignore[arg-type]  # settings by name


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EstServer]:
    folder = tmp_path / "est"
    folder.mkdir()
    with EstServer(folder) as server:
        yield server


@pytest.fixture
def est(config: Config, server: EstServer, tmp_path: Path) -> Config:
    password = tmp_path / "est.password"
    password.touch(0o600)
    password.write_text(PASSWORD)
    return told(
        config,
        source=CertificateOrigin.EST,
        url=server.url,
        server_ca_file=server.ca_file,
        user=USER,
        password_file=password,
        profile="logon",
        card_profile="card",
    )


def asked(config: Config, slot: KeySlot = KeySlot.AUTHENTICATION) -> object:
    source = bootstrap.source_of(config)
    return source.obtain(card().request(slot), now=time.time())


def test_a_site_that_says_nothing_has_its_own_authority(config: Config) -> None:
    assert isinstance(asked(config), Certified)
    assert bootstrap.site_of(config).issuer is not None


def test_a_site_without_one_certifies_nothing(config: Config) -> None:
    bare = replace(
        config, enrollment=replace(config.enrollment, ca_certificate_file=None)
    )
    with pytest.raises(bootstrap.NoIssuer):
        bootstrap.source_of(bare)
    assert bootstrap.site_of(bare).issuer is None


def test_requests_go_to_the_folder_and_tickets_beside_the_registry(
    config: Config, tmp_path: Path
) -> None:
    files = told(config, source=CertificateOrigin.FILES, folder=tmp_path / "requests")
    assert isinstance(asked(files), Pending)
    assert len(list((tmp_path / "requests").glob("*.csr"))) == 1
    tickets = config.registry.path.parent / "pending-certificates"
    assert len(list(tickets.iterdir())) == 1
    assert places_in(files, tmp_path / "kiosk.toml").tickets == tickets


def test_a_desk_of_a_fleet_keeps_its_tickets_where_every_process_has_them(
    config: Config, tmp_path: Path
) -> None:
    files = told(config, source=CertificateOrigin.FILES, folder=tmp_path / "requests")
    registry, there = MemoryRegistry(), StationRole.ENROLLMENT
    request = card().request(KeySlot.AUTHENTICATION)
    sources = []
    for _ in range(2):
        site = relayed_site_of(files, registry, there, OwnFiles())
        assert site.issuer is not None
        sources.append(site.issuer())
    assert isinstance(sources[0].obtain(request, now=time.time()), Pending)
    assert sources[1].waiting(request.card) == [request]
    assert not (config.registry.path.parent / "pending-certificates").exists()


def test_stations_with_one_database_know_of_each_others_requests(
    config: Config, tmp_path: Path
) -> None:
    """A card that waits comes back at another station, which makes no keys anew."""
    database = postgres.server().database()
    sources = []
    for name in ("desk-1", "desk-2"):
        own = tmp_path / name
        own.mkdir(mode=0o700)
        station = replace(config.registry, path=own / "none", postgresql=database)
        files = told(config, source=CertificateOrigin.FILES, folder=tmp_path / "asked")
        site = bootstrap.site_of(replace(files, registry=station))
        assert site.issuer is not None
        sources.append(site.issuer())
    request = card().request(KeySlot.AUTHENTICATION)
    assert isinstance(sources[0].obtain(request, now=time.time()), Pending)
    assert sources[1].waiting(request.card) == [request]
    sources[1].forget(request.card)
    assert sources[0].waiting(request.card) == []
    assert not (tmp_path / "desk-1" / "pending-certificates").exists()


def test_requests_go_to_the_est_server(est: Config, server: EstServer) -> None:
    for slot in KeySlot:
        assert isinstance(asked(est, slot), Certified)
    assert server.paths()[1::2] == ["/logon/simpleenroll", "/card/simpleenroll"]
    assert bootstrap.site_of(est).issuer is not None


def test_the_key_of_the_card_may_have_another_source(
    est: Config, server: EstServer
) -> None:
    own_for_cards = replace(
        est,
        certificates=replace(est.certificates, card_source=CertificateOrigin.LOCAL_CA),
    )
    asked(own_for_cards, KeySlot.CARD_AUTHENTICATION)
    assert server.asked == []
    asked(own_for_cards)
    assert server.paths() == ["/logon/cacerts", "/logon/simpleenroll"]


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        ({"source": CertificateOrigin.FILES}, "folder"),
        ({"source": CertificateOrigin.EST}, "url"),
        (
            {"source": CertificateOrigin.EST, "url": "https://ca", "user": "kiosk"},
            "password_file",
        ),
        (
            {
                "source": CertificateOrigin.EST,
                "url": "https://ca",
                "client_certificate_file": Path("c.pem"),
            },
            "client_key_file",
        ),
        ({"attestation_required": True}, "attestation_ca_file"),
    ],
)
def test_what_a_source_lacks_is_named(
    config: Config, settings: dict[str, object], key: str
) -> None:
    with pytest.raises(SourceUnclear) as caught:
        bootstrap.source_of(told(config, **settings))
    assert caught.value.data == {"key": f"certificates.{key}"}


@pytest.mark.parametrize("url", ["http://ca.example.org", "ca", "https://ca/path"])
def test_an_address_without_tls_is_refused(tmp_path: Path, url: str) -> None:
    layout = Layout.below(tmp_path, tmp_path)
    create(layout, bootstrap.found_registry)
    text = layout.config.read_text("utf-8")
    layout.config.write_text(text.replace('#url = ""', f'url = "{url}"'), "utf-8")
    with pytest.raises(WrongValue) as caught:
        load(layout.config)
    assert caught.value.data["key"] == "certificates.url"


def test_cards_are_asked_for_their_makers_word_where_the_site_trusts_one(
    config: Config, tmp_path: Path
) -> None:
    roots = tmp_path / "makers.pem"
    roots.write_bytes(simulated.root().public_bytes(Encoding.PEM))
    source = bootstrap.source_of(
        told(config, attestation_ca_file=roots, attestation_required=True)
    )
    assert source.wants_attestation
    request = card(options=of_yubikey(5)).request(attested=True)
    assert isinstance(source.obtain(request, now=time.time()), Certified)
    with pytest.raises(NotAttested):
        source.obtain(card().request(), now=time.time())
    certificate = config.enrollment.ca_certificate_file
    other = bootstrap.source_of(told(config, attestation_ca_file=certificate))
    with pytest.raises(MakerNotTrusted):
        other.obtain(request, now=time.time())
    with pytest.raises(NotACertificate):
        bootstrap.source_of(told(config, attestation_ca_file=tmp_path / "none"))


# --- doctor ------------------------------------------------------------------


def health(config: Config) -> list[Health]:
    """Return how the doctor finds the sources of certificates."""
    checks = [each for each in checks_of(config) if each[0] == certificates.PART]
    found = examine(checks)
    assert all(sentence(each.meaning) for each in found)
    assert all(each.advice is None or sentence(each.advice) for each in found)
    return [each.health for each in found]


def test_the_doctor_looks_at_every_source_that_is_used(
    est: Config, server: EstServer, tmp_path: Path
) -> None:
    assert health(est) == [Health.OK]
    both = replace(
        est,
        certificates=replace(
            est.certificates,
            card_source=CertificateOrigin.FILES,
            folder=tmp_path / "requests",
        ),
    )
    assert health(both) == [Health.FAIL, Health.OK]
    (tmp_path / "requests").mkdir()
    assert health(both) == [Health.OK, Health.OK]


def test_the_doctor_says_when_the_authority_ends(config: Config) -> None:
    own = bootstrap.issuer_of(config).certificate
    for days, expected in ((0, Health.OK), (3000, Health.WARN), (3700, Health.FAIL)):
        clock = ManualClock(time.time() + days * 86_400)
        (found,) = certificates.authority(own, 1095, clock)
        assert found.health is expected
        assert found.advice is None or sentence(found.advice)
    assert health(config) == [Health.OK]


def test_the_doctor_finds_no_fault_where_cards_are_not_issued(config: Config) -> None:
    bare = replace(
        config, enrollment=replace(config.enrollment, ca_certificate_file=None)
    )
    assert health(bare) == []


def test_the_doctor_tells_of_a_server_that_is_gone(est: Config) -> None:
    gone = replace(
        est, certificates=replace(est.certificates, url="https://127.0.0.1:1")
    )
    assert health(gone) == [Health.FAIL]
    assert health(told(est, source=CertificateOrigin.EST)) == [Health.FAIL]


def test_a_port_that_is_none_is_told(est: Config) -> None:
    wrong = replace(est, certificates=replace(est.certificates, url="https://ca:99999"))
    with pytest.raises(SourceUnusable):
        est_client(wrong, SystemClock())

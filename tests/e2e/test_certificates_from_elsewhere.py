"""`kiosk credential issue` with certificates of others: by EST, and by hand."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from lab.cards.pcscd import Pcscd
from lab.desk.operators import Office
from lab.domain.samba import LabUser, SambaDomain
from lab.servers.est_server import PASSWORD, USER, Behaviour, EstServer

from kiosk.cards.piv import objects
from kiosk.cards.values import KeySlot
from kiosk.certificates.card_certificates import accounts, read
from kiosk.certificates.ports import Applicant
from kiosk.config.render import toml_value
from kiosk.core.entropy import SystemEntropy
from kiosk.simulation.cards.options import of_yubikey
from kiosk.simulation.cards.piv import SimulatedPivCard

pytestmark = [pytest.mark.pcscd, pytest.mark.samba]


@pytest.fixture
def office(tmp_path: Path, samba: SambaDomain, pcscd: Pcscd) -> Office:
    return Office(tmp_path / "station", samba, pcscd.environment)


@pytest.fixture
def ann(samba: SambaDomain) -> LabUser:
    return samba.add_user(display_name="Ann Example")


def configure(office: Office, **settings: object) -> None:
    """Set settings of [certificates]."""
    text = office.layout.config.read_text("utf-8")
    before, heading, section = text.partition("[certificates]\n")
    values = [f"{name} = {toml_value(value)}\n" for name, value in settings.items()]
    office.layout.config.write_text(
        before + heading + "".join(values) + section, "utf-8"
    )


def on_card(card: SimulatedPivCard, tag: int) -> x509.Certificate:
    return read(objects.read_certificate(card.objects[tag]))


def test_a_card_is_issued_with_certificates_of_an_est_server(
    office: Office, pcscd: Pcscd, ann: LabUser, tmp_path: Path
) -> None:
    card = SimulatedPivCard(entropy=SystemEntropy(), options=of_yubikey(12_345_678))
    pcscd.readers[0].insert(card)
    words = ("credential", "issue", "--account", ann.name, "--template", "staff")
    password = tmp_path / "est.password"
    password.touch(0o600)
    password.write_text(PASSWORD)
    with EstServer(tmp_path) as server:
        configure(
            office,
            source="est",
            url=server.url,
            server_ca_file=server.ca_file,
            user=USER,
            password_file=password,
        )
        server.behaves(Behaviour.FORBIDS)
        refused = office.type(*words)
        assert refused.code == 1
        assert "says no: 403" in refused.err
        assert PASSWORD not in refused.out + refused.err
        server.behaves(Behaviour.GOOD)
        issued = office.type(*words)
        assert issued.code == 0, issued
        own = on_card(card, objects.CERTIFICATE_9A)
        own.verify_directly_issued_by(server.issuer.certificate)
        assert accounts(own) == [ann.upn]


def test_a_card_waits_for_certificates_that_are_made_by_hand(
    office: Office, pcscd: Pcscd, ann: LabUser, tmp_path: Path
) -> None:
    card = SimulatedPivCard(entropy=SystemEntropy())
    pcscd.readers[0].insert(card)
    words = ("credential", "issue", "--account", ann.name, "--template", "staff")
    requests = tmp_path / "requests"
    configure(office, source="files", card_source="local ca", folder=requests)
    asked = office.type(*words)
    assert asked.code == 1
    assert "was asked for" in asked.err
    (request,) = requests.glob("*.csr")
    assert str(request) in asked.err
    certify(request, ann, EstServer(tmp_path))
    issued = office.type(*words)
    assert issued.code == 0, issued
    assert accounts(on_card(card, objects.CERTIFICATE_9A)) == [ann.upn]
    assert accounts(on_card(card, objects.CERTIFICATE_9E)) == []
    assert list(requests.iterdir()) == []
    verified = office.type("audit", "verify")
    assert verified.code == 0, verified


def certify(request: Path, holder: LabUser, authority: EstServer) -> None:
    """Do what a person at the authority does."""
    csr = x509.load_pem_x509_csr(request.read_bytes())
    assert csr.is_signature_valid
    der = authority.issuer.certify(
        csr.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        Applicant(account=holder.upn, display_name="Ann Example", guid=""),
        KeySlot.AUTHENTICATION,
        guid=bytes(16),
        now=time.time(),
    )
    request.with_suffix(".cer").write_bytes(der)

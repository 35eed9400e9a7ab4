"""A card is issued with whatever source certifies it, at once, later, or not at all."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)
from lab.desk.site import Site, bench_at
from lab.servers.est_server import PASSWORD, USER, Behaviour, EstServer

from kiosk.authority.escrow import puk_unblock, puks
from kiosk.authority.office import lifecycle_events
from kiosk.authority.office.operators import Action
from kiosk.cards.errors import CardRemoved
from kiosk.cards.piv import objects
from kiosk.cards.values import KeySlot
from kiosk.certificates.attestation import AttestedOnly, MakerNotTrusted
from kiosk.certificates.card_certificates import accounts, key_of, read
from kiosk.certificates.est import EstClient, EstSettings
from kiosk.certificates.files import CertificateFolder
from kiosk.certificates.https import HttpsClient, HttpsSettings
from kiosk.certificates.local_ca import Issuer, new_issuer
from kiosk.certificates.ports import (
    AnotherKey,
    AnotherName,
    Applicant,
    CertificatePending,
    CertificateSource,
    NotOfThisIssuer,
    SourceError,
    SourceMalformed,
    SourceRefused,
    SourceSilent,
)
from kiosk.certificates.tickets import FolderTickets, Ticketed
from kiosk.config import OperatorRole
from kiosk.core.entropy import SeededEntropy
from kiosk.enrollment.issue import Issued, Order, issue_card
from kiosk.simulation.cards import attestation as simulated
from kiosk.simulation.cards.faults import PullAfter
from kiosk.simulation.cards.keys import PrivateKey
from kiosk.simulation.cards.options import PivOptions, of_yubikey
from kiosk.simulation.cards.piv import SimulatedPivCard
from kiosk.simulation.cards.reader import SimulatedReaders
from statemachine.lifecycle import State
from storage.records import Credential

pytestmark = pytest.mark.slow

YUBIKEY = of_yubikey(12_345_678, (5, 7, 0))
GENERIC = PivOptions()
CARDS = pytest.mark.parametrize("options", [GENERIC, YUBIKEY], ids=["piv", "yubikey"])


class Office:
    """An officer with a reader, a source of certificates, and an authority's hands."""

    def __init__(self, folder: Path) -> None:
        self.site = Site()
        self.desk = self.site.desk(OperatorRole.OFFICER)
        self.readers = SimulatedReaders()
        self.folder = folder / "requests"
        certificate, pem = new_issuer("CA", now=self.site.clock.now())
        key = load_pem_private_key(pem, password=None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        self.ca = Issuer(x509.load_pem_x509_certificate(certificate), key, 30)
        out = CertificateFolder(self.folder, days=365, issuers=[self.ca.certificate])
        self.source: CertificateSource = Ticketed(
            out, FolderTickets(folder / "tickets")
        )

    def issue(self, chip: SimulatedPivCard, account: str = "ann") -> Issued:
        self.site.clock.advance(1)  # the last credential of a card is the latest
        card = self.readers.insert(chip)
        try:
            order = Order(account=account, template="staff", issuer=self.source)
            issued = issue_card(bench_at(self.desk), card, order)
            return dataclasses.replace(
                issued, credential=self.site.kept(issued.credential)
            )
        finally:
            card.close()

    def answer(self, slot: KeySlot, account: str = "ann@ad.test") -> None:
        """Certify the request of a slot, as whoever runs the authority would."""
        (file,) = self.folder.glob(f"*-{slot}.csr")
        csr = x509.load_pem_x509_csr(file.read_bytes())
        spki = csr.public_key().public_bytes(
            Encoding.DER, PublicFormat.SubjectPublicKeyInfo
        )
        person = Applicant(account=account, display_name="Ann", guid="")
        now = self.site.clock.now()
        der = self.ca.certify(spki, person, slot, guid=bytes(16), now=now)
        pem = read(der).public_bytes(Encoding.PEM)
        file.with_suffix(".cer").write_bytes(pem)

    def opens(self, chip: SimulatedPivCard) -> bool:
        """Say whether a PUK that is kept of a retired card is the card's."""
        parts = self.site.parts
        return any(
            chip.has_puk(puk_unblock.value(parts, each, label).reveal())
            for each in self.credentials(State.RETIRED)
            for label in puks.of(each.escrow).remaining()
        )

    def names(self) -> list[str]:
        return sorted(each.suffix for each in self.folder.iterdir())

    def credentials(self, state: State) -> list[Credential]:
        return self.site.registry.run(lambda tx: tx.credentials(state=state, limit=100))


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path)


def blank(options: PivOptions | None = None, seed: int = 9) -> SimulatedPivCard:
    return SimulatedPivCard(entropy=SeededEntropy(seed), options=options)


def asked(office: Office, chip: SimulatedPivCard) -> None:
    with pytest.raises(CertificatePending):
        office.issue(chip)


def is_pulled(office: Office, chip: SimulatedPivCard) -> bool:
    """Issue the card; say whether the fault came before the end."""
    try:
        office.issue(chip)
    except CardRemoved:
        return True
    return False


def are_all_new(chip: SimulatedPivCard, before: dict[int, PrivateKey]) -> bool:
    return all(chip.keys[slot] is not key for slot, key in before.items())


# --- later -------------------------------------------------------------------


@CARDS
def test_a_card_whose_certificates_come_later_is_issued_when_it_comes_back(
    office: Office, options: PivOptions
) -> None:
    chip = blank(options)
    asked(office, chip)
    assert office.names() == [".csr", ".csr"]
    made = dict(chip.keys)
    for slot in KeySlot:
        office.answer(slot)
    issued = office.issue(chip)
    assert chip.keys == made, "the card kept its keys"
    assert issued.transport_pin is not None
    assert chip.has_pin(issued.transport_pin.reveal())
    assert not chip.admin.is_default
    key = issued.credential.authentication_key
    assert key is not None
    assert key_of(read(key.certificate)) == key.spki
    assert issued.credential.account == "ann@ad.test"
    assert office.names() == []
    assert office.source.waiting(issued.credential.card) == []


@CARDS
def test_what_is_pending_leaves_no_certificate_and_only_secrets_that_are_kept(
    office: Office, options: PivOptions
) -> None:
    chip = blank(options)
    asked(office, chip)
    assert not objects.CERTIFICATES.values() & chip.objects.keys()
    assert office.opens(chip)
    assert chip.admin.is_default
    assert office.credentials(State.ISSUED) == []


def test_asking_again_before_it_has_come_changes_nothing(office: Office) -> None:
    chip = blank(YUBIKEY)
    asked(office, chip)
    retired = len(office.credentials(State.RETIRED))
    office.answer(KeySlot.AUTHENTICATION)
    made = dict(chip.keys)
    asked(office, chip)
    assert chip.keys == made
    assert len(office.credentials(State.RETIRED)) == retired


def test_the_card_expires_with_its_certificate(office: Office) -> None:
    chip = blank()
    asked(office, chip)
    for slot in KeySlot:
        office.answer(slot)
    issued = office.issue(chip).credential
    assert issued.authentication_key is not None
    end = read(issued.authentication_key.certificate).not_valid_after_utc
    assert issued.expires_at == end.timestamp()


def test_what_was_asked_for_ann_is_not_given_to_another(office: Office) -> None:
    chip = blank(YUBIKEY)
    asked(office, chip)
    for slot in KeySlot:
        office.answer(slot)
    made = dict(chip.keys)
    with pytest.raises(CertificatePending):
        office.issue(chip, account="helpdesk")
    assert are_all_new(chip, made), "another person, other keys"
    assert office.names() == [".csr", ".csr"]


def test_a_card_that_has_lost_its_keys_gets_new_ones(office: Office) -> None:
    """It was reset in between; what has come is for keys that are no more."""
    asked(office, blank(YUBIKEY))
    for slot in KeySlot:
        office.answer(slot)
    reset = blank(YUBIKEY, seed=10)
    asked(office, reset)
    assert office.names() == [".csr", ".csr"]
    for slot in KeySlot:
        office.answer(slot)
    assert office.issue(reset).credential.state is State.ISSUED


def test_a_certificate_for_another_person_in_the_folder_is_not_written(
    office: Office,
) -> None:
    chip = blank(YUBIKEY)
    asked(office, chip)
    office.answer(KeySlot.AUTHENTICATION, account="mallory@ad.test")
    office.answer(KeySlot.CARD_AUTHENTICATION)
    before = dict(chip.objects)
    with pytest.raises(AnotherName):
        office.issue(chip)
    assert chip.objects == before
    office.answer(KeySlot.AUTHENTICATION)
    assert office.issue(chip).credential.state is State.ISSUED


@CARDS
def test_pulled_while_it_is_finished_it_goes_on_with_the_same_certificates(
    office: Office, options: PivOptions
) -> None:
    pulled = 0
    for at in range(1, 200, 3):
        own = options
        if options is YUBIKEY:
            own = of_yubikey(1000 + at, (5, 7, 0))
        chip = blank(own, seed=1000 + at)
        asked(office, chip)
        for slot in KeySlot:
            office.answer(slot)
        made = dict(chip.keys)
        office.readers.faults.set(PullAfter(at=at))
        if not is_pulled(office, chip):
            break
        pulled += 1
        office.readers.faults.set()
        issued = office.issue(chip)
        assert chip.keys == made, at
        lifecycle_events.act(office.desk, Action.RETIRE, issued.credential, "next")
    assert pulled > 5


# --- EST ---------------------------------------------------------------------


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EstServer]:
    folder = tmp_path / "server"
    folder.mkdir()
    with EstServer(folder) as server:
        yield server


@pytest.fixture
def est(office: Office, server: EstServer, tmp_path: Path) -> Office:
    """The office, with the EST server as its source."""
    password = tmp_path / "password"
    password.touch(0o600)
    password.write_text(PASSWORD)
    office.site.clock.advance(time.time() - office.site.clock.now())
    line = HttpsClient(
        HttpsSettings(
            url=server.url,
            ca_file=server.ca_file,
            user=USER,
            password_file=password,
            receive_timeout=1.0,
        )
    )
    settings = EstSettings(days=30, wait=5, labels={})
    client = EstClient(line, settings, office.site.clock)
    office.source = Ticketed(client, FolderTickets(tmp_path / "tickets"))
    return office


def test_a_card_is_issued_with_certificates_of_an_est_server(
    est: Office, server: EstServer
) -> None:
    chip = blank(YUBIKEY)
    issued = est.issue(chip).credential
    own = issued.authentication_key
    assert own is not None
    on_card = objects.read_certificate(chip.objects[objects.CERTIFICATE_9A])
    assert own.certificate == on_card
    assert accounts(read(on_card)) == ["ann@ad.test"]
    read(on_card).verify_directly_issued_by(server.issuer.certificate)
    assert server.paths() == ["/cacerts", "/simpleenroll", "/simpleenroll"]


@pytest.mark.parametrize(
    ("behaviour", "error"),
    [
        (Behaviour.REFUSES, SourceRefused),
        (Behaviour.SILENT, SourceSilent),
        (Behaviour.GARBAGE, SourceMalformed),
        (Behaviour.WRONG_KEY, AnotherKey),
        (Behaviour.WRONG_NAME, AnotherName),
        (Behaviour.OTHER_CA, NotOfThisIssuer),
    ],
)
def test_without_its_certificate_a_card_is_nobodys_and_can_be_issued_later(
    est: Office, server: EstServer, behaviour: Behaviour, error: type[SourceError]
) -> None:
    chip = blank(YUBIKEY)
    server.behaves(behaviour)
    with pytest.raises(error):
        est.issue(chip)
    assert not objects.CERTIFICATES.values() & chip.objects.keys()
    assert est.opens(chip)
    assert chip.admin.is_default
    assert est.credentials(State.ISSUED) == []
    reason = list(est.site.registry.audit_events())[-1].data["reason"]
    assert reason == f"not finished: {error.code}"
    server.behaves(Behaviour.GOOD)
    assert est.issue(chip).credential.state is State.ISSUED


def test_an_approval_that_takes_days_is_waited_for_without_the_card(
    est: Office, server: EstServer
) -> None:
    chip = blank(YUBIKEY)
    server.retry_after = "86400"
    server.behaves(Behaviour.ALWAYS_ACCEPTED)
    asked(est, chip)
    bodies = {each.body for each in server.asked if each.method == "POST"}
    server.behaves(Behaviour.GOOD)
    assert est.issue(chip).credential.state is State.ISSUED
    assert {each.body for each in server.asked if each.method == "POST"} == bodies


def test_what_was_refused_after_all_is_asked_for_anew(
    est: Office, server: EstServer
) -> None:
    chip = blank(YUBIKEY)
    server.retry_after = "86400"
    server.behaves(Behaviour.ALWAYS_ACCEPTED)
    asked(est, chip)
    server.behaves(Behaviour.FORBIDS)
    with pytest.raises(SourceRefused):
        est.issue(chip)
    server.behaves(Behaviour.GOOD)
    made = dict(chip.keys)
    assert est.issue(chip).credential.state is State.ISSUED
    assert are_all_new(chip, made)


# --- attestation -------------------------------------------------------------


def vouched(source: CertificateSource, *roots: x509.Certificate) -> AttestedOnly:
    return AttestedOnly(source, roots, required=True)


def test_a_yubikey_whose_maker_is_trusted_is_issued(office: Office) -> None:
    office.source = vouched(office.ca, simulated.root())
    assert office.issue(blank(YUBIKEY)).credential.state is State.ISSUED


def test_a_yubikey_whose_maker_is_not_trusted_gets_no_certificate(
    office: Office,
) -> None:
    office.source = vouched(office.ca)
    chip = blank(YUBIKEY)
    with pytest.raises(MakerNotTrusted):
        office.issue(chip)
    assert not objects.CERTIFICATES.values() & chip.objects.keys()


def test_a_ticket_keeps_what_the_card_has_attested(office: Office) -> None:
    office.source = vouched(office.source, simulated.root())
    chip = blank(YUBIKEY)
    asked(office, chip)
    for slot in KeySlot:
        office.answer(slot)
    assert office.issue(chip).credential.state is State.ISSUED


def test_a_certificate_that_the_same_person_had_is_renewed(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.source, renewed = office.ca, []
    obtain = office.ca.obtain

    def seen(request, *, now):  # type: ignore[no-untyped-def]  # as `obtain`
        renewed.append((request.slot, bool(request.renews)))
        return obtain(request, now=now)

    monkeypatch.setattr(office.ca, "obtain", seen)
    chip = blank(YUBIKEY)
    first = office.issue(chip).credential
    lifecycle_events.act(office.desk, Action.RETIRE, first, "worn")
    office.issue(chip)
    assert renewed == [
        (KeySlot.AUTHENTICATION, False),
        (KeySlot.CARD_AUTHENTICATION, False),
        (KeySlot.AUTHENTICATION, True),
        (KeySlot.CARD_AUTHENTICATION, False),
    ]

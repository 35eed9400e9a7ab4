"""A blank GIDS card becomes somebody's; whatever goes wrong, it can be issued again."""

from __future__ import annotations

import dataclasses
import datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from lab.desk.judged_certificates import names_trusted
from lab.desk.site import STAFF, Site, bench_at
from msgspec.structs import replace

from kiosk.authority.escrow import admin_unblock
from kiosk.authority.escrow.escrowed_secrets import TRANSPORT, open_field
from kiosk.authority.escrow.unblock_methods import keeps_admin_key
from kiosk.authority.office import lifecycle_events
from kiosk.authority.office.errors import AlreadyOnRecord
from kiosk.authority.office.operators import Action
from kiosk.authority.proof import signature
from kiosk.cards.errors import CardRemoved
from kiosk.cards.gids import objects
from kiosk.cards.values import Family, KeyAlgorithm, KeySlot
from kiosk.certificates import card_certificates
from kiosk.certificates.files import CertificateFolder
from kiosk.certificates.local_ca import Issuer, new_issuer
from kiosk.certificates.ports import Applicant, CertificatePending, CertificateSource
from kiosk.certificates.tickets import FolderTickets, Ticketed
from kiosk.config import OperatorRole
from kiosk.core.entropy import SeededEntropy
from kiosk.core.secret import Secret
from kiosk.enrollment.admin_keys import authenticate
from kiosk.enrollment.issue import Issued, Order, issue_card
from kiosk.enrollment.issue_gids import AdminKeyNotOurs, KeyNotOfThisCard
from kiosk.simulation.cards import gids_keys as simulated
from kiosk.simulation.cards.factory import rsa_key
from kiosk.simulation.cards.faults import PullAfter, PullBefore
from kiosk.simulation.cards.gids import SimulatedGidsCard
from kiosk.simulation.cards.gids_factory import make_gids_card
from kiosk.simulation.cards.options import GidsOptions
from kiosk.simulation.cards.reader import SimulatedReaders
from statemachine.lifecycle import State
from storage.records import CardType, Credential, FirstPin, UnblockMethod

GIDS = replace(
    STAFF,
    version=1,
    card_type=CardType.GIDS,
    key_algorithm="RSA-2048",
    unblock=(UnblockMethod.ADMIN_KEY_ONLINE,),
)


@pytest.fixture(autouse=True)
def _keys_are_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A 2048-bit key takes a tenth of a second; here they need not differ."""
    monkeypatch.setattr(
        simulated, "generate_private_key", lambda _, bits: rsa_key(bits)
    )


class Office:
    """An enrollment officer with a reader and GIDS cards."""

    def __init__(self, folder: Path) -> None:
        self.site = Site()
        self.site.template(GIDS)
        self.desk = self.site.desk(OperatorRole.OFFICER)
        self.readers = SimulatedReaders()
        certificate, key = new_issuer("CA", now=self.site.clock.now())
        (folder / "ca.pem").write_bytes(certificate)
        (folder / "ca.key").write_bytes(key)
        (folder / "ca.key").chmod(0o600)
        self.ca = Issuer.from_files(folder / "ca.pem", folder / "ca.key", days=30)
        self.issuer: CertificateSource = self.ca

    def issue(self, card: SimulatedGidsCard, account: str = "ann") -> Issued:
        order = Order(account=account, template="staff", issuer=self.issuer)
        inserted = self.readers.insert(card)
        try:
            issued = issue_card(bench_at(self.desk), inserted, order)
            return dataclasses.replace(
                issued, credential=self.site.kept(issued.credential)
            )
        finally:
            inserted.close()

    def is_pulled(self, card: SimulatedGidsCard) -> bool:
        """Issue the card; say whether the fault came before the end."""
        try:
            self.issue(card)
        except CardRemoved:
            return True
        return False

    def admin_key(self, credential: Credential) -> bytes:
        """Return the administrator key as the authority's unblock reads it."""
        envelope, field = credential.admin_key_sealed, admin_unblock.FIELD
        with open_field(self.site.parts, credential.id, field, envelope) as key:
            return bytes(key.reveal())

    def credential(self, id: str) -> Credential:
        return self.site.registry.run(lambda tx: tx.credential(id))

    def live(self) -> list[str]:
        found = self.site.registry.run(
            lambda tx: tx.credentials(state=State.ISSUED, limit=9)
        )
        return [each.id for each in found]

    def retire(self, credential: Credential) -> None:
        lifecycle_events.act(self.desk, Action.RETIRE, credential, "left")

    def kinds(self) -> list[str]:
        return [event.kind for event in self.site.registry.audit_events()]


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path)


def blank(seed: int = 9) -> SimulatedGidsCard:
    return SimulatedGidsCard(entropy=SeededEntropy(seed))


def must_be_usable(office: Office, card: SimulatedGidsCard, issued: Issued) -> None:
    """Judge from outside: the card, and what is on record of it."""
    credential, pin = issued.credential, issued.transport_pin
    assert pin is not None
    assert card.is_operational
    assert card.has_pin(pin.reveal())
    assert bytes(card.admin.key) == office.admin_key(credential)
    assert any(card.admin.key)
    assert credential.admin_key_before_sealed == ""
    assert credential.authentication_key is not None
    inserted = office.readers.insert(card)
    identity = inserted.recognise().identity
    assert identity.family is Family.GIDS
    assert identity.key == credential.card
    with inserted.session(identity) as session:
        session.verify(pin)
        signed = session.sign(KeySlot.AUTHENTICATION, KeyAlgorithm.RSA_2048, b"hello")
        der = session.certificate(KeySlot.AUTHENTICATION)
        with Secret(office.admin_key(credential)) as key:
            authenticate(session, key, office.site.parts.entropy)
    inserted.close()
    assert signature.is_valid(credential.authentication_key, b"hello", signed)
    assert der == credential.authentication_key.certificate


def test_an_issued_card_has_secrets_of_ours_and_its_key_is_on_record(
    office: Office,
) -> None:
    card = blank()
    issued = office.issue(card)
    must_be_usable(office, card, issued)
    assert issued.credential.state is State.ISSUED
    assert issued.credential.account_guid == office.site.ann
    assert issued.puk is None
    assert keeps_admin_key(issued.credential), "an unblock can use it"


def test_its_certificate_names_the_holder_and_is_the_sites(office: Office) -> None:
    issued = office.issue(blank())
    assert issued.credential.authentication_key is not None
    certificate = card_certificates.read(
        issued.credential.authentication_key.certificate
    )
    assert names_trusted(
        certificate,
        [office.ca.certificate],
        account="ann@ad.test",
        now=office.site.clock.now(),
    )
    end = certificate.not_valid_after_utc
    assert issued.credential.expires_at == end.timestamp()
    assert end.tzinfo is datetime.UTC


def test_issuing_is_audited_with_the_officer_the_key_and_its_proof(
    office: Office,
) -> None:
    office.issue(blank())
    assert office.kinds() == [
        "lifecycle.issue",
        "credential.key_recorded",
        "credential.admin_key_kept",
    ]
    assert next(office.site.registry.audit_events()).actor == "officer@ad.test"


def test_windows_is_told_that_what_it_keeps_of_the_card_is_old(office: Office) -> None:
    card = blank()
    issued = office.issue(card)
    fid, do = objects.CARD_CF
    assert card.files[fid][do].hex() == "000001000100"
    office.retire(issued.credential)
    office.issue(card)
    assert card.files[fid][do].hex() == "000002000200"


def test_with_an_activation_code_the_officer_never_sees_the_pin(
    office: Office,
) -> None:
    office.site.template(replace(GIDS, version=2, first_pin=FirstPin.ACTIVATION_CODE))
    card = blank()
    issued = office.issue(card)
    assert issued.transport_pin is None
    envelope, field = issued.credential.transport_pin_sealed, TRANSPORT
    pin = open_field(office.site.parts, issued.credential.id, field, envelope)
    assert card.has_pin(pin.reveal())


def test_no_secret_of_the_card_is_in_registry_or_audit(office: Office) -> None:
    issued = office.issue(blank())
    assert issued.transport_pin is not None
    credentials = office.site.registry.run(lambda tx: tx.credentials(limit=9))
    told = repr(credentials) + repr(list(office.site.registry.audit_events()))
    assert issued.transport_pin.reveal().decode() not in told
    assert office.admin_key(issued.credential).hex() not in told


def test_a_key_that_such_cards_do_not_make_is_refused_before_anything_is_done(
    office: Office,
) -> None:
    office.site.template(replace(GIDS, version=2, key_algorithm="P-256"))
    card = blank()
    with pytest.raises(KeyNotOfThisCard):
        office.issue(card)
    assert not card.is_operational
    assert card.files == {}
    assert office.kinds() == []


# --- cards that are not blank ------------------------------------------------


def test_a_card_that_is_on_record_is_not_touched(office: Office) -> None:
    card = blank()
    issued = office.issue(card)
    with pytest.raises(AlreadyOnRecord):
        office.issue(card)
    must_be_usable(office, card, issued)


def test_a_retired_card_is_issued_again_to_somebody_else(office: Office) -> None:
    card = blank()
    first = office.issue(card).credential
    key = office.admin_key(first)
    card.set_tries(pin=0)
    office.retire(first)
    second = office.issue(card, account="helpdesk")
    must_be_usable(office, card, second)
    assert second.credential.id != first.id
    assert second.credential.account == "helpdesk@ad.test"
    assert second.credential.card != first.card, "Windows keeps what it knows by name"
    assert office.admin_key(second.credential) != key


def test_a_card_in_use_elsewhere_is_left_alone_and_no_key_is_tried(
    office: Office,
) -> None:
    made = make_gids_card(
        SeededEntropy(4),
        subject="Else",
        pin=b"271828",
        admin_key=bytes(24),
        options=GidsOptions(admin_tries=5),
    )
    with pytest.raises(AdminKeyNotOurs):
        office.issue(made.card)
    assert made.card.admin.left == 5
    assert made.card.has_pin(b"271828")
    assert office.kinds() == []


def empty(admin_key: bytes) -> SimulatedGidsCard:
    """Make a card that somebody has made operational, and nobody uses."""
    made = make_gids_card(
        SeededEntropy(4), subject="-", pin=b"0000", admin_key=admin_key
    )
    fid, do = objects.CMAP_FILE
    made.card.files[fid][do] = b""
    return made.card


def test_an_empty_card_with_the_factorys_key_is_issued(office: Office) -> None:
    card = empty(bytes(24))
    must_be_usable(office, card, office.issue(card))


def test_an_empty_card_with_another_key_is_not_ours(office: Office) -> None:
    card = empty(bytes(range(24)))
    with pytest.raises(AdminKeyNotOurs):
        office.issue(card)
    assert card.has_pin(b"0000")
    assert office.kinds() == []


# --- whatever goes wrong -----------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("kind", [PullBefore, PullAfter])
def test_pulled_at_any_apdu_a_blank_card_can_be_issued(
    office: Office, kind: type[PullBefore] | type[PullAfter]
) -> None:
    office.readers.faults.set()
    office.issue(blank(77))
    count, live = office.readers.faults.count, office.live()
    assert count > 40
    for at in range(1, count + 1):
        card = blank(1000 + at)
        office.readers.faults.set(kind(at=at))
        is_last = not office.is_pulled(card)
        office.readers.faults.set()
        assert not is_last or at == count
        if is_last:
            break
        assert office.live() == live, at
        issued = office.issue(card)
        must_be_usable(office, card, issued)
        office.retire(issued.credential)


@pytest.mark.slow
@pytest.mark.parametrize("kind", [PullBefore, PullAfter])
def test_pulled_twice_at_any_apdus_a_retired_card_can_be_issued_again(
    office: Office, kind: type[PullBefore] | type[PullAfter]
) -> None:
    """Old key or new, and whichever of them is on record: one of them opens it."""
    card = blank()
    office.retire(office.issue(card).credential)
    office.readers.faults.set()
    office.retire(office.issue(card).credential)
    count = office.readers.faults.count
    for at in range(1, count):
        for again in (at, 9, 12, 14):
            office.readers.faults.set(kind(at=again))
            assert office.is_pulled(card), (at, again)
        office.readers.faults.set()
        assert office.live() == [], at
        issued = office.issue(card)
        must_be_usable(office, card, issued)
        office.retire(issued.credential)


def test_what_was_not_finished_is_retired_and_taken_up_again(office: Office) -> None:
    card = blank()
    office.readers.faults.set(PullAfter(at=40))
    assert office.is_pulled(card)
    event = list(office.site.registry.audit_events())[-1]
    assert event.kind == "lifecycle.retire"
    assert event.data["reason"] == "not finished: card.removed"
    office.readers.faults.set()
    issued = office.issue(card)
    assert issued.credential.id == event.credential, "trying leaves nothing behind"


def answer(ca: Issuer, request: Path, now: float) -> None:
    """Certify a request, as whoever runs the authority would."""
    csr = x509.load_pem_x509_csr(request.read_bytes())
    spki = csr.public_key().public_bytes(
        Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    )
    ann = Applicant(account="ann@ad.test", display_name="Ann", guid="")
    der = ca.certify(spki, ann, KeySlot.AUTHENTICATION, guid=bytes(16), now=now)
    pem = card_certificates.read(der).public_bytes(Encoding.PEM)
    request.with_suffix(".cer").write_bytes(pem)


def test_a_certificate_that_takes_days_finds_its_card_and_key_again(
    office: Office, tmp_path: Path
) -> None:
    folder = tmp_path / "requests"
    source = CertificateFolder(folder, days=30, issuers=[office.ca.certificate])
    office.issuer = Ticketed(source, FolderTickets(tmp_path / "tickets"))
    card = blank()
    with pytest.raises(CertificatePending):
        office.issue(card)
    (request,) = folder.glob("gids-cardid-*-9A.csr")
    key = card.keys[0x81]
    with pytest.raises(CertificatePending):
        office.issue(card)
    assert card.keys[0x81] is key
    answer(office.ca, request, office.site.clock.now())
    must_be_usable(office, card, office.issue(card))
    assert card.keys[0x81] is key, "the key that was certified"

"""Tokens behind PKCS#11 are issued: on SoftHSM, and on OpenSC's module with cards."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from lab.cards.events import Watch
from lab.cards.judges import opensc
from lab.cards.pcscd import Pcscd
from lab.cards.softhsm import MODULE, PIN, SoftToken, certificate, tool
from lab.desk.office import Office
from lab.desk.site import STAFF, Site, bench_at
from msgspec.structs import replace

from kiosk.authority.office import lifecycle_events
from kiosk.authority.office.errors import AlreadyOnRecord
from kiosk.authority.office.operators import Action
from kiosk.authority.proof.signature import is_valid
from kiosk.cards.errors import CardRemoved, NotSupported, PinRefused, WrongPin
from kiosk.cards.pcsc import PcscMonitor
from kiosk.cards.pkcs11 import card as pkcs11_card
from kiosk.cards.pkcs11.card import Pkcs11Card, Pkcs11Session
from kiosk.cards.pkcs11.process import ModuleProcess
from kiosk.cards.pkcs11.unblocking import Unblocking
from kiosk.cards.ports import Card, Connection
from kiosk.cards.values import Family, KeyAlgorithm, KeySlot
from kiosk.certificates.files import CertificateFolder
from kiosk.certificates.local_ca import Issuer, new_issuer
from kiosk.certificates.ports import Applicant, CertificatePending, CertificateSource
from kiosk.certificates.tickets import FolderTickets, Ticketed
from kiosk.config import OperatorRole
from kiosk.core.entropy import SeededEntropy
from kiosk.core.secret import Secret
from kiosk.enrollment.issue import Issued, Order, issue_card
from kiosk.enrollment.issue_token import NoTokenPin, TokenInUse, TokenPinRefused
from kiosk.simulation.cards.gids import SimulatedGidsCard
from kiosk.simulation.cards.idprime_factory import make_idprime_card
from statemachine.lifecycle import State
from storage.records import CardType, Credential, Template

STEPS = ("change_pin", "verify", "make_key", "sign_with", "put_certificate")
"""What issuing asks a token for; each may be the last that it answers."""


class Desk:
    """An enrollment officer, and a site that issues tokens."""

    def __init__(self, folder: Path, algorithm: KeyAlgorithm) -> None:
        self.site = Site()
        self.site.template(
            replace(
                STAFF,
                version=1,
                card_type=CardType.PKCS11,
                key_algorithm=str(algorithm),
            )
        )
        self.algorithm = algorithm
        self.desk = self.site.desk(OperatorRole.OFFICER)
        ca, key = new_issuer("CA", now=self.site.clock.now())
        (folder / "ca.pem").write_bytes(ca)
        (folder / "ca.key").write_bytes(key)
        (folder / "ca.key").chmod(0o600)
        self.issuer: CertificateSource = Issuer.from_files(
            folder / "ca.pem", folder / "ca.key", days=30
        )

    def issue(self, card: Card, pin: str | None = PIN, account: str = "ann") -> Issued:
        typed = Secret(pin.encode()) if pin else None
        order = Order(
            account=account, template="staff", issuer=self.issuer, token_pin=typed
        )
        return issue_card(bench_at(self.desk), card, order)

    def retire(self, credential: Credential) -> None:
        lifecycle_events.act(self.desk, Action.RETIRE, credential, "left")

    def live(self) -> list[str]:
        found = self.site.registry.run(
            lambda tx: tx.credentials(state=State.ISSUED, limit=9)
        )
        return [each.id for each in found]

    def must_be_usable(self, card: Card, issued: Issued) -> str:
        """Judge by a session of its own; return the transport PIN."""
        key, pin = issued.credential.authentication_key, issued.transport_pin
        assert key is not None
        assert pin is not None
        identity = card.recognise(Family.PKCS11).identity
        assert identity.key == issued.credential.card
        with card.session(identity) as session:
            assert session.certificate(KeySlot.AUTHENTICATION) == key.certificate
            session.verify(pin)
            signed = session.sign(KeySlot.AUTHENTICATION, self.algorithm, b"hello")
        assert is_valid(key, b"hello", signed)
        assert issued.credential.transport_pin_sealed == "", "it was handed over"
        return pin.reveal().decode()


@pytest.fixture
def card(soft_token: SoftToken) -> Iterator[Pkcs11Card]:
    process = ModuleProcess(MODULE, Unblocking.INIT_PIN)
    made = Pkcs11Card(process, reader=soft_token.reader, insertion=1)
    yield made
    made.close()


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path, KeyAlgorithm.P256)


# --- SoftHSM -----------------------------------------------------------------


@pytest.mark.parametrize(
    "algorithm", [KeyAlgorithm.P256, KeyAlgorithm.P384, KeyAlgorithm.RSA_2048]
)
def test_an_issued_token_has_our_pin_key_and_certificate(
    tmp_path: Path, card: Pkcs11Card, algorithm: KeyAlgorithm
) -> None:
    desk = Desk(tmp_path, algorithm)
    issued = desk.issue(card)
    pin = desk.must_be_usable(card, issued)
    assert issued.credential.state is State.ISSUED
    assert issued.credential.account_guid == desk.site.ann
    listed = tool(
        *("pkcs11-tool", "--module", str(MODULE), "--login", "--pin", pin),
        *("--token-label", "ann", "--list-objects"),
    )
    for kind in ("Private Key Object", "Public Key Object", "Certificate Object"):
        assert listed.count(kind) == 1
    assert "never extractable" in listed
    assert "extractable" not in listed.replace("never extractable", "")


def test_a_token_on_record_is_not_touched(desk: Desk, card: Pkcs11Card) -> None:
    issued = desk.issue(card)
    with pytest.raises(AlreadyOnRecord):
        desk.issue(card)
    desk.must_be_usable(card, issued)


def test_nothing_is_done_without_the_pin_that_the_token_has(
    desk: Desk, card: Pkcs11Card
) -> None:
    with pytest.raises(NoTokenPin):
        desk.issue(card, pin=None)
    with pytest.raises(WrongPin):
        desk.issue(card, pin="999999")
    assert list(desk.site.registry.audit_events()) == []
    desk.must_be_usable(card, desk.issue(card))


def test_a_token_that_somebody_signs_in_with_is_left_alone(
    desk: Desk, card: Pkcs11Card, soft_token: SoftToken
) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    soft_token.put(key, certificate(key), identifier="07")
    with pytest.raises(TokenInUse):
        desk.issue(card)
    with card.session(card.recognise().identity) as session:
        session.verify(Secret(PIN.encode()))
        session.sign(KeySlot.AUTHENTICATION, KeyAlgorithm.P256, b"still")


def test_a_retired_token_is_issued_to_somebody_else_with_one_key(
    desk: Desk, card: Pkcs11Card
) -> None:
    first = desk.issue(card)
    pin = desk.must_be_usable(card, first)
    desk.retire(first.credential)
    second = desk.issue(card, pin=pin, account="helpdesk")
    new = desk.must_be_usable(card, second)
    assert second.credential.account == "helpdesk@ad.test"
    keys = tool(
        *("pkcs11-tool", "--module", str(MODULE), "--login", "--pin", new),
        *("--token-label", "ann", "--list-objects", "--type", "privkey"),
    )
    assert keys.count("Private Key Object") == 1


@pytest.mark.parametrize("is_done", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", STEPS)
def test_pulled_at_any_step_the_token_is_issued_by_starting_over(
    desk: Desk,
    card: Pkcs11Card,
    monkeypatch: pytest.MonkeyPatch,
    step: str,
    is_done: bool,
) -> None:
    """The officer types what the token came with; what we have set is in escrow."""
    real: Callable[..., object] = getattr(Pkcs11Session, step)
    calls = 0

    def pulled(self: Pkcs11Session, *args: object) -> object:
        nonlocal calls
        calls += 1
        if step == "verify" and calls == 1:
            return real(self, *args)  # the first is before anything is changed
        if is_done:
            real(self, *args)
        raise CardRemoved(reader="r")

    with monkeypatch.context() as patch:
        patch.setattr(pkcs11_card.Pkcs11Session, step, pulled)
        with pytest.raises(CardRemoved):
            desk.issue(card)
    assert desk.live() == []
    issued = desk.issue(card)
    desk.must_be_usable(card, issued)
    assert len(desk.live()) == 1
    everything = desk.site.registry.run(lambda tx: tx.credentials(limit=9))
    assert len(everything) == 1, "trying leaves nothing behind"


def test_a_token_that_takes_no_pin_of_ours_keeps_the_one_it_had(
    desk: Desk, card: Pkcs11Card, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(self: Pkcs11Session, old: Secret, new: Secret) -> None:
        raise PinRefused

    with monkeypatch.context() as patch:
        patch.setattr(pkcs11_card.Pkcs11Session, "change_pin", refuses)
        with pytest.raises(TokenPinRefused):
            desk.issue(card)
    (credential,) = desk.site.registry.run(lambda tx: tx.credentials(limit=9))
    assert credential.transport_pin_sealed == "", "no try is spent on it"
    desk.must_be_usable(card, desk.issue(card))


def test_a_certificate_that_takes_days_finds_its_token_and_key_again(
    desk: Desk, card: Pkcs11Card, tmp_path: Path
) -> None:
    folder, ca = tmp_path / "requests", desk.issuer
    assert isinstance(ca, Issuer)
    source = CertificateFolder(folder, days=30, issuers=[ca.certificate])
    desk.issuer = Ticketed(source, FolderTickets(tmp_path / "tickets"))
    for _ in range(2):
        with pytest.raises(CertificatePending):
            desk.issue(card)
    (request,) = folder.glob("*-9A.csr")
    csr = x509.load_pem_x509_csr(request.read_bytes())
    spki = csr.public_key().public_bytes(
        Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    )
    ann = Applicant(account="ann@ad.test", display_name="Ann", guid="")
    now, slot = desk.site.clock.now(), KeySlot.AUTHENTICATION
    der = ca.certify(spki, ann, slot, guid=bytes(16), now=now)
    pem = x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM)
    request.with_suffix(".cer").write_bytes(pem)
    issued = desk.issue(card)
    desk.must_be_usable(card, issued)
    key = issued.credential.authentication_key
    assert key is not None
    assert key.spki == spki


def test_the_desk_asks_for_the_pin_that_the_token_has(card: Pkcs11Card) -> None:
    office = Office()
    office.person("alice")
    office.world.add_template(Template(name="token", card_type=CardType.PKCS11))
    office.sign_in("olga")
    office.choose("issue")
    office.submit(term="alice")
    office.choose("alice@ad.test")
    office.choose("token")
    office.page = office.desk.card_came(card)
    assert [field.name for field in office.page.fields] == ["token_pin"]
    office.submit({"token_pin": b"999999"})
    assert office.notice == "card.wrong_pin"
    office.submit({"token_pin": PIN.encode()})
    assert office.page.name == "issued", office.notice
    (found,) = office.world.registry.run(
        lambda tx: tx.credentials(state=State.ISSUED, limit=9)
    )
    assert found.account == "alice@ad.test"


# --- OpenSC's module ---------------------------------------------------------


def behind_opensc(
    connect: Callable[[], Connection],
    *,
    reader: str,
    insertion: int,
) -> Card:
    process = ModuleProcess(Path(opensc()), Unblocking.AUTO)
    return Pkcs11Card(process, reader=reader, insertion=insertion)


MORE = {Family.PKCS11: behind_opensc}


@pytest.mark.pcscd
def test_a_card_behind_opensc_is_issued_where_its_driver_makes_keys(
    pcscd: Pcscd, tmp_path: Path
) -> None:
    chip = SimulatedGidsCard(entropy=SeededEntropy(5))
    with Watch(PcscMonitor(more=MORE)) as watch:
        pcscd.readers[0].insert(chip)
        card = watch.card()
        tool(
            *("gids-tool", "--initialize", "--pin", PIN, "--admin-key", "11" * 24),
            *("--serial", "0123456789abcdef0123456789abcdef"),
        )
    desk = Desk(tmp_path, KeyAlgorithm.RSA_2048)
    issued = desk.issue(card)
    pin = desk.must_be_usable(card, issued)
    assert chip.has_pin(pin.encode())
    card.close()


@pytest.mark.pcscd
def test_a_card_whose_driver_makes_no_keys_is_refused_and_opened_again(
    pcscd: Pcscd, tmp_path: Path
) -> None:
    """IDPrime behind OpenSC: its key is not made there."""
    chip = make_idprime_card(SeededEntropy(3), subject="-", pin=PIN.encode()).card
    chip.files.pop(0x0301)
    with Watch(PcscMonitor(more=MORE)) as watch:
        pcscd.readers[0].insert(chip)
        card = watch.card()
    desk = Desk(tmp_path, KeyAlgorithm.RSA_2048)
    for _ in range(2):
        with pytest.raises(NotSupported):
            desk.issue(card)
    assert desk.live() == []
    assert chip.pin_tries_left == 5
    assert chip.has_pin(PIN.encode()), "nothing was had of it, so it is as it was"
    card.close()

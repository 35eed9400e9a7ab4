"""GIDS cards that an officer issued, judged by tools that nobody here wrote.

A blank card in a real reader is issued by our own desk; OpenSC's tools and OpenSSL then
say whether it is one.
"""

from __future__ import annotations

import dataclasses
import shutil
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
)
from lab.cards.events import Watch
from lab.cards.judges import accepted
from lab.cards.pcscd import Pcscd
from lab.desk.site import STAFF, Site, bench_at
from lab.not_run import not_run
from msgspec.structs import replace

from kiosk.authority.escrow import admin_unblock
from kiosk.authority.escrow.escrowed_secrets import open_field
from kiosk.authority.office import lifecycle_events
from kiosk.authority.office.operators import Action
from kiosk.cards.pcsc import PcscMonitor
from kiosk.cards.ports import Card
from kiosk.certificates import card_certificates
from kiosk.certificates.local_ca import Issuer, new_issuer
from kiosk.config import OperatorRole
from kiosk.core.entropy import SeededEntropy
from kiosk.core.secret import Secret
from kiosk.enrollment.issue import Issued, Order, issue_card
from kiosk.simulation.cards.gids import SimulatedGidsCard
from kiosk.simulation.cards.t0 import StrictT0Card
from storage.records import CardType

pytestmark = pytest.mark.pcscd

SECONDS = 60
PKCS11 = ("pkcs11-tool", "--slot-index", "0")
NEW = "314159"
OTHER_KEY = "00112233445566778899aabbccddeeff0011223344556677"


class Desk:
    """An officer, a blank card in a real reader, and other people's tools."""

    def __init__(self, pcscd: Pcscd, chip: SimulatedGidsCard, folder: Path) -> None:
        self._pcscd = pcscd
        self.chip = chip
        self.folder = folder
        self.site = Site()
        self.site.template(
            replace(STAFF, version=1, card_type=CardType.GIDS, key_algorithm="RSA-2048")
        )
        self.desk = self.site.desk(OperatorRole.OFFICER)
        certificate, key = new_issuer("CA", now=self.site.clock.now())
        self.ca = folder / "ca.pem"
        self.ca.write_bytes(certificate)
        (folder / "ca.key").write_bytes(key)
        (folder / "ca.key").chmod(0o600)
        self.issuer = Issuer.from_files(self.ca, folder / "ca.key", days=30)
        self.issued: Issued

    def issue(self, card: Card) -> None:
        order = Order(account="ann", template="staff", issuer=self.issuer)
        issued = issue_card(bench_at(self.desk), card, order)
        credential = self.site.kept(issued.credential)
        self.issued = dataclasses.replace(issued, credential=credential)

    @property
    def pin(self) -> str:
        pin = self.issued.transport_pin
        assert pin is not None
        return pin.reveal().decode()

    @property
    def admin_key(self) -> str:
        """The key in escrow, as it is typed."""
        credential = self.issued.credential
        envelope, field = credential.admin_key_sealed, admin_unblock.FIELD
        with open_field(self.site.parts, credential.id, field, envelope) as key:
            return key.reveal().hex()

    @property
    def public_key(self) -> Path:
        """The key on record, as a file."""
        key = self.issued.credential.authentication_key
        assert key is not None
        pem = load_der_public_key(key.spki).public_bytes(
            Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
        )
        (self.folder / "key.pem").write_bytes(pem)
        return self.folder / "key.pem"

    def run(self, *command: str) -> str:
        """Run a tool and return what it printed; it must succeed."""
        done = self.attempt(*command)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def attempt(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a tool, however it ends."""
        if shutil.which(command[0]) is None:
            raise not_run(f"{command[0]} is missing: apt-get install opensc openssl")
        return subprocess.run(
            command,
            env=self._pcscd.environment,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )


@pytest.fixture
def desk(pcscd: Pcscd, tmp_path: Path) -> Desk:
    chip = SimulatedGidsCard(entropy=SeededEntropy(4))
    with Watch(PcscMonitor()) as watch:
        pcscd.readers[0].insert(chip)
        card = watch.card()
    made = Desk(pcscd, chip, tmp_path)
    made.issue(card)
    card.close()
    return made


def test_opensc_finds_one_key_and_the_certificate_that_we_have_on_record(
    desk: Desk,
) -> None:
    assert "GIDS" in desk.run("opensc-tool", "--reader", "0", "--name")
    out = desk.folder / "card.pem"
    read = ("pkcs15-tool", "--reader", "0", "--read-certificate", "00")
    desk.run(*read, "--output", str(out))
    key = desk.issued.credential.authentication_key
    assert key is not None
    on_card = card_certificates.read(key.certificate).public_bytes(Encoding.PEM)
    assert out.read_bytes().split() == on_card.split()
    keys = desk.run("pkcs15-tool", "--reader", "0", "--list-keys")
    assert keys.count("Private RSA Key") == 1


def test_openssl_finds_the_certificate_to_be_the_sites(desk: Desk) -> None:
    out = desk.folder / "card.pem"
    read = ("pkcs15-tool", "--reader", "0", "--read-certificate", "00")
    desk.run(*read, "--output", str(out))
    at = str(int(desk.site.clock.now()) + 60)
    verify = ("openssl", "verify", "-attime", at, "-CAfile", str(desk.ca))
    desk.run(*verify, str(out))
    assert "ann@ad.test" in desk.run(
        "openssl", "x509", "-in", str(out), "-noout", "-text"
    )


def test_openssl_believes_a_signature_that_pkcs11_tool_had_made(desk: Desk) -> None:
    data, signature = desk.folder / "data", desk.folder / "signature"
    data.write_bytes(b"statement")
    login = ("--login", "--pin", desk.pin)
    what = ("--sign", "--mechanism", "SHA256-RSA-PKCS", "--input-file", str(data))
    desk.run(*PKCS11, *login, *what, "--output-file", str(signature))
    verify = (
        *("openssl", "dgst", "-sha256", "-verify", str(desk.public_key)),
        *("-signature", str(signature), str(data)),
    )
    assert accepted(desk.attempt(*verify))
    data.write_bytes(b"another statement")
    assert not accepted(desk.attempt(*verify))


def test_pkcs15_tool_changes_the_transport_pin(desk: Desk) -> None:
    change = ("pkcs15-tool", "--reader", "0", "--change-pin", "--pin", desk.pin)
    desk.run(*change, "--new-pin", NEW)
    assert desk.chip.has_pin(NEW.encode())


def test_gids_tool_unblocks_it_with_the_key_in_escrow_and_no_other(
    desk: Desk,
) -> None:
    desk.chip.set_tries(pin=0)
    unblock = ("gids-tool", "--unblock", "--pin", NEW, "--admin-key")
    desk.attempt(*unblock, OTHER_KEY)
    desk.attempt(*unblock, "00" * 24)
    assert not desk.chip.has_pin(NEW.encode())
    desk.run(*unblock, desk.admin_key)
    assert desk.chip.has_pin(NEW.encode())


def test_gids_tool_gives_it_another_key_and_reads_its_container(desk: Desk) -> None:
    change = ("gids-tool", "--change-admin-key", "--admin-key", desk.admin_key)
    desk.run(*change, "--new-admin-key", OTHER_KEY)
    assert desk.chip.admin.key == bytes.fromhex(OTHER_KEY)


def test_a_blank_card_that_speaks_t0_is_issued(pcscd: Pcscd, tmp_path: Path) -> None:
    chip = SimulatedGidsCard(entropy=SeededEntropy(6))
    with Watch(PcscMonitor()) as watch:
        pcscd.readers[0].insert(StrictT0Card(chip))
        card = watch.card()
    desk = Desk(pcscd, chip, tmp_path)
    desk.issue(card)
    identity = card.recognise().identity
    assert identity.key == desk.issued.credential.card
    with card.session(identity) as session, Secret(desk.pin.encode()) as pin:
        session.verify(pin)
    card.close()


def test_a_card_that_gids_tool_made_empty_is_issued_and_issued_again(
    pcscd: Pcscd, tmp_path: Path
) -> None:
    """As bought cards come: operational, with the key that everybody knows."""
    chip = SimulatedGidsCard(entropy=SeededEntropy(5))
    desk = Desk(pcscd, chip, tmp_path)
    with Watch(PcscMonitor()) as watch:
        pcscd.readers[0].insert(chip)
        watch.card().close()
        initialise = ("gids-tool", "--initialize", "--pin", "0000")
        desk.run(*initialise, "--admin-key", "00" * 24, "--serial", "01" * 16)
    for _ in range(2):
        with Watch(PcscMonitor()) as watch:
            card = watch.card()
        desk.issue(card)
        card.close()
        assert chip.has_pin(desk.pin.encode())
        desk.run("pkcs15-tool", "--reader", "0", "--verify-pin", "--pin", desk.pin)
        keys = desk.run("pkcs15-tool", "--reader", "0", "--list-keys")
        assert keys.count("Private RSA Key") == 1
        lifecycle_events.act(desk.desk, Action.RETIRE, desk.issued.credential, "left")

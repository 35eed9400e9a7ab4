"""OpenSC's GIDS tools judge the simulated card; its driver and ours agree."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key
from lab.cards.events import Watch
from lab.cards.judges import accepted
from lab.cards.pcscd import Pcscd
from lab.not_run import not_run

from kiosk.authority.escrow import admin_key
from kiosk.cards.errors import WrongPin
from kiosk.cards.pcsc import PcscMonitor
from kiosk.cards.ports import Card
from kiosk.cards.values import Family, KeyAlgorithm, KeySlot, Tries
from kiosk.core.entropy import SeededEntropy
from kiosk.core.secret import Secret
from kiosk.simulation.cards.factory import Made
from kiosk.simulation.cards.gids import SimulatedGidsCard
from kiosk.simulation.cards.gids_factory import make_gids_card

pytestmark = pytest.mark.pcscd

PIN, NEW = b"271828", b"Long-PIN-16-char"
KEY = "0123456789abcdeffedcba98765432108899aabbccddeeff"
OTHER_KEY = "00112233445566778899aabbccddeeff0011223344556677"
SECONDS = 60


class Judge:
    """A card in a real reader, and OpenSC's tools."""

    def __init__(self, pcscd: Pcscd, chip: SimulatedGidsCard) -> None:
        self._pcscd = pcscd
        self.chip = chip

    def run(self, *command: str) -> str:
        """Run a tool and return what it printed; it must succeed."""
        done = self.attempt(*command)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def attempt(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a tool, however it ends."""
        if shutil.which(command[0]) is None:
            raise not_run(f"{command[0]} is missing: apt-get install opensc")
        return subprocess.run(
            command,
            env=self._pcscd.environment,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )


@pytest.fixture
def blank(pcscd: Pcscd) -> Judge:
    """A card as it leaves the factory, in creation state."""
    chip = SimulatedGidsCard(entropy=SeededEntropy(4))
    with Watch(PcscMonitor()) as watch:
        pcscd.readers[0].insert(chip)
        watch.card().close()
    return Judge(pcscd, chip)


@pytest.fixture
def made() -> Made[SimulatedGidsCard]:
    return make_gids_card(
        SeededEntropy(4), subject="Ann", pin=PIN, admin_key=bytes.fromhex(KEY)
    )


@pytest.fixture
def card(pcscd: Pcscd, made: Made[SimulatedGidsCard]) -> Iterator[Card]:
    """A personalised card, as our own client holds it."""
    with Watch(PcscMonitor()) as watch:
        pcscd.readers[0].insert(made.card)
        found = watch.card()
    yield found
    found.close()


@pytest.fixture
def judge(pcscd: Pcscd, card: Card, made: Made[SimulatedGidsCard]) -> Judge:
    return Judge(pcscd, made.card)


# --- their tools, our card ------------------------------------------------------


def test_gids_tool_initialises_a_blank_card(blank: Judge) -> None:
    blank.run(
        "gids-tool",
        "--initialize",
        "--pin",
        PIN.decode(),
        "--admin-key",
        KEY,
        "--serial",
        "0123456789abcdef0123456789abcdef",
    )
    assert blank.chip.is_operational
    assert blank.chip.has_pin(PIN)
    assert blank.chip.admin.key == bytes.fromhex(KEY)


def test_gids_tool_unblocks_with_the_administrator_key(judge: Judge) -> None:
    judge.chip.set_tries(pin=0)
    judge.run("gids-tool", "--unblock", "--admin-key", KEY, "--pin", NEW.decode())
    assert judge.chip.has_pin(NEW)
    assert judge.chip.pin_tries_left == 3


def test_gids_tool_changes_the_administrator_key(judge: Judge) -> None:
    judge.run(
        "gids-tool",
        "--change-admin-key",
        "--admin-key",
        KEY,
        "--new-admin-key",
        OTHER_KEY,
    )
    assert judge.chip.admin.key == bytes.fromhex(OTHER_KEY)


def test_opensc_knows_the_card_and_its_certificate(judge: Judge) -> None:
    assert "GIDS" in judge.run("opensc-tool", "--reader", "0", "--name")
    listed = judge.run("pkcs15-tool", "--reader", "0", "--list-certificates")
    assert "X.509 Certificate" in listed


def test_pkcs15_tool_changes_the_pin(judge: Judge) -> None:
    judge.run(
        "pkcs15-tool",
        "--reader",
        "0",
        "--change-pin",
        "--pin",
        PIN.decode(),
        "--new-pin",
        "314159",
    )
    assert judge.chip.has_pin(b"314159")


OPENSC_LONGEST = b"Long-PIN-15-cha"
"""One character less than cards take: its own limit for these cards."""
PKCS11 = ("pkcs11-tool", "--slot-index", "0")
LOGIN = ("--login", "--pin", PIN.decode())


def test_pkcs11_tool_lists_the_token_its_key_and_certificate(judge: Judge) -> None:
    assert "PIN initialized" in judge.run("pkcs11-tool", "--list-token-slots")
    listed = judge.run(*PKCS11, *LOGIN, "--list-objects")
    for kind in ("Private Key Object; RSA", "Certificate Object; type = X.509 cert"):
        assert listed.count(kind) == 1


def test_pkcs11_tool_believes_the_signature_it_had_made_and_so_do_we(
    judge: Judge, made: Made[SimulatedGidsCard], tmp_path: Path
) -> None:
    data, signature = tmp_path / "data", tmp_path / "signature"
    data.write_bytes(b"statement")
    what = ("--mechanism", "SHA256-RSA-PKCS", "--input-file", str(data))
    output = ("--output-file", str(signature))
    judge.run(*PKCS11, *LOGIN, "--sign", *what, *output)
    public = load_der_public_key(made.authentication.spki)
    assert isinstance(public, rsa.RSAPublicKey)
    public.verify(
        signature.read_bytes(), b"statement", padding.PKCS1v15(), hashes.SHA256()
    )
    verify = (*PKCS11, "--verify", *what, "--signature-file", str(signature))
    assert accepted(judge.attempt(*verify))
    data.write_bytes(b"another statement")
    assert not accepted(judge.attempt(*verify))


def test_pkcs11_tool_changes_the_pin_and_we_verify_it(judge: Judge, card: Card) -> None:
    judge.run(*PKCS11, *LOGIN, "--change-pin", "--new-pin", "314159")
    with card.session(card.recognise().identity) as session:
        session.verify(Secret(b"314159"))


def test_opensc_and_we_count_the_same_tries(judge: Judge, card: Card) -> None:
    wrong = (*PKCS11, "--login", "--pin", "000000", "--list-objects")
    assert judge.attempt(*wrong).returncode != 0
    found = card.recognise()
    assert found.pin_tries == Tries(2, 3)
    with card.session(found.identity) as session, pytest.raises(WrongPin) as caught:
        session.verify(Secret(b"000000"))
    assert caught.value.tries_left == 1
    said = judge.run("pkcs15-tool", "--reader", "0", "--list-pins")
    assert "Tries left     : 1" in said


def test_a_pin_that_we_set_serves_pkcs15_tool(judge: Judge, card: Card) -> None:
    with card.session(card.recognise().identity) as session:
        session.change_pin(Secret(PIN), Secret(OPENSC_LONGEST))
    verify = ("pkcs15-tool", "--reader", "0", "--verify-pin", "--pin")
    judge.run(*verify, OPENSC_LONGEST.decode())
    assert judge.attempt(*verify, PIN.decode()).returncode != 0


# --- our client, through a real pcscd -------------------------------------------


def test_our_client_recognises_changes_and_signs(
    card: Card, made: Made[SimulatedGidsCard]
) -> None:
    found = card.recognise()
    assert found.identity == made.identity
    assert found.identity.family is Family.GIDS
    with card.session(found.identity) as session:
        session.change_pin(Secret(PIN), Secret(NEW))
        session.verify(Secret(NEW))
        signature = session.sign(
            KeySlot.AUTHENTICATION, KeyAlgorithm.RSA_2048, b"nonce"
        )
        session.logout()
    public = load_der_public_key(made.authentication.spki)
    assert isinstance(public, rsa.RSAPublicKey)
    public.verify(signature, b"nonce", padding.PKCS1v15(), hashes.SHA256())
    assert made.card.has_pin(NEW)


def test_a_held_card_waits_for_its_answer_and_lets_nobody_else_in(
    judge: Judge, card: Card, made: Made[SimulatedGidsCard]
) -> None:
    made.card.set_tries(pin=0)
    identity = card.recognise().identity
    with card.hold(identity) as session:
        challenge = session.challenge()
        outsider = judge.attempt("opensc-tool", "--reader", "0", "--name")
        assert outsider.returncode != 0, "the card is held exclusively"
        with Secret(bytes.fromhex(KEY)) as key:
            session.answer(admin_key.answer(key, challenge), Secret(NEW))
    assert made.card.has_pin(NEW)
    assert judge.attempt("opensc-tool", "--reader", "0", "--name").returncode == 0

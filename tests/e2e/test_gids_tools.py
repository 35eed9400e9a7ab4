"""OpenSC's GIDS tools judge the simulated card; its driver and ours agree."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key
from lab.events import Watch
from lab.pcscd import Pcscd

from kiosk.authority import admin_key
from kiosk.cards.pcsc import PcscMonitor
from kiosk.cards.ports import Card, Family, KeyAlgorithm, KeySlot
from kiosk.cards.simulated.factory import Made
from kiosk.cards.simulated.gids import SimulatedGidsCard
from kiosk.cards.simulated.gids_factory import make_gids_card
from kiosk.entropy import SeededEntropy
from kiosk.secret import Secret

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
        assert shutil.which(command[0]), "apt-get install opensc"
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

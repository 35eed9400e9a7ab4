"""OpenSC's IDPrime driver takes the simulated card for one; our client speaks by it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key
from lab.cards.events import Watch
from lab.cards.judges import opensc
from lab.cards.pcscd import Pcscd

from kiosk.authority.proof.signature import is_valid
from kiosk.cards.errors import (
    LastTryKept,
    NotSupported,
    PinRefused,
    UnknownCard,
    WrongPin,
)
from kiosk.cards.pcsc import PcscMonitor
from kiosk.cards.pkcs11.card import Pkcs11Card
from kiosk.cards.pkcs11.process import ModuleProcess
from kiosk.cards.pkcs11.unblocking import Unblocking
from kiosk.cards.ports import Card, Connection
from kiosk.cards.values import Family, KeyAlgorithm, KeySlot, Tries
from kiosk.core.entropy import SeededEntropy
from kiosk.core.secret import Secret
from kiosk.simulation.cards.factory import Made
from kiosk.simulation.cards.idprime import SimulatedIdPrimeCard
from kiosk.simulation.cards.idprime_factory import make_idprime_card
from kiosk.texts import text
from storage.records import PublicKey

pytestmark = pytest.mark.pcscd

PIN, NEW = b"271828", b"Long-PIN-16-char"
SECONDS = 60
TOOL = ("pkcs11-tool", "--module", opensc())


class Judge:
    """An IDPrime card in a real reader, OpenSC's tools, and our client."""

    def __init__(self, pcscd: Pcscd, more: dict[Family, Callable[..., Card]]) -> None:
        self._pcscd = pcscd
        self.made: Made[SimulatedIdPrimeCard] = make_idprime_card(
            SeededEntropy(3), subject="Ann Example", pin=PIN
        )
        self.chip = self.made.card
        with Watch(PcscMonitor(more=more)) as watch:
            pcscd.readers[0].insert(self.chip)
            self.card = watch.card()

    def attempt(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a tool, however it ends."""
        return subprocess.run(
            command,
            env=self._pcscd.environment,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )

    def run(self, *command: str) -> str:
        """Run a tool and return what it printed; it must succeed."""
        done = self.attempt(*command)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def key(self) -> PublicKey:
        made = self.made.authentication
        return PublicKey(slot="9A", algorithm=made.algorithm, spki=made.spki)


def behind_opensc(
    connect: Callable[[], Connection],
    *,
    reader: str,
    insertion: int,
) -> Card:
    process = ModuleProcess(Path(opensc()), Unblocking.AUTO)
    return Pkcs11Card(process, reader=reader, insertion=insertion)


@pytest.fixture
def judge(pcscd: Pcscd) -> Iterator[Judge]:
    made = Judge(pcscd, {Family.PKCS11: behind_opensc})
    yield made
    made.card.close()


def test_without_middleware_the_card_is_unknown(pcscd: Pcscd) -> None:
    judge = Judge(pcscd, {})
    with pytest.raises(UnknownCard):
        judge.card.recognise()
    judge.card.close()


def test_opensc_names_the_card_and_lists_its_key(judge: Judge) -> None:
    assert "IDPrime" in judge.run("opensc-tool", "-n")
    listed = judge.run(*TOOL, "--login", "--pin", PIN.decode(), "--list-objects")
    for kind in ("Certificate Object", "Public Key Object", "Private Key Object"):
        assert kind in listed
    assert judge.chip.second_pin_tries_left == 5


def test_card_info_tells_what_the_middleware_told(judge: Judge) -> None:
    kiosk = str(Path(sys.executable).with_name("kiosk"))
    told = judge.run(kiosk, "card", "info", "--module", opensc(), "--json")
    (found,) = (each["card"] for each in json.loads(told)["readers"] if each["card"])
    assert found["family"] == "pkcs11"
    assert found["key"] == judge.made.identity.key
    assert found["known_by"] == text("card.info.token_serial")
    assert judge.chip.pin_tries_left == 5
    bare = judge.attempt(kiosk, "card", "info", "--json")
    assert bare.returncode == 1


def test_opensc_signs_what_the_certificate_verifies(
    judge: Judge, tmp_path: Path
) -> None:
    message, signed = tmp_path / "message", tmp_path / "signed"
    message.write_bytes(b"nonce")
    judge.run(
        *(*TOOL, "--login", "--pin", PIN.decode(), "--sign"),
        *("--mechanism", "SHA256-RSA-PKCS", "--id", "0001"),
        *("--input-file", str(message), "--output-file", str(signed)),
    )
    key = load_der_public_key(judge.made.authentication.spki)
    assert isinstance(key, rsa.RSAPublicKey)
    key.verify(signed.read_bytes(), b"nonce", padding.PKCS1v15(), hashes.SHA256())


def test_opensc_changes_the_pin_and_counts_wrong_ones(judge: Judge) -> None:
    change = (*TOOL, "--login", "--change-pin", "--new-pin", "314159")
    assert judge.attempt(*change, "--pin", "999999").returncode != 0
    assert judge.chip.pin_tries_left == 4
    judge.run(*change, "--pin", PIN.decode())
    assert judge.chip.has_pin(b"314159")


def test_our_client_recognises_changes_and_signs(judge: Judge) -> None:
    found = judge.card.recognise()
    assert found.identity == judge.made.identity
    assert not found.has_puk
    with judge.card.session(found.identity) as session:
        session.change_pin(Secret(PIN), Secret(NEW))
        session.verify(Secret(NEW))
        signed = session.sign(KeySlot.AUTHENTICATION, KeyAlgorithm.RSA_2048, b"nonce")
        assert session.certificate(KeySlot.AUTHENTICATION) == (
            judge.made.authentication.certificate
        )
    assert is_valid(judge.key(), b"nonce", signed)
    assert judge.chip.has_pin(NEW)


def test_a_refused_value_and_a_missing_way_change_nothing(judge: Judge) -> None:
    with judge.card.session(judge.card.recognise().identity) as session:
        with pytest.raises(PinRefused):
            session.change_pin(Secret(PIN), Secret(b"12"))
        with pytest.raises(NotSupported):
            session.unblock(Secret(b"12345678"), Secret(NEW))
    assert judge.chip.has_pin(PIN)
    assert judge.chip.pin_tries_left == 5


def test_wrong_pins_count_and_the_last_try_is_kept(judge: Judge) -> None:
    judge.chip.set_tries(pin=3)
    with judge.card.session(judge.card.recognise().identity) as session:
        with pytest.raises(WrongPin):
            session.verify(Secret(b"999999"))
        with pytest.raises(WrongPin) as second:
            session.verify(Secret(b"999999"))
        assert second.value.tries_left == 1
        with pytest.raises(LastTryKept):
            session.verify(Secret(PIN))
    assert judge.card.recognise().pin_tries == Tries(1)
    assert judge.chip.pin_tries_left == 1
    assert judge.chip.second_pin_tries_left == 5

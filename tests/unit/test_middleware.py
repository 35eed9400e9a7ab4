"""The process with a vendor's module: contained, bounded, and told little."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding
from lab.cards.softhsm import CLIENT, LOGON, MAIL, MODULE, SoftToken, certificate

from kiosk.cards.errors import ModuleFailed, UnknownCard
from kiosk.cards.pkcs11 import line, messages, places, signing
from kiosk.cards.pkcs11.card import Pkcs11Card
from kiosk.cards.pkcs11.choice import TokenCertificate, best, candidate
from kiosk.cards.pkcs11.process import ModuleProcess
from kiosk.cards.pkcs11.signing import Mechanism
from kiosk.cards.pkcs11.unblocking import Unblocking, found_out, opensc_unblocks
from kiosk.cards.values import KeyAlgorithm
from kiosk.doctor import Health, middleware

pytestmark = pytest.mark.slow

# --- containment -------------------------------------------------------------


@pytest.fixture
def process(soft_token: SoftToken) -> Iterator[ModuleProcess]:
    made = ModuleProcess(MODULE, Unblocking.AUTO, seconds=20)
    yield made
    made.close()


def children() -> set[int]:
    """Return the processes that this thread has started and not ended."""
    return set(
        map(int, Path(f"/proc/self/task/{os.getpid()}/children").read_text().split())
    )


def started_by(act: Callable[[], object]) -> int:
    before = children()
    act()
    (found,) = children() - before
    return found


def find(process: ModuleProcess, reader: str) -> messages.Answer:
    return process.ask(messages.Find(reader=reader))


def test_a_module_that_hangs_is_ended_and_the_next_question_has_a_new_one(
    soft_token: SoftToken,
) -> None:
    process = ModuleProcess(MODULE, Unblocking.AUTO, seconds=5)
    child = started_by(lambda: find(process, soft_token.reader))
    os.kill(child, signal.SIGSTOP)
    with pytest.raises(ModuleFailed) as caught:
        find(process, soft_token.reader)
    assert caught.value.data == {"module": MODULE.name, "why": "no answer in time"}
    assert child not in children()
    assert isinstance(find(process, soft_token.reader), messages.TokenTold)
    process.close()


def test_a_module_that_crashes_takes_nobody_with_it(
    process: ModuleProcess, soft_token: SoftToken
) -> None:
    child = started_by(lambda: find(process, soft_token.reader))
    os.kill(child, signal.SIGKILL)
    with pytest.raises(ModuleFailed):
        find(process, soft_token.reader)
    assert isinstance(find(process, soft_token.reader), messages.TokenTold)


def test_the_process_ends_with_the_card(process: ModuleProcess) -> None:
    card = Pkcs11Card(process, reader="nobody", insertion=1)

    def recognise() -> None:
        with pytest.raises(UnknownCard):
            card.recognise()

    child = started_by(recognise)
    card.close()
    card.close()
    assert child not in children()


@pytest.mark.parametrize("path", ["/usr/bin/true", "/no/such/module.so"])
def test_what_is_no_module_is_named(path: str) -> None:
    process = ModuleProcess(Path(path), Unblocking.AUTO, seconds=20)
    with pytest.raises(ModuleFailed) as caught:
        Pkcs11Card(process, reader="r", insertion=1).recognise()
    assert caught.value.data["module"] == Path(path).name
    process.close()


def test_the_process_has_little_of_our_environment_and_none_of_our_words(
    process: ModuleProcess, soft_token: SoftToken, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KIOSK_TEST_ONLY", "not for modules")
    child = started_by(lambda: find(process, soft_token.reader))
    # Its memory is closed to us, as ours is to it: what it was started with is not.
    words = Path(f"/proc/{child}/cmdline").read_bytes()
    assert b"not for modules" not in words
    status = Path(f"/proc/{child}/status").read_text()
    assert "CoreDumping:\t0" in status
    started_with = Path(f"/proc/{child}/environ")
    if os.geteuid() != 0:  # even to its own user
        with pytest.raises(PermissionError):
            started_with.read_bytes()
        return
    try:
        environment = started_with.read_bytes()
    except PermissionError:
        return  # a container's root is not asked to trace: closed to it, too
    assert b"KIOSK_TEST_ONLY" not in environment
    assert b"SOFTHSM2_CONF" in environment


def test_doctor_says_whether_the_module_answers(process: ModuleProcess) -> None:
    (sound,) = middleware.module(process, MODULE)
    assert sound.health is Health.OK
    nothing = Path("/usr/bin/true")
    (broken,) = middleware.module(ModuleProcess(nothing, Unblocking.AUTO), nothing)
    assert broken.health is Health.FAIL
    assert broken.meaning.data["module"] == str(nothing)


# --- the line ----------------------------------------------------------------


@pytest.mark.parametrize(
    "sent",
    [
        b"\xff\xff\xff\xff",
        b"\x00\x00\x00\x05abc",
        b"\x00\x00\x00\x03\x00\x00\x00",
        b"\x00\x00\x00\x01\xc1",
    ],
)
def test_bytes_that_are_no_message_are_refused(sent: bytes) -> None:
    ours, theirs = socket.socketpair()
    with ours:
        with theirs:
            theirs.sendall(sent)
        with pytest.raises(line.Garbled):
            line.read(ours, messages.Answer)


def test_a_message_arrives_as_it_was_sent_and_shows_nothing_of_itself() -> None:
    ours, theirs = socket.socketpair()
    asked = messages.ChangeTokenPin(old=bytearray(b"271828"), new=bytearray(b"314159"))
    with ours, theirs:
        line.write(ours, asked)
        got = line.read(theirs, messages.Request)
    assert got == asked
    assert "271828" not in repr(asked)
    assert "31" not in repr(asked)


# --- which certificate -------------------------------------------------------


def of(number: str, made: object) -> TokenCertificate:
    found = candidate(bytes.fromhex(number), made.public_bytes(Encoding.DER))  # type: ignore[attr-defined]  # an x509.Certificate
    assert found is not None
    return found


def test_the_certificate_made_for_signing_in_wins() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    mail = of("01", certificate(key, [MAIL]))
    anything = of("02", certificate(key, []))
    documents = of("03", certificate(key, [], documents_only=True))
    logon = of("04", certificate(key, [LOGON]))
    client = of("05", certificate(key, [CLIENT]))
    assert best([mail, anything, documents, client, logon]) is logon
    assert best([mail, anything, documents]) is anything
    assert best([documents, mail]) is mail
    assert best([]) is None


def test_an_authority_and_rubbish_are_no_candidates() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    authority = certificate(key, is_authority=True).public_bytes(Encoding.DER)
    assert candidate(b"\x01", authority) is None
    assert candidate(b"\x01", b"\x30\x03\x02\x01\x05") is None
    assert candidate(b"\x01", b"") is None


# --- signing -----------------------------------------------------------------

MESSAGE = b"nonce"
SHA256 = "78377b525757b494427f89014f97d79928f3938d14eb51e20fb5dec9834eb304"


def test_rsa_is_given_a_digest_info_or_hashes_itself() -> None:
    raw = signing.job(KeyAlgorithm.RSA_2048, MESSAGE, {"RSA_PKCS", "SHA256_RSA_PKCS"})
    assert raw is not None
    assert raw.mechanism is Mechanism.RSA_PKCS
    assert raw.data.hex() == "3031300d060960864801650304020105000420" + SHA256
    whole = signing.job(KeyAlgorithm.RSA_3072, MESSAGE, {"SHA256_RSA_PKCS"})
    assert whole == signing.SigningJob(Mechanism.SHA256_RSA_PKCS, MESSAGE)


def test_a_mechanism_that_is_not_offered_is_not_tried() -> None:
    assert signing.job(KeyAlgorithm.P256, MESSAGE, {"RSA_PKCS"}) is None
    assert signing.job(KeyAlgorithm.RSA_2048, MESSAGE, {"ECDSA"}) is None
    assert signing.job(KeyAlgorithm.ED25519, MESSAGE, {"ECDSA"}) is None


def test_the_two_numbers_of_ecdsa_become_der() -> None:
    raw = (1).to_bytes(32, "big") + (0x80).to_bytes(32, "big")
    der = signing.signature(Mechanism.ECDSA, raw)
    assert der.hex() == "30070201010202" + "0080"
    assert decode_dss_signature(der) == (1, 0x80)
    assert signing.signature(Mechanism.RSA_PKCS, b"abc") == b"abc"
    for bad in (b"", b"\x01\x02\x03"):
        with pytest.raises(ValueError, match="r and s"):
            signing.signature(Mechanism.ECDSA, bad)


# --- unblocking, and where modules are ---------------------------------------


def test_only_a_known_way_of_unblocking_is_a_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    silent, told = tmp_path / "silent.conf", tmp_path / "told.conf"
    style = "user_pin_unblock_style = set_pin_in_unlogged_session;"
    for unread in (
        f"app opensc-pkcs11 {{\n pkcs11 {{\n # {style}\n }}\n}}\n",
        f"app default {{\n framework pkcs15 {{\n {style}\n }}\n}}\n",
        f"app opensc-pkcs11 {{ pkcs11 {{ {style.replace(' ', '')} }} }}\n",
    ):
        silent.write_text(unread)
        assert not opensc_unblocks([silent])
    told.write_text(f"app opensc-pkcs11 {{\n  pkcs11 {{\n {style}\n  }}\n}}\n")
    assert opensc_unblocks([told])
    assert not opensc_unblocks([silent])
    assert not opensc_unblocks([tmp_path / "none.conf"])
    auto, set_pin = Unblocking.AUTO, Unblocking.SET_PIN
    monkeypatch.setenv("OPENSC_CONF", str(silent))
    for wanted in (auto, set_pin, Unblocking.PREFIXES):
        assert found_out(wanted, "smart card", "OpenSC Project") is Unblocking.NONE
    monkeypatch.setenv("OPENSC_CONF", str(told))
    assert found_out(auto, "smart card", "OpenSC Project") is set_pin
    assert found_out(auto, "PIV", "Yubico (www.yubico.com)") is Unblocking.PREFIXES
    assert found_out(auto, "eToken", "SafeNet, Inc.") is Unblocking.NONE
    assert found_out(Unblocking.NONE, "PIV", "Yubico") is Unblocking.NONE
    init_pin = Unblocking.INIT_PIN
    assert found_out(init_pin, "eToken", "SafeNet, Inc.") is init_pin


def test_a_module_is_looked_for_by_absolute_paths_only(tmp_path: Path) -> None:
    assert all(place.is_absolute() for place in places.known_places())
    there = tmp_path / "module.so"
    there.touch()
    assert places.first_there([tmp_path / "none.so", there]) == there
    assert places.first_there([]) is None

"""Programs nobody here wrote judge the simulated card, through a real pcscd.

What they do to the card our own client reads back, and the other way round.
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import (
    Prehashed,
    encode_dss_signature,
)
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_public_key,
)
from lab.cards.judges import Judge, judged
from lab.cards.pcscd import Pcscd
from msgspec.structs import replace

from kiosk.authority.proof.signature import is_valid
from kiosk.cards.piv import objects
from kiosk.cards.values import KeyAlgorithm, KeySlot
from kiosk.core.secret import Secret
from kiosk.simulation.cards.options import (
    Variant,
    of_variant,
    of_yubikey,
)
from storage.records import PublicKey

pytestmark = pytest.mark.pcscd

OPTIONS = {
    "a": of_variant(Variant.A),
    "b": of_variant(Variant.B),
    "yubikey": of_yubikey(12345678),
}
AS_YUBIKEYS = {
    name: replace(options, version=b"\5\4\3", serial=(12345678).to_bytes(4, "big"))
    for name, options in OPTIONS.items()
}
"""The same cards, with what newer tools of Yubico's want before they do anything."""
YUBICO = ("yubico-piv-tool", "--reader", "Virtual")


@pytest.fixture(params=OPTIONS)
def judge(
    pcscd: Pcscd, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Judge]:
    """A card of each kind in a real reader."""
    with judged(pcscd, OPTIONS[request.param], tmp_path) as judge:
        yield judge


@pytest.fixture(params=AS_YUBIKEYS)
def yubikey(
    pcscd: Pcscd, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Judge]:
    """The same cards, as YubiKeys."""
    with judged(pcscd, AS_YUBIKEYS[request.param], tmp_path) as judge:
        yield judge


# --- OpenSC ----------------------------------------------------------------------


def test_opensc_sees_a_piv_card(judge: Judge) -> None:
    said = judge.run("opensc-tool", "--reader", "0", "--name")
    assert "Personal Identity Verification Card" in said


def test_opensc_tells_the_serial_number_from_the_guid(judge: Judge) -> None:
    said = judge.run("piv-tool", "--reader", "0", "--serial")
    chuid = judge.made.card.objects[objects.CHUID]
    guid = chuid[chuid.index(b"\x34\x10") + 2 :][:16]
    assert guid.hex(" ").upper() in said


def test_opensc_lists_both_certificates(judge: Judge) -> None:
    said = judge.run("pkcs15-tool", "--reader", "0", "--list-certificates")
    assert "Certificate for PIV Authentication" in said
    assert "Certificate for Card Authentication" in said


def test_opensc_verifies_changes_and_unblocks_the_pin(judge: Judge) -> None:
    tool = ("pkcs15-tool", "--reader", "0")
    judge.run(*tool, "--verify-pin", "--pin", "123456")
    judge.run(*tool, "--change-pin", "--pin", "123456", "--new-pin", "654321")
    assert judge.made.card.has_pin(b"654321")
    judge.made.card.set_tries(pin=0)
    judge.run(*tool, "--unblock-pin", "--puk", "12345678", "--new-pin", "234291")
    with judge.card.session(judge.made.identity) as session:
        session.verify(Secret(b"234291"))


def test_a_pkcs11_signature_is_one_of_the_key_on_record(judge: Judge) -> None:
    digest = hashlib.sha256(b"statement").digest()
    (judge.home / "digest").write_bytes(digest)
    judge.run(
        *("pkcs11-tool", "--slot-index", "0", "--login", "--pin", "123456"),
        *("--sign", "--mechanism", "ECDSA", "--id", "01"),
        *("--input-file", str(judge.home / "digest")),
        *("--output-file", str(judge.home / "signature")),
    )
    raw = (judge.home / "signature").read_bytes()
    half = len(raw) // 2
    signature = encode_dss_signature(
        int.from_bytes(raw[:half], "big"), int.from_bytes(raw[half:], "big")
    )
    certificate = x509.load_der_x509_certificate(judge.made.authentication.certificate)
    key = certificate.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    key.verify(signature, digest, ec.ECDSA(Prehashed(hashes.SHA256())))


PKCS11 = ("pkcs11-tool", "--slot-index", "0")


def test_pkcs11_tool_lists_slot_keys_and_certificates(judge: Judge) -> None:
    slots = judge.run("pkcs11-tool", "--list-token-slots")
    assert "PIN initialized" in slots
    listed = judge.run(*PKCS11, "--login", "--pin", "123456", "--list-objects")
    for kind in ("Private Key Object; EC", "Certificate Object; type = X.509 cert"):
        assert listed.count(kind) == 2


def test_pkcs11_tool_believes_the_signature_it_had_made(judge: Judge) -> None:
    for name in ("data", "signature"):
        (judge.home / name).write_bytes(b"statement")
    at = ("--input-file", str(judge.home / "data"))
    judge.run(
        *(*PKCS11, "--login", "--pin", "123456", "--sign", "--id", "01"),
        *("--mechanism", "ECDSA-SHA256", *at),
        *("--output-file", str(judge.home / "signature")),
    )
    verify = (
        *(*PKCS11, "--verify", "--id", "01", "--mechanism", "ECDSA-SHA256", *at),
        *("--signature-file", str(judge.home / "signature")),
    )
    assert judge.believes(*verify)
    (judge.home / "data").write_bytes(b"another statement")
    assert not judge.believes(*verify)


def test_pkcs11_tool_changes_the_pin_and_we_verify_it(judge: Judge) -> None:
    judge.run(
        *(*PKCS11, "--login", "--pin", "123456"),
        *("--change-pin", "--new-pin", "654321"),
    )
    with judge.card.session(judge.made.identity) as session:
        session.verify(Secret(b"654321"))


def test_pkcs11_tool_and_we_count_the_same_tries(judge: Judge) -> None:
    total = judge.made.card.pin_tries_left
    wrong = (*PKCS11, "--login", "--pin", "000000", "--list-objects")
    assert judge.attempt(*wrong).returncode != 0
    assert judge.card.recognise().pin_tries.left == total - 1
    with judge.card.session(judge.made.identity) as session:
        session.verify(Secret(b"123456"))
    assert judge.card.recognise().pin_tries.left == total


def test_a_new_pin_of_our_making_serves_pkcs15_tool(judge: Judge) -> None:
    with judge.card.session(judge.made.identity) as session:
        session.change_pin(Secret(b"123456"), Secret(b"654321"))
    tool = ("pkcs15-tool", "--reader", "0")
    judge.run(*tool, "--verify-pin", "--pin", "654321")
    judge.run(*tool, "--change-pin", "--pin", "654321", "--new-pin", "234291")
    with judge.card.session(judge.made.identity) as session:
        session.verify(Secret(b"234291"))


@pytest.mark.parametrize("option", ["--cert", "--compresscert"])
def test_piv_tool_stores_a_certificate_under_the_management_key(
    judge: Judge, monkeypatch: pytest.MonkeyPatch, option: str
) -> None:
    key_file = judge.home / "management-key"
    key_file.write_text(":".join(["01:02:03:04:05:06:07:08"] * 3))
    monkeypatch.setenv("PIV_EXT_AUTH_KEY", str(key_file))
    own = judge.made.authentication.certificate
    pem = x509.load_der_x509_certificate(own).public_bytes(Encoding.PEM)
    stored = judge.home / "certificate"
    stored.write_bytes(pem if option == "--cert" else gzip.compress(own))
    # It ends with the number of bytes it has sent as its exit code.
    judge.attempt(
        *("piv-tool", "--reader", "0", "--admin", "M:9B:03"),
        *(option, "9E", "--in", str(stored)),
    )
    with judge.card.session(judge.made.identity) as session:
        assert session.certificate(KeySlot.CARD_AUTHENTICATION) == own


# --- yubico-piv-tool ----------------------------------------------------------------


def test_yubico_tells_the_state_of_the_card(yubikey: Judge) -> None:
    said = yubikey.run(*YUBICO, "--action", "status")
    assert "CN=Ann Example" in said
    assert f"PIN tries left:\t{yubikey.made.card.pin_tries_left}" in said
    assert "Serial Number:\t12345678" in said
    assert "Version:\t5.4.3" in said


def test_yubico_verifies_changes_and_unblocks_the_pin(yubikey: Judge) -> None:
    chip = yubikey.made.card
    old, new = ("--pin", "123456"), ("--new-pin", "654321")
    yubikey.run(*YUBICO, "--action", "verify-pin", *old)
    yubikey.run(*YUBICO, "--action", "change-pin", *old, *new)
    assert chip.has_pin(b"654321")
    yubikey.run(
        *(*YUBICO, "--action", "change-puk"),
        *("--pin", "12345678", "--new-pin", "87654321"),
    )
    assert chip.has_puk(b"87654321")
    chip.set_tries(pin=0)
    yubikey.run(
        *(*YUBICO, "--action", "unblock-pin"),
        *("--pin", "87654321", "--new-pin", "234291"),
    )
    with yubikey.card.session(yubikey.made.identity) as session:
        session.verify(Secret(b"234291"))


@pytest.mark.parametrize(
    ("name", "algorithm"),
    [("ECCP256", KeyAlgorithm.P256), ("RSA2048", KeyAlgorithm.RSA_2048)],
)
def test_a_key_that_yubico_generates_signs_for_us(
    yubikey: Judge, name: str, algorithm: KeyAlgorithm
) -> None:
    file = yubikey.home / "key.pem"
    yubikey.run(
        *(*YUBICO, "--action", "generate", "--slot", "9a", "--algorithm", name),
        *("--output", str(file)),
    )
    spki = load_pem_public_key(file.read_bytes()).public_bytes(
        Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    )
    with yubikey.card.session(yubikey.made.identity) as session:
        session.verify(Secret(b"123456"))
        signature = session.sign(KeySlot.AUTHENTICATION, algorithm, b"nonce")
    assert is_valid(
        PublicKey(slot="9A", algorithm=algorithm, spki=spki), b"nonce", signature
    )


def test_yubico_believes_a_signature_under_our_certificate(yubikey: Judge) -> None:
    certificate = str(yubikey.home / "certificate.pem")
    read = ("--action", "read-certificate", "--slot", "9a", "--output", certificate)
    yubikey.run(*YUBICO, *read)
    said = yubikey.run(
        *(*YUBICO, "--action", "verify-pin", "--action", "test-signature"),
        *("--slot", "9a", "--input", certificate, "--pin", "123456"),
    )
    assert "Successful ECDSA verification" in said


def test_a_certificate_that_yubico_stores_is_read_by_us(yubikey: Judge) -> None:
    certificate = str(yubikey.home / "certificate.pem")
    read = ("--action", "read-certificate", "--slot", "9a", "--output", certificate)
    yubikey.run(*YUBICO, *read)
    write = ("--action", "import-certificate", "--slot", "9e", "--input", certificate)
    yubikey.run(*YUBICO, *write)
    with yubikey.card.session(yubikey.made.identity) as session:
        stored = session.certificate(KeySlot.CARD_AUTHENTICATION)
    assert stored == yubikey.made.authentication.certificate


def test_a_guid_that_was_replaced_elsewhere_does_not_hide_a_yubikey(
    yubikey: Judge,
) -> None:
    before = yubikey.made.card.objects[objects.CHUID]
    yubikey.run(*YUBICO, "--action", "set-chuid")
    assert yubikey.made.card.objects[objects.CHUID] != before
    assert yubikey.card.recognise().identity == yubikey.made.identity


def test_yubico_replaces_the_management_key(yubikey: Judge) -> None:
    new = "0102030405060708010203040506070801020304050607aa"
    yubikey.run(*YUBICO, "--action", "set-mgm-key", "--new-key", new)
    assert yubikey.made.card.admin.is_key(bytes.fromhex(new))

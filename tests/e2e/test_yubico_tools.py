"""Yubico's own programs take our simulated YubiKey for one of theirs, and serve it.

`ykman` asks the Management application first, `libykcs11` wants a reader with the
right name; both read and change what our client then finds, and the other way round.
"""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Callable, Iterator
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
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_public_key,
)
from lab.cards.judges import PIN, Judge, judged, ykcs11
from lab.cards.pcscd import YUBICO, Pcscd

from kiosk.authority.proof.signature import is_valid
from kiosk.cards.errors import PinBlocked, PukBlocked, WrongPin
from kiosk.cards.piv import objects
from kiosk.cards.values import KeyAlgorithm, KeySlot, Tries
from kiosk.core.secret import Secret
from kiosk.simulation.cards.options import PivOptions, of_bio_key, of_yubikey
from storage.records import PublicKey

pytestmark = pytest.mark.pcscd

SERIAL = 12345678
FIRMWARE = {
    "5.2": of_yubikey(SERIAL, (5, 2, 7)),
    "5.4": of_yubikey(SERIAL),
    "5.7": of_yubikey(SERIAL, (5, 7, 1)),
}
MANAGEMENT_KEY = "010203040506070801020304050607080102030405060708"
KEYED = ("--management-key", MANAGEMENT_KEY)


@pytest.fixture
def insert(pcscd: Pcscd, tmp_path: Path) -> Iterator[Callable[[PivOptions], Judge]]:
    """Give every kind of YubiKey a reader of its own name."""
    pcscd.start_as_yubikeys()
    ends = []

    def put(options: PivOptions) -> Judge:
        context = judged(pcscd, options, tmp_path)
        ends.append(context)
        return context.__enter__()

    yield put
    for context in ends:
        context.__exit__(None, None, None)


@pytest.fixture(params=FIRMWARE)
def yubikey(
    insert: Callable[[PivOptions], Judge], request: pytest.FixtureRequest
) -> Judge:
    """A YubiKey of each firmware that differs."""
    return insert(FIRMWARE[request.param])


@pytest.fixture
def newest(insert: Callable[[PivOptions], Judge]) -> Judge:
    """A YubiKey with everything."""
    return insert(FIRMWARE["5.7"])


def ykman(judge: Judge, *arguments: str) -> str:
    """Run ykman for the card, as its owner would."""
    return judge.run("ykman", "--device", str(SERIAL), *arguments)


def fact(said: str, name: str) -> str:
    """Return what ykman tells under a name, however it sets its columns."""
    told = dict(line.split(":", 1) for line in said.splitlines() if ":" in line)
    return told[name].strip()


def pin_tries(said: str) -> int:
    """Return the tries left, of which some versions tell the total beside."""
    return int(fact(said, "PIN tries remaining").partition("/")[0])


# --- ykman: what it sees ---------------------------------------------------------


def test_ykman_finds_the_key_in_a_reader_of_its_name(yubikey: Judge) -> None:
    assert yubikey.card.reader.startswith(YUBICO)
    said = yubikey.run("ykman", "list")
    version = ".".join(str(each) for each in yubikey.made.card.options.version)
    assert f"({version})" in said
    assert f"Serial: {SERIAL}" in said


def test_ykman_info_tells_the_state_of_the_card(yubikey: Judge) -> None:
    yubikey.made.card.set_tries(pin=2)
    said = ykman(yubikey, "piv", "info")
    version = ".".join(str(each) for each in yubikey.made.card.options.version)
    assert fact(said, "PIV version") == version
    assert pin_tries(said) == 2
    assert said.count("CN=Ann Example") == 4
    chuid = objects.read_chuid(yubikey.made.card.objects[objects.CHUID])
    assert chuid.guid.hex() in said


def test_ykman_warns_of_the_factorys_pin_where_metadata_tell(yubikey: Judge) -> None:
    tells = yubikey.made.card.options.has_metadata
    assert ("Using default PIN" in ykman(yubikey, "piv", "info")) is tells
    yubikey.made.card.set_pin(b"481516")
    assert "Using default PIN" not in ykman(yubikey, "piv", "info")


# --- ykman: PIN and PUK --------------------------------------------------------------


def test_ykman_changes_pin_and_puk_and_unblocks(yubikey: Judge) -> None:
    chip = yubikey.made.card
    ykman(yubikey, "piv", "access", "change-pin", "-P", "123456", "-n", "654321")
    assert chip.has_pin(b"654321")
    ykman(yubikey, "piv", "access", "change-puk", "-p", "12345678", "-n", "87654321")
    assert chip.has_puk(b"87654321")
    chip.set_tries(pin=0)
    ykman(yubikey, "piv", "access", "unblock-pin", "-p", "87654321", "-n", "234291")
    with yubikey.card.session(yubikey.made.identity) as session:
        session.verify(Secret(b"234291"))


def test_ykman_and_we_count_the_same_tries(yubikey: Judge) -> None:
    done = yubikey.attempt(
        *("ykman", "--device", str(SERIAL), "piv", "access", "change-pin"),
        *("-P", "000000", "-n", "654321"),
    )
    assert done.returncode != 0
    assert "2 tries left" in done.stdout + done.stderr
    assert yubikey.card.recognise().pin_tries.left == 2
    with (
        yubikey.card.session(yubikey.made.identity) as session,
        pytest.raises(WrongPin),
    ):
        session.verify(Secret(b"000000"))
    assert pin_tries(ykman(yubikey, "piv", "info")) == 1


def test_counters_that_ykman_sets_are_told_beyond_fifteen(newest: Judge) -> None:
    ykman(
        newest,
        *("piv", "access", "set-retries", "20", "5"),
        *(*KEYED, "--pin", "123456", "--force"),
    )
    found = newest.card.recognise()
    assert (found.pin_tries, found.puk_tries) == (Tries(20, 20), Tries(5, 5))
    assert found.pin_is_default


def test_a_key_blocked_by_both_is_reset_by_ykman_to_the_factorys_state(
    yubikey: Judge,
) -> None:
    ykman(yubikey, "piv", "reset", "--force")
    chip = yubikey.made.card
    assert not chip.objects.keys() - {objects.CHUID, objects.CCC}
    assert not chip.keys
    assert chip.has_pin(PIN)
    assert chip.pin_tries_left == chip.puk_tries_left == 3


def test_ykman_cannot_unblock_a_bio_key_and_neither_can_we(
    insert: Callable[[PivOptions], Judge],
) -> None:
    bio = insert(of_bio_key(SERIAL))
    assert not bio.card.recognise().has_puk
    done = bio.attempt(
        *("ykman", "--device", str(SERIAL), "piv", "access", "unblock-pin"),
        *("-p", "12345678", "-n", "234291"),
    )
    assert done.returncode != 0
    assert bio.made.card.has_pin(PIN)


# --- ykman: keys and certificates ------------------------------------------------


@pytest.mark.parametrize(
    ("name", "algorithm"),
    [
        ("ECCP256", KeyAlgorithm.P256),
        ("ECCP384", KeyAlgorithm.P384),
        ("RSA2048", KeyAlgorithm.RSA_2048),
    ],
)
def test_a_key_and_certificate_of_ykmans_making_serve_us(
    yubikey: Judge, name: str, algorithm: KeyAlgorithm
) -> None:
    file = str(yubikey.home / "key.pem")
    ykman(yubikey, "piv", "keys", "generate", *KEYED, "-a", name, "9a", file)
    ykman(
        yubikey,
        *("piv", "certificates", "generate", *KEYED, "--pin", "123456"),
        *("--subject", "Bert", "9a", file),
    )
    key = load_pem_public_key(Path(file).read_bytes())
    with yubikey.card.session(yubikey.made.identity) as session:
        certificate = session.certificate(KeySlot.AUTHENTICATION)
        session.verify(Secret(PIN))
        signature = session.sign(KeySlot.AUTHENTICATION, algorithm, b"nonce")
    spki = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert is_valid(
        PublicKey(slot="9A", algorithm=algorithm, spki=spki), b"nonce", signature
    )
    assert x509.load_der_x509_certificate(certificate).public_key() == key


def test_the_policies_that_ykman_gives_a_key_are_read_by_us(newest: Judge) -> None:
    file = str(newest.home / "key.pem")
    ykman(
        newest,
        *("piv", "keys", "generate", *KEYED, "--pin-policy", "ALWAYS"),
        *("--touch-policy", "CACHED", "-a", "ECCP256", "9a", file),
    )
    newest.made.card.contact.missed = 1
    assert newest.card.recognise().touch
    with newest.card.session(newest.made.identity) as session:
        session.verify(Secret(PIN))
        session.sign(KeySlot.AUTHENTICATION, KeyAlgorithm.P256, b"one")
        session.sign(KeySlot.AUTHENTICATION, KeyAlgorithm.P256, b"two")
    assert newest.made.card.pin_tries_left == 3


def foreign(home: Path) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    """Make a key and certificate somewhere else, as files key.pem and cert.pem."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Elsewhere")])
    start = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(77)
        .not_valid_before(start)
        .not_valid_after(start + datetime.timedelta(days=365))
        .sign(key, hashes.SHA256())
    )
    (home / "key.pem").write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    (home / "cert.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    return key, certificate


def test_a_key_and_certificate_that_ykman_imports_serve_us(yubikey: Judge) -> None:
    key, certificate = foreign(yubikey.home)
    at = {name: str(yubikey.home / f"{name}.pem") for name in ("key", "cert")}
    ykman(yubikey, "piv", "keys", "import", *KEYED, "9a", at["key"])
    ykman(yubikey, "piv", "certificates", "import", *KEYED, "9a", at["cert"])
    with yubikey.card.session(yubikey.made.identity) as session:
        stored = session.certificate(KeySlot.AUTHENTICATION)
        session.verify(Secret(PIN))
        signature = session.sign(
            KeySlot.AUTHENTICATION, KeyAlgorithm.P256, b"statement"
        )
    assert stored == certificate.public_bytes(Encoding.DER)
    key.public_key().verify(signature, b"statement", ec.ECDSA(hashes.SHA256()))


def test_a_guid_that_ykman_replaces_does_not_make_another_card(
    yubikey: Judge,
) -> None:
    before = objects.read_chuid(yubikey.made.card.objects[objects.CHUID])
    foreign(yubikey.home)
    file = str(yubikey.home / "cert.pem")
    ykman(yubikey, "piv", "certificates", "import", *KEYED, "9e", file)
    after = objects.read_chuid(yubikey.made.card.objects[objects.CHUID])
    assert after.guid != before.guid, "ykman does this with every certificate"
    assert yubikey.card.recognise().identity == yubikey.made.identity


def test_what_the_factory_key_states_is_read_by_ykman(yubikey: Judge) -> None:
    file = yubikey.home / "statement.pem"
    ykman(yubikey, "piv", "keys", "attest", "9a", str(file))
    statement = x509.load_pem_x509_certificate(file.read_bytes())
    own = x509.load_der_x509_certificate(yubikey.made.authentication.certificate)
    assert statement.public_key() == own.public_key()


# --- libykcs11 through pkcs11-tool ------------------------------------------------


def pkcs11(judge: Judge, *arguments: str) -> str:
    """Run pkcs11-tool with Yubico's module."""
    return judge.run("pkcs11-tool", "--module", ykcs11(), *arguments)


def test_ykcs11_lists_a_token_of_the_keys_number(yubikey: Judge) -> None:
    said = pkcs11(yubikey, "--list-token-slots")
    assert f"YubiKey PIV #{SERIAL}" in said


def test_ykcs11_signs_with_the_key_on_record(yubikey: Judge) -> None:
    digest = hashlib.sha256(b"statement").digest()
    (yubikey.home / "digest").write_bytes(digest)
    pkcs11(
        yubikey,
        *("--login", "--pin", "123456", "--sign", "--mechanism", "ECDSA"),
        *("--id", "01", "--input-file", str(yubikey.home / "digest")),
        *("--output-file", str(yubikey.home / "signature")),
    )
    raw = (yubikey.home / "signature").read_bytes()
    half = len(raw) // 2
    signature = encode_dss_signature(
        int.from_bytes(raw[:half], "big"), int.from_bytes(raw[half:], "big")
    )
    own = x509.load_der_x509_certificate(yubikey.made.authentication.certificate)
    key = own.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    key.verify(signature, digest, ec.ECDSA(Prehashed(hashes.SHA256())))


def test_ykcs11_changes_the_pin_and_unblocks_it_with_a_marked_puk(
    yubikey: Judge,
) -> None:
    chip = yubikey.made.card
    login = ("--login", "--pin", "123456")
    pkcs11(yubikey, *login, "--change-pin", "--new-pin", "654321")
    assert chip.has_pin(b"654321")
    chip.set_tries(pin=0)
    unlock = ("--unlock-pin", "--puk", "puk:12345678")
    pkcs11(yubikey, *unlock, "--new-pin", "pin:234291")
    with yubikey.card.session(yubikey.made.identity) as session:
        session.verify(Secret(b"234291"))
    pkcs11(yubikey, *unlock, "--new-pin", "puk:87654321")
    assert chip.has_puk(b"87654321")


def test_wrong_pins_through_ykcs11_block_the_card_for_us_too(yubikey: Judge) -> None:
    command = ("pkcs11-tool", "--module", ykcs11(), "--login", "--pin", "000000")
    for _ in range(3):
        assert yubikey.attempt(*command, "--list-objects").returncode != 0
    assert yubikey.card.recognise().pin_tries.is_blocked
    with (
        yubikey.card.session(yubikey.made.identity) as session,
        pytest.raises(PinBlocked),
    ):
        session.verify(Secret(PIN))


def test_a_puk_that_ykman_used_up_is_used_up_for_us(yubikey: Judge) -> None:
    for _ in range(3):
        yubikey.attempt(
            *("ykman", "--device", str(SERIAL), "piv", "access", "unblock-pin"),
            *("-p", "00000000", "-n", "234291"),
        )
    with (
        yubikey.card.session(yubikey.made.identity) as session,
        pytest.raises(PukBlocked),
    ):
        session.unblock(Secret(b"12345678"), Secret(b"234291"))

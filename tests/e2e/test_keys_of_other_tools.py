"""Keys and certificates that Yubico's programs put on a card, and what they sign there.

`yubico-piv-tool`, `ykman` and `libykcs11` each make, import, certify and take away; our
client then finds what they say they did, and signs with it.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_public_key,
)
from lab.cards.judges import Judge, judged, ykcs11
from lab.cards.pcscd import Pcscd

from kiosk.authority.proof.signature import is_valid
from kiosk.cards.errors import ObjectMissing
from kiosk.cards.ports import Card
from kiosk.cards.values import CardIdentity, KeyAlgorithm, KeySlot
from kiosk.core.secret import Secret
from kiosk.simulation.cards.options import of_yubikey
from storage.records import PublicKey

pytestmark = pytest.mark.pcscd

SERIAL = 12345678
MANAGEMENT_KEY = "010203040506070801020304050607080102030405060708"
KEYED = ("--management-key", MANAGEMENT_KEY)
PIV_TOOL = ("yubico-piv-tool", "--reader", "Yubico")
ALGORITHMS = [KeyAlgorithm.P256, KeyAlgorithm.P384, KeyAlgorithm.RSA_2048]


@pytest.fixture
def yubikey(pcscd: Pcscd, tmp_path: Path) -> Iterator[Judge]:
    """A YubiKey in a reader that Yubico's programs take for one."""
    pcscd.start_as_yubikeys()
    with judged(pcscd, of_yubikey(SERIAL), tmp_path) as judge:
        yield judge


def pair(
    home: Path, algorithm: KeyAlgorithm
) -> tuple[ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, x509.Certificate]:
    """Make a key and certificate elsewhere, as files key.pem and cert.pem."""
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
    match algorithm:
        case KeyAlgorithm.P256:
            key = ec.generate_private_key(ec.SECP256R1())
        case KeyAlgorithm.P384:
            key = ec.generate_private_key(ec.SECP384R1())
        case _:
            key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Elsewhere")])
    start = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(78)
        .not_valid_before(start)
        .not_valid_after(start + datetime.timedelta(days=365))
        .sign(key, hashes.SHA256())
    )
    (home / "key.pem").write_bytes(
        key.private_bytes(
            Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()
        )
    )
    (home / "cert.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    return key, certificate


def certificate_of(card: Card, identity: CardIdentity) -> x509.Certificate:
    """Return what our client reads from 9A."""
    with card.session(identity) as session:
        return x509.load_der_x509_certificate(
            session.certificate(KeySlot.AUTHENTICATION)
        )


Key = ec.EllipticCurvePublicKey | rsa.RSAPublicKey


def signature_of(judge: Judge, algorithm: KeyAlgorithm) -> bytes:
    """Have 9A sign the nonce, through our client."""
    with judge.card.session(judge.made.identity) as session:
        session.verify(Secret(b"123456"))
        return session.sign(KeySlot.AUTHENTICATION, algorithm, b"nonce")


def is_by(key: Key, algorithm: KeyAlgorithm, message: bytes, signature: bytes) -> bool:
    """Say whether a signature is that key's."""
    spki = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    on_record = PublicKey(slot="9A", algorithm=algorithm, spki=spki)
    return is_valid(on_record, message, signature)


# --- yubico-piv-tool ---------------------------------------------------------------


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_key_and_certificate_that_yubico_imports_serve_us(
    yubikey: Judge, algorithm: KeyAlgorithm
) -> None:
    key, certificate = pair(yubikey.home, algorithm)
    slot = ("--slot", "9a", "--input")
    key_file, cert_file = (str(yubikey.home / f"{it}.pem") for it in ("key", "cert"))
    yubikey.run(*PIV_TOOL, "--action", "import-key", *slot, key_file)
    yubikey.run(*PIV_TOOL, "--action", "import-certificate", *slot, cert_file)
    assert certificate_of(yubikey.card, yubikey.made.identity) == certificate
    signature = signature_of(yubikey, algorithm)
    assert is_by(key.public_key(), algorithm, b"nonce", signature)


@pytest.mark.parametrize(
    ("name", "algorithm", "digest"),
    [
        ("ECCP256", KeyAlgorithm.P256, "SHA256"),
        ("ECCP384", KeyAlgorithm.P384, "SHA384"),
        ("RSA2048", KeyAlgorithm.RSA_2048, "SHA256"),
    ],
)
def test_what_yubico_has_the_card_sign_is_as_good_as_what_we_have_signed(
    yubikey: Judge, name: str, algorithm: KeyAlgorithm, digest: str
) -> None:
    public, data, output = (yubikey.home / it for it in ("public", "data", "signature"))
    data.write_bytes(b"statement")
    slot = ("--slot", "9a", "--algorithm", name)
    yubikey.run(*PIV_TOOL, "--action", "generate", *slot, "--output", str(public))
    yubikey.run(
        *(*PIV_TOOL, "--action", "verify-pin", "--pin", "123456", "--sign", *slot),
        *("--hash", digest, "--input", str(data), "--output", str(output)),
    )
    key = load_pem_public_key(public.read_bytes())
    assert isinstance(key, ec.EllipticCurvePublicKey | rsa.RSAPublicKey)
    assert is_by(key, algorithm, b"statement", output.read_bytes())
    assert is_by(key, algorithm, b"nonce", signature_of(yubikey, algorithm))


def test_a_certificate_that_yubico_takes_away_is_missing_for_us(yubikey: Judge) -> None:
    yubikey.run(*PIV_TOOL, "--action", "delete-certificate", "--slot", "9a")
    with (
        yubikey.card.session(yubikey.made.identity) as session,
        pytest.raises(ObjectMissing),
    ):
        session.certificate(KeySlot.AUTHENTICATION)


# --- ykman ---------------------------------------------------------------------------


def ykman(judge: Judge, *arguments: str) -> str:
    """Run ykman for the card, as its owner would."""
    return judge.run("ykman", "--device", str(SERIAL), "piv", *arguments)


def test_ykman_exports_the_certificate_that_we_read(yubikey: Judge) -> None:
    file = yubikey.home / "exported.pem"
    ykman(yubikey, "certificates", "export", "9a", str(file))
    exported = x509.load_pem_x509_certificate(file.read_bytes())
    assert exported == certificate_of(yubikey.card, yubikey.made.identity)


def test_a_request_that_ykman_has_the_card_sign_stands_by_itself(
    yubikey: Judge,
) -> None:
    own = certificate_of(yubikey.card, yubikey.made.identity)
    public, request = yubikey.home / "public.pem", yubikey.home / "request.pem"
    public.write_bytes(
        own.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    ykman(
        yubikey,
        *("certificates", "request", "--pin", "123456", "--subject", "Bert"),
        *("9a", str(public), str(request)),
    )
    asked = x509.load_pem_x509_csr(request.read_bytes())
    assert asked.is_signature_valid
    assert asked.public_key() == own.public_key()


def test_a_certificate_that_ykman_takes_away_is_missing_for_us(yubikey: Judge) -> None:
    ykman(yubikey, "certificates", "delete", *KEYED, "--pin", "123456", "9a")
    with (
        yubikey.card.session(yubikey.made.identity) as session,
        pytest.raises(ObjectMissing),
    ):
        session.certificate(KeySlot.AUTHENTICATION)


# --- libykcs11 -----------------------------------------------------------------------


def test_a_key_made_through_ykcs11_signs_for_us(yubikey: Judge) -> None:
    module = ("pkcs11-tool", "--module", ykcs11())
    officer = ("--login", "--login-type", "so", "--so-pin", MANAGEMENT_KEY)
    said = yubikey.run(
        *(*module, *officer, "--keypairgen", "--id", "01"),
        *("--key-type", "EC:secp384r1"),
    )
    point = re.search(r"EC_POINT: +0461([0-9a-f]{194})\n", said)
    assert point is not None, said
    key = ec.EllipticCurvePublicKey.from_encoded_point(
        ec.SECP384R1(), bytes.fromhex(point[1])
    )
    signature = signature_of(yubikey, KeyAlgorithm.P384)
    assert is_by(key, KeyAlgorithm.P384, b"nonce", signature)


def test_a_certificate_written_through_ykcs11_is_read_by_us(yubikey: Judge) -> None:
    _, certificate = pair(yubikey.home, KeyAlgorithm.P256)
    file = yubikey.home / "cert.der"
    file.write_bytes(certificate.public_bytes(Encoding.DER))
    yubikey.run(
        *("pkcs11-tool", "--module", ykcs11(), "--login", "--login-type", "so"),
        *("--so-pin", MANAGEMENT_KEY, "--id", "01", "--type", "cert"),
        *("--write-object", str(file)),
    )
    assert certificate_of(yubikey.card, yubikey.made.identity) == certificate


def test_ykcs11_believes_the_signature_it_had_made(yubikey: Judge) -> None:
    data, signature = yubikey.home / "data", yubikey.home / "signature"
    data.write_bytes(b"statement")
    module = ("pkcs11-tool", "--module", ykcs11(), "--id", "01")
    what = ("--mechanism", "ECDSA-SHA256", "--input-file", str(data))
    login = ("--login", "--pin", "123456")
    yubikey.run(*module, *login, "--sign", *what, "--output-file", str(signature))
    verify = (*module, "--verify", *what, "--signature-file", str(signature))
    assert yubikey.believes(*verify)
    data.write_bytes(b"another statement")
    assert not yubikey.believes(*verify)

"""A certificate is made for one account, and believed only from a trusted issuer."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID
from lab.desk.judged_certificates import names_trusted

from kiosk.cards.values import KeySlot
from kiosk.certificates import card_certificates
from kiosk.certificates.card_certificates import (
    NotACertificate,
    NotTrusted,
    UnreadableCertificate,
)
from kiosk.certificates.local_ca import CannotIssue, Issuer, new_issuer
from kiosk.certificates.ports import Applicant
from kiosk.core.secret_file import SecretExposed

NOW = 1_767_261_600.0
DAY = 86_400.0
ANN = Applicant(
    display_name="Ann \x1b[2J Example", account="ann@ad.test", guid="ann's own"
)
CARD = bytes(range(16))


def spki() -> bytes:
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


@pytest.fixture
def issuer(tmp_path: Path) -> Issuer:
    return made(tmp_path)


def made(folder: Path, *, days: int = 30) -> Issuer:
    certificate, key = new_issuer("Test issuer", now=NOW)
    (folder / "ca.pem").write_bytes(certificate)
    (folder / "ca.key").write_bytes(key)
    (folder / "ca.key").chmod(0o600)
    return Issuer.from_files(folder / "ca.pem", folder / "ca.key", days=days)


def certified(
    issuer: Issuer, slot: KeySlot = KeySlot.AUTHENTICATION
) -> x509.Certificate:
    return card_certificates.read(issuer.certify(spki(), ANN, slot, guid=CARD, now=NOW))


def is_of(
    certificate: x509.Certificate,
    anchor: x509.Certificate,
    account: str = "ann@ad.test",
    now: float = NOW,
) -> bool:
    return names_trusted(certificate, [anchor], account=account, now=now)


def test_a_certificate_of_the_sites_issuer_is_believed_for_its_account(
    issuer: Issuer,
) -> None:
    assert is_of(certified(issuer), issuer.certificate, account="ANN@ad.test")


def test_a_certificate_of_another_issuer_is_not(issuer: Issuer, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    with pytest.raises(NotTrusted):
        is_of(certified(issuer), made(other).certificate)


@pytest.mark.parametrize(
    ("named", "account", "is_same"),
    [
        ("Müller@ad.test", "müller@AD.test", True),
        ("mu\u0308ller@ad.test", "m\u00fcller@ad.test", True),
        ("strasse@ad.test", "stra\u00dfe@ad.test", False),
        ("muller@ad.test", "m\u00fcller@ad.test", False),
    ],
)
def test_names_are_the_same_but_for_case_and_how_an_accent_is_written(
    issuer: Issuer, named: str, account: str, is_same: bool
) -> None:
    person = Applicant(display_name="Ann", account=named, guid="")
    der = issuer.certify(spki(), person, KeySlot.AUTHENTICATION, guid=CARD, now=NOW)
    certificate = card_certificates.read(der)
    assert is_of(certificate, issuer.certificate, account=account) is is_same


def test_a_certificate_for_another_account_is_not(issuer: Issuer) -> None:
    assert not is_of(certified(issuer), issuer.certificate, account="bob@ad.test")


@pytest.mark.parametrize("now", [NOW - DAY, NOW + 31 * DAY])
def test_a_certificate_counts_only_while_it_is_valid(
    issuer: Issuer, now: float
) -> None:
    with pytest.raises(NotTrusted):
        is_of(certified(issuer), issuer.certificate, now=now)


def test_an_issuer_that_has_expired_vouches_for_nothing(tmp_path: Path) -> None:
    issuer = made(tmp_path, days=3650 * 2)
    with pytest.raises(NotTrusted):
        is_of(certified(issuer), issuer.certificate, now=NOW + 3651 * DAY)


def test_a_cards_own_certificate_vouches_for_no_other(issuer: Issuer) -> None:
    """A leaf is no authority, whatever its key has signed."""
    key = ec.generate_private_key(ec.SECP256R1())
    der = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    leaf = card_certificates.read(
        issuer.certify(der, ANN, KeySlot.AUTHENTICATION, guid=CARD, now=NOW)
    )
    forged = certified(Issuer(leaf, key, 30))
    forged.verify_directly_issued_by(leaf)
    with pytest.raises(NotTrusted):
        is_of(forged, leaf)


def test_the_two_keys_of_a_card_are_certified_for_their_own_uses(
    issuer: Issuer,
) -> None:
    uses = {
        slot: certified(issuer, slot)
        .extensions.get_extension_for_class(x509.ExtendedKeyUsage)
        .value
        for slot in KeySlot
    }
    logon = ExtendedKeyUsageOID.SMARTCARD_LOGON
    assert logon in uses[KeySlot.AUTHENTICATION]
    assert logon not in uses[KeySlot.CARD_AUTHENTICATION]


def test_a_name_cannot_carry_escape_sequences_into_a_certificate(
    issuer: Issuer,
) -> None:
    assert "\x1b" not in certified(issuer).subject.rfc4514_string()


def test_a_certificate_without_an_account_names_none() -> None:
    certificate, _ = new_issuer("x", now=NOW)
    assert card_certificates.accounts(x509.load_pem_x509_certificate(certificate)) == []


def test_a_key_that_does_not_belong_to_the_certificate_issues_nothing(
    tmp_path: Path,
) -> None:
    made(tmp_path)
    _, other = new_issuer("x", now=NOW)
    (tmp_path / "ca.key").write_bytes(other)
    with pytest.raises(CannotIssue):
        Issuer.from_files(tmp_path / "ca.pem", tmp_path / "ca.key", days=1)


def test_a_key_file_without_a_key_issues_nothing(tmp_path: Path) -> None:
    made(tmp_path)
    (tmp_path / "ca.key").write_bytes(b"no key")
    with pytest.raises(CannotIssue):
        Issuer.from_files(tmp_path / "ca.pem", tmp_path / "ca.key", days=1)


def test_a_key_file_that_others_may_read_issues_nothing(tmp_path: Path) -> None:
    made(tmp_path)
    (tmp_path / "ca.key").chmod(0o644)
    with pytest.raises(SecretExposed):
        Issuer.from_files(tmp_path / "ca.pem", tmp_path / "ca.key", days=1)


def test_bytes_that_are_no_certificate_are_told(tmp_path: Path) -> None:
    with pytest.raises(UnreadableCertificate):
        card_certificates.read(b"\x30\x03\x02\x01")
    with pytest.raises(NotACertificate):
        card_certificates.read_pem(tmp_path / "none.pem")


def test_an_rsa_key_of_a_card_is_certified_too(issuer: Issuer) -> None:
    key = rsa.generate_private_key(65537, 2048).public_key()
    der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    made = issuer.certify(der, ANN, KeySlot.AUTHENTICATION, guid=CARD, now=NOW)
    assert is_of(card_certificates.read(made), issuer.certificate)

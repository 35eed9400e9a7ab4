"""A request names whom its certificate is for, and the card itself has signed it."""

from __future__ import annotations

import dataclasses
import uuid

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from lab.cards.requests import ANN, GUID, card

from kiosk.authority.errors import ProofFailed
from kiosk.cards import tlv
from kiosk.cards.values import KeyAlgorithm, KeySlot
from kiosk.certificates import certificate_requests, profiles
from kiosk.certificates.local_ca import Issuer, new_issuer
from kiosk.certificates.ports import Applicant, CertificateRequest

NOW = 1_767_261_600.0
KINDS = (
    KeyAlgorithm.P256,
    KeyAlgorithm.P384,
    KeyAlgorithm.RSA_2048,
    KeyAlgorithm.ED25519,
)


def read(request: CertificateRequest) -> x509.CertificateSigningRequest:
    return x509.load_der_x509_csr(request.csr)


def names(request: CertificateRequest) -> x509.SubjectAlternativeName:
    return (
        read(request)
        .extensions.get_extension_for_class(x509.SubjectAlternativeName)
        .value
    )


@pytest.mark.parametrize("algorithm", KINDS)
def test_the_card_signs_the_request_whatever_its_key(algorithm: KeyAlgorithm) -> None:
    request = card(algorithm).request()
    assert read(request).is_signature_valid
    assert certificate_requests.is_signed_by(request.csr, request.spki)


def test_it_names_the_account_as_windows_expects_it() -> None:
    (name,) = names(card().request()).get_values_for_type(x509.OtherName)
    assert name.type_id.dotted_string == "1.3.6.1.4.1.311.20.2.3"
    assert name.value == b"\x0c\x0bann@ad.test"


def test_a_long_account_is_named_whole() -> None:
    person = dataclasses.replace(ANN, account="a" * 200 + "@ad.test")
    (name,) = names(card().request(person=person)).get_values_for_type(x509.OtherName)
    assert tlv.need(name.value, 0x0C, "UPN") == person.account.encode()


def test_it_names_the_mailbox_where_one_is_known() -> None:
    person = dataclasses.replace(ANN, email="ann@example.org")
    found = names(card().request(person=person))
    assert found.get_values_for_type(x509.RFC822Name) == ["ann@example.org"]


@pytest.mark.parametrize(
    "mail", ["Ann <ann@example.org>", "ann@example.org (Ann)", "ann@", "@"]
)
def test_what_the_directory_does_not_write_as_a_mailbox_is_none(mail: str) -> None:
    person = dataclasses.replace(ANN, email=mail)
    found = names(card().request(person=person))
    assert found.get_values_for_type(x509.RFC822Name) == []


def test_the_key_of_the_holder_asks_to_be_good_for_signing_in() -> None:
    asked = read(card().request()).extensions
    uses = asked.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert set(uses) == {
        ExtendedKeyUsageOID.CLIENT_AUTH,
        ExtendedKeyUsageOID.SMARTCARD_LOGON,
    }
    usage = asked.get_extension_for_class(x509.KeyUsage)
    assert usage.critical
    assert usage.value.digital_signature


def test_the_key_of_the_card_names_the_card_and_nobody() -> None:
    request = card().request(KeySlot.CARD_AUTHENTICATION)
    asked = read(request)
    assert names(request).get_values_for_type(x509.OtherName) == []
    assert names(request).get_values_for_type(x509.UniformResourceIdentifier) == [
        uuid.UUID(bytes=GUID).urn
    ]
    assert "Ann" not in asked.subject.rfc4514_string()
    use = asked.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    assert use.critical
    assert list(use.value) == [profiles.PIV_CARD_AUTHENTICATION]


@pytest.mark.parametrize(
    ("display_name", "common_name"),
    [
        ("Ann \x1b[2J", "Ann \ufffd[2J"),
        ("", "ann@ad.test"),
        ("ü" * 64, "ü" * 32),
    ],
    ids=["escape", "nameless", "long"],
)
def test_a_name_is_made_to_fit_and_harmless(
    display_name: str, common_name: str
) -> None:
    person = Applicant(account="ann@ad.test", display_name=display_name, guid="")
    subject = read(card().request(person=person)).subject
    (found,) = subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    assert found.value == common_name


def test_a_request_that_another_key_has_signed_goes_nowhere() -> None:
    mine, other = card(seed=5), card(seed=6)
    key = dataclasses.replace(mine.key(), spki=other.key().spki)
    with pytest.raises(ProofFailed):
        certificate_requests.request(key, ANN, card=mine.identity.key, guid=GUID)


def test_a_damaged_signature_is_seen() -> None:
    request = card().request()
    damaged = request.csr[:-1] + bytes((request.csr[-1] ^ 1,))
    assert not certificate_requests.is_signed_by(damaged, request.spki)
    assert not certificate_requests.is_signed_by(b"", request.spki)


# --- renewal -----------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate() -> bytes:
    """A certificate that ann has had before, for another key."""
    ca, key = new_issuer("Test issuer", now=NOW)
    return _issuer(ca, key).certify(
        card(seed=9).key().spki, ANN, KeySlot.AUTHENTICATION, guid=GUID, now=NOW
    )


def _issuer(certificate: bytes, pem: bytes) -> Issuer:
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    key = load_pem_private_key(pem, password=None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return Issuer(x509.load_pem_x509_certificate(certificate), key, 30)


def test_a_certificate_that_says_the_same_is_renewed(certificate: bytes) -> None:
    assert card().request(renews=certificate).renews == certificate


def test_one_that_says_something_else_is_not(certificate: bytes) -> None:
    married = dataclasses.replace(ANN, display_name="Ann Other")
    assert card().request(person=married, renews=certificate).renews == b""
    assert card().request(renews=b"nonsense").renews == b""

"""Which certificate a value of altSecurityIdentities names: strong forms alone."""

from __future__ import annotations

import datetime
import hashlib

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from kiosk.certificates.identities import maps

# The same in each process: values of it are names of tests.
KEY = ec.derive_private_key(4711, ec.SECP256R1())
SERIAL = 0x2B0000000011AC0000000012
ISSUER = x509.Name(
    [
        x509.NameAttribute(NameOID.DOMAIN_COMPONENT, "com"),
        x509.NameAttribute(NameOID.DOMAIN_COMPONENT, "contoso"),
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, 'Smith, "Sons" & Co'),
        x509.NameAttribute(NameOID.COMMON_NAME, "CONTOSO-DC-CA"),
    ]
)
I_TOLD = 'DC=com,DC=contoso,O="Smith, ""Sons"" & Co",CN=CONTOSO-DC-CA'
SUBJECT = "CN=Ann"
KEY_ID = x509.SubjectKeyIdentifier.from_public_key(KEY.public_key())
SPKI = KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def certificate(
    *, key_id: x509.SubjectKeyIdentifier | None = KEY_ID
) -> x509.Certificate:
    since = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .issuer_name(ISSUER)
        .subject_name(x509.Name.from_rfc4514_string(SUBJECT))
        .public_key(KEY.public_key())
        .serial_number(SERIAL)
        .not_valid_before(since)
        .not_valid_after(since + datetime.timedelta(days=1))
    )
    if key_id is not None:
        builder = builder.add_extension(key_id, critical=False)
    return builder.sign(KEY, hashes.SHA256())


@pytest.mark.parametrize(
    "value",
    [
        f"X509:<I>{I_TOLD}<SR>1200000000AC11000000002B",
        f"X509:<I>{I_TOLD}<SR>1200000000ac11000000002b00",
        f"x509:<i>{I_TOLD.replace(',DC', ', dc')}<sr>1200000000AC11000000002B",
        r"X509:<I>DC=com,DC=contoso,O=Smith\, \"Sons\" & Co,CN=CONTOSO-DC-CA"
        "<SR>1200000000AC11000000002B",
        f"X509:<SKI>{KEY_ID.digest.hex()}",
        f"X509:<SHA1-PUKEY>{KEY_ID.digest.hex().upper()}",
        f"X509:<SHA1-PUKEY>{hashlib.sha1(SPKI).hexdigest()}",
    ],
)
def test_a_strong_form_names_its_certificate(value: str) -> None:
    assert maps(value, certificate())


@pytest.mark.parametrize(
    "value",
    [
        "",
        f"X509:<I>{I_TOLD}<S>{SUBJECT}",
        f"X509:<S>{SUBJECT}",
        "X509:<RFC822>ann@ad.test",
        f"X509:<I>{I_TOLD}",
        "X509:<SR>1200000000AC11000000002B",
        f"X509:<I>{I_TOLD}<SR>",
        f"X509:<I>{I_TOLD}<S>{SUBJECT}<SR>1200000000AC11000000002B",
        "Kerberos:ann@AD.TEST",
        "X509:<PN>ann@ad.test",
    ],
)
def test_a_weak_form_names_none(value: str) -> None:
    assert not maps(value, certificate())


@pytest.mark.parametrize(
    "value",
    [
        # The serial number as it is shown, its half bytes reversed, another one.
        f"X509:<I>{I_TOLD}<SR>2B0000000011AC0000000012",
        f"X509:<I>{I_TOLD}<SR>2100000000CA1100000000B2",
        f"X509:<I>{I_TOLD}<SR>1200000000AC11000000002C",
        f"X509:<I>{I_TOLD}<SR>1200000000AC11000000002B01",
        # The issuer back to front, without a part, with one more, misspelt.
        'X509:<I>CN=CONTOSO-DC-CA,O="Smith, ""Sons"" & Co",DC=contoso,DC=com'
        "<SR>1200000000AC11000000002B",
        "X509:<I>DC=com,DC=contoso,CN=CONTOSO-DC-CA<SR>1200000000AC11000000002B",
        f"X509:<I>{I_TOLD},CN=x<SR>1200000000AC11000000002B",
        "X509:<I>nonsense<SR>1200000000AC11000000002B",
        f"X509:<SKI>{KEY_ID.digest[1:].hex()}",
        f"X509:<SHA1-PUKEY>{'00' * 20}",
        f" X509:<SKI>{KEY_ID.digest.hex()}",
        f"X509:<SKI>{KEY_ID.digest.hex()}\n",
    ],
)
def test_another_certificate_is_not_taken_for_it(value: str) -> None:
    assert not maps(value, certificate())


def test_an_identifier_names_nothing_where_there_is_none_or_it_is_a_short_one() -> None:
    assert not maps(f"X509:<SKI>{KEY_ID.digest.hex()}", certificate(key_id=None))
    short = x509.SubjectKeyIdentifier(b"\x01")
    assert not maps("X509:<SKI>01", certificate(key_id=short))

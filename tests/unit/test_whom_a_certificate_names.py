"""A certificate that is imported names its account, and nobody besides."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from kiosk.cards import tlv
from kiosk.certificates.judge import SiteCertificates
from kiosk.certificates.profiles import UPN, UTF8_STRING
from kiosk.config.sections.enrollment import NamedBy

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def certificate(*accounts: str) -> bytes:
    """Return one (DER) that carries these userPrincipalNames."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    names = [x509.OtherName(UPN, tlv.pack(UTF8_STRING, it.encode())) for it in accounts]
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(5)
        .not_valid_before(NOW)
        .not_valid_after(NOW + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
    )
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)


@pytest.mark.parametrize(
    ("accounts", "is_anns"),
    [
        (("ann@ad.test",), True),
        (("ANN@ad.test",), True),
        (("bob@ad.test",), False),
        (("ann@ad.test", "bob@ad.test"), False),
        (("bob@ad.test", "ann@ad.test"), False),
    ],
)
def test_one_that_names_another_besides_is_nobodys(
    accounts: tuple[str, ...], *, is_anns: bool
) -> None:
    judge = SiteCertificates(list)
    said = judge.names(certificate(*accounts), "ann@ad.test", NamedBy.UPN)
    assert said is is_anns

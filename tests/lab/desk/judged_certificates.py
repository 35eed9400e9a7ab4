"""A certificate, judged as the office judges it: trusted, and of that account."""

from __future__ import annotations

from collections.abc import Sequence

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from kiosk.certificates.judge import SiteCertificates
from kiosk.config.sections.enrollment import NamedBy


def names_trusted(
    certificate: x509.Certificate,
    anchors: Sequence[x509.Certificate],
    *,
    account: str,
    now: float,
) -> bool:
    """Say whether it names the account by its UPN. NotTrusted."""
    judge, der = (
        SiteCertificates(lambda: anchors),
        certificate.public_bytes(Encoding.DER),
    )
    judge.must_be_trusted(der, now)
    return judge.names(der, account, NamedBy.UPN)

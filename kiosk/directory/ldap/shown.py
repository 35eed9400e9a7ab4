"""What is in a certificate that did not convince, for who has to put it right. Pure."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from cryptography import x509
from cryptography.x509.oid import NameOID

from kiosk.core.untrusted_text import visible
from kiosk.directory.errors import TlsRefused
from kiosk.directory.values import WhyNoTrust

_MOST_NAMES = 4
_LONGEST = 120


@dataclass(frozen=True, slots=True)
class Shown:
    """A server's certificate, of which nothing is trusted."""

    names: tuple[str, ...]
    """Its DNS and IP entries."""
    common_name: str
    issuer: str
    is_in_time: bool
    """By its own dates."""


def shown(der: bytes) -> Shown | None:
    """Read a certificate (DER); None if it is none that can be read."""
    try:
        certificate = x509.load_der_x509_certificate(der)
        now = datetime.datetime.now(datetime.UTC)
        begin, end = (
            certificate.not_valid_before_utc,
            certificate.not_valid_after_utc,
        )
        return Shown(
            names=_names(certificate),
            common_name=_common(certificate.subject),
            issuer=_common(certificate.issuer),
            is_in_time=begin <= now <= end,
        )
    except ValueError:
        return None


def explained(error: TlsRefused, certificate: Shown) -> TlsRefused:
    """Return the refusal with what the certificate itself says of it."""
    reason = str(error.data["reason"])
    dates = (WhyNoTrust.EXPIRED, WhyNoTrust.NOT_YET_VALID)
    if reason in dates and certificate.is_in_time:
        reason = WhyNoTrust.AUTHORITY_DATES.value
    if reason == WhyNoTrust.WRONG_NAME and not certificate.names:
        reason = WhyNoTrust.NO_NAME.value
    names = ", ".join(certificate.names[:_MOST_NAMES]) or certificate.common_name
    told = {
        "names": visible(names, _LONGEST) or "–",
        "issuer": visible(certificate.issuer, _LONGEST) or "–",
    }
    return TlsRefused(**{**error.data, **told, "reason": reason})


def _names(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        extension = certificate.extensions.get_extension_for_class(
            x509.SubjectAlternativeName
        )
    except x509.ExtensionNotFound:
        return ()
    names = extension.value
    addresses = names.get_values_for_type(x509.IPAddress)
    return (*names.get_values_for_type(x509.DNSName), *map(str, addresses))


def _common(name: x509.Name) -> str:
    """Return the common name, or else the whole name."""
    found = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(found[0].value) if found else name.rfc4514_string()

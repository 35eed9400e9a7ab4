"""Certificates of cards, judged: when a card is imported, when a source answers.

A certificate only says whose key this is; what counts later is the key on record.
"""

from __future__ import annotations

import datetime
import unicodedata
from collections.abc import Sequence
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from kiosk.cards import tlv
from kiosk.cards.errors import MalformedAnswer
from kiosk.certificates.profiles import UPN, UTF8_STRING
from kiosk.core.errors import KioskError

UNREADABLE = (
    ValueError,
    TypeError,
    OverflowError,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)
"""What reading a strange certificate may raise. TypeError: how `x509.Name` refuses an
attribute of an impossible type; OverflowError: dates that no calendar has."""


_LARGEST = 1 << 20
"""Bytes that are read of a file; a device may have no end."""


class CertificateError(KioskError):
    """Root of what is wrong with a certificate."""

    code = "enrollment.certificate"


class NotACertificate(CertificateError):
    """A file holds no X.509 certificate: `file`."""

    code = "enrollment.not_a_certificate"


class UnreadableCertificate(CertificateError):
    """What stands for a certificate, on a card or elsewhere, cannot be read as one."""

    code = "enrollment.unreadable_certificate"


class NotTrusted(CertificateError):
    """None of the site's trusted issuers has signed it, or it has expired."""

    code = "enrollment.not_trusted"


def read(der: bytes) -> x509.Certificate:
    """Read a DER certificate. UnreadableCertificate."""
    try:
        return x509.load_der_x509_certificate(der)
    except UNREADABLE as error:
        raise UnreadableCertificate from error


def read_pem(file: Path) -> list[x509.Certificate]:
    """Read every certificate of a PEM file. NotACertificate."""
    try:
        with file.open("rb") as stream:
            return x509.load_pem_x509_certificates(stream.read(_LARGEST))
    except (OSError, *UNREADABLE) as error:
        raise NotACertificate(file=str(file)) from error


def must_be_trusted(
    certificate: x509.Certificate, anchors: Sequence[x509.Certificate], *, now: float
) -> None:
    """Let pass what a trusted issuer signed and is valid now. NotTrusted."""
    if not is_trusted(certificate, anchors, now=now):
        raise NotTrusted


def account_key(name: str) -> str:
    """Return what two account names have in common if they are the same.

    Upper and lower case of one letter are the same, and so are the two ways to write a
    letter with its accent (NFC); "ss" and "ß" are two names.
    """
    return unicodedata.normalize("NFC", name).lower()


def is_trusted(
    certificate: x509.Certificate, anchors: Sequence[x509.Certificate], *, now: float
) -> bool:
    """Say whether a trusted issuer signed it and it is valid now, whoever it names."""
    return is_valid(certificate, now) and any(
        is_issued_by(certificate, anchor, now=now) for anchor in anchors
    )


def accounts(certificate: x509.Certificate) -> list[str]:
    """Return the userPrincipalNames a certificate carries."""
    try:
        names = certificate.extensions.get_extension_for_class(
            x509.SubjectAlternativeName
        ).value
    except (x509.ExtensionNotFound, *UNREADABLE):
        return []
    return [
        upn
        for name in names.get_values_for_type(x509.OtherName)
        if name.type_id == UPN and (upn := _utf8(name.value))
    ]


def addresses(certificate: x509.Certificate) -> list[str]:
    """Return the e-mail addresses in a certificate's subjectAltName."""
    try:
        names = certificate.extensions.get_extension_for_class(
            x509.SubjectAlternativeName
        ).value
    except (x509.ExtensionNotFound, *UNREADABLE):
        return []
    return names.get_values_for_type(x509.RFC822Name)


def _utf8(value: bytes) -> str:
    """Return what a DER UTF8String holds; empty: it is none."""
    try:
        ((tag, text),) = tlv.walk(value, "userPrincipalName")
    except (MalformedAnswer, ValueError):
        return ""
    return text.decode("utf-8", "replace") if tag == UTF8_STRING else ""


def key_of(certificate: x509.Certificate) -> bytes:
    """Return the DER SubjectPublicKeyInfo of a certificate. UnreadableCertificate."""
    try:
        return certificate.public_key().public_bytes(
            Encoding.DER, PublicFormat.SubjectPublicKeyInfo
        )
    except UNREADABLE as error:
        raise UnreadableCertificate from error


def is_issued_by(
    certificate: x509.Certificate, anchor: x509.Certificate, *, now: float
) -> bool:
    """Say whether `anchor` is an authority, valid now, and signed the certificate."""
    if not is_valid(anchor, now):
        return False
    try:
        basic = anchor.extensions.get_extension_for_class(x509.BasicConstraints)
        certificate.verify_directly_issued_by(anchor)
    except (x509.ExtensionNotFound, InvalidSignature, *UNREADABLE):
        return False
    return basic.value.ca


def is_valid(certificate: x509.Certificate, now: float) -> bool:
    """Say whether `now` (seconds UTC) is within its dates."""
    moment = datetime.datetime.fromtimestamp(now, datetime.UTC)
    try:
        since, until = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    except UNREADABLE:
        return False
    return since <= moment <= until

"""Certificates of cards: made by the site's own issuer, or judged when imported.

A certificate only says whose key this is; what counts later is the key on record.
The account is named as Windows expects it: a userPrincipalName in the subject
alternative name (RFC 5280 §4.2.1.6, otherName 1.3.6.1.4.1.311.20.2.3).
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_public_key,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from kiosk.cards.ports import KeySlot
from kiosk.errors import KioskError
from kiosk.secretfile import read_secret
from kiosk.text import visible

UPN = ObjectIdentifier("1.3.6.1.4.1.311.20.2.3")
_PIV_CARD_AUTHENTICATION = ObjectIdentifier("2.16.840.1.101.3.6.8")
_USES = {
    KeySlot.AUTHENTICATION: [
        ExtendedKeyUsageOID.CLIENT_AUTH,
        ExtendedKeyUsageOID.SMARTCARD_LOGON,
    ],
    KeySlot.CARD_AUTHENTICATION: [_PIV_CARD_AUTHENTICATION],
}
_UTF8_STRING = 0x0C
_CLOCKS_DIFFER = datetime.timedelta(minutes=5)
_CA_DAYS = 3650


class CertificateError(KioskError):
    """Root of what is wrong with a certificate."""

    code = "enrollment.certificate"


class NotACertificate(CertificateError):
    """The bytes are no X.509 certificate, or a file holds none: `file`."""

    code = "enrollment.not_a_certificate"


class NotTrusted(CertificateError):
    """None of the site's trusted issuers has signed it, or it has expired."""

    code = "enrollment.not_trusted"


class NamesAnother(CertificateError):
    """It does not name the account it is to stand for: `account`."""

    code = "enrollment.names_another"


class CannotIssue(CertificateError):
    """The issuer's certificate or key cannot be used: `file`."""

    code = "enrollment.cannot_issue"


# --- making ------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Whose certificate it will be."""

    holder: str
    account: str
    """userPrincipalName."""


class Issuer:
    """The site's own issuing authority: a certificate and its key."""

    def __init__(
        self, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey, days: int
    ) -> None:
        self.certificate = certificate
        self.days = days
        """How long the certificates it makes are valid."""
        self._key = key

    @classmethod
    def from_files(cls, certificate: Path, key: Path, *, days: int) -> Issuer:
        """Read both files (PEM). CannotIssue, NotACertificate, SecretFileErrors."""
        (own,) = read_pem(certificate)[:1]
        with read_secret(key) as pem:
            try:
                private = load_pem_private_key(bytes(pem.reveal()), password=None)
            except (ValueError, TypeError) as error:
                raise CannotIssue(file=str(key)) from error
        fits = (
            isinstance(private, ec.EllipticCurvePrivateKey)
            and private.public_key() == own.public_key()
        )
        if not fits or not isinstance(private, ec.EllipticCurvePrivateKey):
            raise CannotIssue(file=str(key))
        return cls(own, private, days)

    def certify(
        self, spki: bytes, subject: Subject, slot: KeySlot, *, now: float
    ) -> bytes:
        """Return the DER certificate of a card's public key (DER) for a slot."""
        start = _moment(now) - _CLOCKS_DIFFER
        name = x509.Name(
            [x509.NameAttribute(NameOID.COMMON_NAME, visible(subject.holder))]
        )
        builder = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(self.certificate.subject)
            .public_key(load_der_public_key(spki))  # type: ignore[arg-type]  # a card makes RSA and EC keys only
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(start + datetime.timedelta(days=self.days))
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), True)  # noqa: FBT003 - critical
            .add_extension(x509.ExtendedKeyUsage(_USES[slot]), False)  # noqa: FBT003 - not critical
            .add_extension(
                x509.SubjectAlternativeName([_upn(subject.account)]),
                False,  # noqa: FBT003 - not critical
            )
        )
        return builder.sign(self._key, hashes.SHA256()).public_bytes(Encoding.DER)


def new_issuer(name: str, *, now: float) -> tuple[bytes, bytes]:
    """Make an issuing authority; return its certificate and private key (PEM)."""
    key = ec.generate_private_key(ec.SECP384R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    start = _moment(now) - _CLOCKS_DIFFER
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + datetime.timedelta(days=_CA_DAYS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), True)  # noqa: FBT003 - critical
        .sign(key, hashes.SHA384())
    )
    return (
        certificate.public_bytes(Encoding.PEM),
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
    )


def _upn(account: str) -> x509.OtherName:
    value = account.encode()
    if len(value) > 0x7F:
        raise NamesAnother(account=account)
    return x509.OtherName(UPN, bytes([_UTF8_STRING, len(value)]) + value)


# --- judging -----------------------------------------------------------------


def read(der: bytes) -> x509.Certificate:
    """Read a DER certificate. NotACertificate."""
    try:
        return x509.load_der_x509_certificate(der)
    except ValueError as error:
        raise NotACertificate(file="") from error


def read_pem(file: Path) -> list[x509.Certificate]:
    """Read every certificate of a PEM file. NotACertificate."""
    try:
        return x509.load_pem_x509_certificates(file.read_bytes())
    except (OSError, ValueError) as error:
        raise NotACertificate(file=str(file)) from error


def judge(
    certificate: x509.Certificate,
    anchors: Sequence[x509.Certificate],
    *,
    account: str,
    now: float,
) -> None:
    """Let pass what a trusted issuer signed for this account and is valid now.

    NotTrusted, NamesAnother. `now` in seconds UTC; `account` a userPrincipalName.
    """
    if not is_trusted(certificate, anchors, now=now):
        raise NotTrusted
    if account.casefold() not in {name.casefold() for name in accounts(certificate)}:
        raise NamesAnother(account=account)


def is_trusted(
    certificate: x509.Certificate, anchors: Sequence[x509.Certificate], *, now: float
) -> bool:
    """Say whether a trusted issuer signed it and it is valid now, whoever it names."""
    moment = _moment(now)
    return _is_valid(certificate, moment) and any(
        _issued(certificate, anchor, moment) for anchor in anchors
    )


def accounts(certificate: x509.Certificate) -> list[str]:
    """Return the userPrincipalNames a certificate carries."""
    try:
        names = certificate.extensions.get_extension_for_class(
            x509.SubjectAlternativeName
        ).value
    except (x509.ExtensionNotFound, ValueError):
        return []
    values = [
        name.value
        for name in names.get_values_for_type(x509.OtherName)
        if name.type_id == UPN
    ]
    return [
        value[2:].decode("utf-8", "replace")
        for value in values
        if len(value) > 2 and value[0] == _UTF8_STRING and value[1] == len(value) - 2
    ]


def _issued(
    certificate: x509.Certificate, anchor: x509.Certificate, moment: datetime.datetime
) -> bool:
    """Say whether `anchor` is an authority, valid, and signed the certificate."""
    if not _is_valid(anchor, moment):
        return False
    try:
        basic = anchor.extensions.get_extension_for_class(x509.BasicConstraints)
        certificate.verify_directly_issued_by(anchor)
    except (x509.ExtensionNotFound, InvalidSignature, ValueError, TypeError):
        return False
    return basic.value.ca


def _is_valid(certificate: x509.Certificate, moment: datetime.datetime) -> bool:
    return certificate.not_valid_before_utc <= moment <= certificate.not_valid_after_utc


def _moment(now: float) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(now, datetime.UTC)

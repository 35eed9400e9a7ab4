"""Which certificate of a token is the one its holder signs in with.

Decided by public keys and what the certificates say of themselves: two certificates may
share a CKA_ID (an attestation has that of the certificate it vouches for).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID

_SIGN_IN = frozenset(
    {ExtendedKeyUsageOID.SMARTCARD_LOGON, ExtendedKeyUsageOID.CLIENT_AUTH}
)
_VENDOR_ATTESTATION = "1.3.6.1.4.1.41482.3."
"""Yubico's extensions of an attestation."""


@dataclass(frozen=True, slots=True)
class TokenCertificate:
    """A certificate on a token."""

    identifier: bytes
    """CKA_ID."""
    der: bytes
    certificate: x509.Certificate = field(repr=False)
    spki: bytes
    """DER SubjectPublicKeyInfo of the certificate."""
    label: str = ""
    """CKA_LABEL."""


def candidate(
    identifier: bytes, der: bytes, label: str = ""
) -> TokenCertificate | None:
    """Return a certificate that may be the one; None: it is none, or makes no sense."""
    try:
        certificate = x509.load_der_x509_certificate(der)
        spki = certificate.public_key().public_bytes(
            Encoding.DER, PublicFormat.SubjectPublicKeyInfo
        )
        if _is_authority(certificate) or _is_attestation(certificate):
            return None
    except Exception:  # noqa: BLE001 - a card's certificate raises whatever it likes
        return None
    return TokenCertificate(identifier, der, certificate, spki, label)


def best(candidates: Iterable[TokenCertificate]) -> TokenCertificate | None:
    """Return the authentication certificate; among equals the one of the lowest ID."""
    return min(
        candidates,
        key=lambda each: (_rank(each.certificate), each.identifier),
        default=None,
    )


def _rank(certificate: x509.Certificate) -> int:
    """Lower is better: made for signing in, for anything, for something else."""
    usages = _usages(certificate)
    if usages & _SIGN_IN:
        return 0
    if _signs_documents_only(certificate):
        return 3
    return 1 if not usages else 2


def _usages(certificate: x509.Certificate) -> set[x509.ObjectIdentifier]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    except x509.ExtensionNotFound:
        return set()
    return set(found.value)


def _signs_documents_only(certificate: x509.Certificate) -> bool:
    """Say whether it is for qualified signatures: contentCommitment alone."""
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return False
    return usage.content_commitment and not usage.digital_signature


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        found = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    except x509.ExtensionNotFound:
        return False
    return found.value.ca


def _is_attestation(certificate: x509.Certificate) -> bool:
    return any(
        extension.oid.dotted_string.startswith(_VENDOR_ATTESTATION)
        for extension in certificate.extensions
    )

"""Certificate requests for keys of cards: what is asked for, signed on the card."""

from __future__ import annotations

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from kiosk.authority.errors import ProofFailed
from kiosk.cards.new_keys import NewKey
from kiosk.cards.piv.attestation import Attestation
from kiosk.cards.request import certificate_request
from kiosk.certificates import profiles
from kiosk.certificates.ports import Applicant, CertificateRequest


def request(
    key: NewKey,
    person: Applicant,
    *,
    card: str,
    guid: bytes,
    renews: bytes = b"",
    attestation: Attestation | None = None,
) -> CertificateRequest:
    """Have the card sign a request for its new key; check it before anybody sees it.

    `renews` is the certificate that the person had before: it counts only if it says
    the same. ProofFailed if the signature is not one of this key; CardError.
    """
    subject = profiles.subject(key.slot, person, guid)
    extensions = profiles.extensions(key.slot, person, guid)
    csr = certificate_request(key, subject, extensions)
    if not is_signed_by(csr, key.spki):
        raise ProofFailed
    return CertificateRequest(
        person=person,
        card=card,
        guid=guid,
        slot=key.slot,
        algorithm=key.algorithm,
        spki=key.spki,
        csr=csr,
        attestation=attestation,
        renews=renews if renews and _says_the_same(csr, renews) else b"",
    )


def is_signed_by(csr: bytes, spki: bytes) -> bool:
    """Say whether a DER request is for a key (DER) and signed with it."""
    try:
        read = x509.load_der_x509_csr(csr)
        own = read.public_key().public_bytes(
            Encoding.DER, PublicFormat.SubjectPublicKeyInfo
        )
        return own == spki and read.is_signature_valid
    except (ValueError, UnsupportedAlgorithm):
        return False


def _says_the_same(csr: bytes, certificate: bytes) -> bool:
    """Say whether subject and alternative names are identical (RFC 7030 §4.2.2)."""
    try:
        wanted = x509.load_der_x509_csr(csr)
        before = x509.load_der_x509_certificate(certificate)
        return wanted.subject == before.subject and _names(wanted) == _names(before)
    except (ValueError, UnsupportedAlgorithm, x509.ExtensionNotFound):
        return False


def _names(
    told: x509.CertificateSigningRequest | x509.Certificate,
) -> x509.SubjectAlternativeName:
    return told.extensions.get_extension_for_class(x509.SubjectAlternativeName).value

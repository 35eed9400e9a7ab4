"""A certification authority of the site's own, for laboratories and small sites.

Its key stands in a private file (0600): in an envelope that only the vault's key opens,
or as plain PEM. It is read when a card is issued, and never leaves. It certifies what a
card has signed a request for, by the two profiles of `profiles`; it keeps no list of
what it has revoked, because here a card is judged by the registry.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_public_key,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

from kiosk.cards.values import KeySlot
from kiosk.certificates import ca_key, profiles
from kiosk.certificates.card_certificates import CertificateError, read_pem
from kiosk.certificates.certificate_requests import is_signed_by
from kiosk.certificates.ports import (
    Applicant,
    CertificateRequest,
    Certified,
    SourceRefused,
)
from storage.vault import Vault

CLOCKS_DIFFER = datetime.timedelta(minutes=5)
_CA_DAYS = 3650


class CannotIssue(CertificateError):
    """The issuer's certificate or key cannot be used: `file`."""

    code = "enrollment.cannot_issue"


class Issuer:
    """The site's own issuing authority: a certificate and its key."""

    wants_attestation = False

    def __init__(
        self, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey, days: int
    ) -> None:
        self.certificate = certificate
        self.days = days
        """How long the certificates it makes are valid."""
        self._key = key

    @classmethod
    def from_files(
        cls,
        certificate: Path,
        key: Path,
        *,
        days: int,
        vault: Vault | None = None,
    ) -> Issuer:
        """Read certificate (PEM) and key; `vault` opens a key that is in an envelope.

        CannotIssue, NotACertificate, SecretFileError, VaultError.
        """
        own = read_pem(certificate)[0]
        with ca_key.read(key, own, vault) as pem:
            try:
                private = load_pem_private_key(bytes(pem.reveal()), password=None)
            except (ValueError, TypeError) as error:
                raise CannotIssue(file=str(key)) from error
        if (
            not isinstance(private, ec.EllipticCurvePrivateKey)
            or private.public_key() != own.public_key()
        ):
            raise CannotIssue(file=str(key))
        return cls(own, private, days)

    # --- the port ---------------------------------------------------------------

    def obtain(self, request: CertificateRequest, *, now: float) -> Certified:
        """Certify at once. SourceRefused if the card has not signed the request, or
        this authority is over.
        """
        if not is_signed_by(request.csr, request.spki):
            raise SourceRefused(reason="the request is not signed with its own key")
        if moment(now) - CLOCKS_DIFFER >= self.certificate.not_valid_after_utc:
            raise SourceRefused(reason="the authority's own certificate has expired")
        der = self.certify(
            request.spki,
            request.person,
            request.slot,
            guid=request.guid,
            now=now,
        )
        return Certified((der, self.certificate.public_bytes(Encoding.DER)))

    def waiting(self, card: str) -> Sequence[CertificateRequest]:  # noqa: ARG002 - it never lets anybody wait
        return ()

    def forget(self, card: str) -> None:
        """There is nothing to forget."""

    # --- making -----------------------------------------------------------------

    def certify(
        self, spki: bytes, person: Applicant, slot: KeySlot, *, guid: bytes, now: float
    ) -> bytes:
        """Return the DER certificate of a card's public key (DER) for a slot.

        `now` in seconds UTC. It never outlives the authority's own.
        """
        key = load_der_public_key(spki)
        start = moment(now) - CLOCKS_DIFFER
        end = start + datetime.timedelta(days=self.days)
        builder = (
            x509.CertificateBuilder()
            .subject_name(profiles.subject(slot, person, guid))
            .issuer_name(self.certificate.subject)
            .public_key(key)  # type: ignore[arg-type]  # a card makes RSA and EC keys only
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(min(end, self.certificate.not_valid_after_utc))
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), True)  # noqa: FBT003 - critical
            .add_extension(_own_identifier(key), False)  # noqa: FBT003 - not critical
            .add_extension(self._identifier(), False)  # noqa: FBT003 - not critical
        )
        for extension in profiles.extensions(slot, person, guid):
            builder = builder.add_extension(extension.value, extension.critical)
        return builder.sign(self._key, hashes.SHA256()).public_bytes(Encoding.DER)

    def _identifier(self) -> x509.AuthorityKeyIdentifier:
        """Return how the certificate names the authority's key (RFC 5280 §4.2.1.1)."""
        return x509.AuthorityKeyIdentifier.from_issuer_public_key(
            self._key.public_key()
        )


def _own_identifier(key: object) -> x509.SubjectKeyIdentifier:
    return x509.SubjectKeyIdentifier.from_public_key(key)  # type: ignore[arg-type]  # what was just loaded


def new_issuer(name: str, *, now: float, days: int = _CA_DAYS) -> tuple[bytes, bytes]:
    """Make an issuing authority; return its certificate and private key (PEM).

    The caller puts the key where it belongs, and shows it to nobody.
    """
    key = ec.generate_private_key(ec.SECP384R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    start = moment(now) - CLOCKS_DIFFER
    public = key.public_key()
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + datetime.timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), True)  # noqa: FBT003 - critical
        .add_extension(_SIGNS_CERTIFICATES, True)  # noqa: FBT003 - critical
        .add_extension(_own_identifier(public), False)  # noqa: FBT003 - not critical
        .sign(key, hashes.SHA384())
    )
    return (
        certificate.public_bytes(Encoding.PEM),
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
    )


_SIGNS_CERTIFICATES = x509.KeyUsage(
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=True,
    encipher_only=False,
    decipher_only=False,
)


def moment(now: float) -> datetime.datetime:
    """Return seconds UTC as certificates count them."""
    return datetime.datetime.fromtimestamp(now, datetime.UTC)

"""The private key of the site's own authority: in the vault's envelope, or plain.

Either way in a file that nobody else may read. An envelope opens only with the vault's
key file, for this registry, and for the one certificate it was sealed for.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from kiosk.certificates.card_certificates import CertificateError
from kiosk.core.secret import Secret
from kiosk.core.secret_file import read_secret
from storage.vault import Vault

_TABLE, _FIELD = "issuer", "private_key"
_PREFIX = b"v1."


class KeyInVault(CertificateError):
    """The issuer's key is in the vault, which is not open here: `file`."""

    code = "enrollment.issuer_key_in_vault"


def is_sealed(file: Path) -> bool:
    """Say whether the key is in an envelope. SecretFileError."""
    with read_secret(file) as held:
        return held.reveal().startswith(_PREFIX)


def read(file: Path, certificate: x509.Certificate, vault: Vault | None) -> Secret:
    """Return the key as PEM; the caller wipes it.

    SecretFileError, KeyInVault, VaultError.
    """
    held = read_secret(file)
    if not held.reveal().startswith(_PREFIX):
        return held
    with held:
        if vault is None:
            raise KeyInVault(file=str(file))
        envelope = held.reveal().decode("ascii", "replace")
    plain = vault.open(
        envelope, table=_TABLE, record=_record(certificate), field=_FIELD
    )
    try:
        return Secret(plain)
    finally:
        plain[:] = bytes(len(plain))


def seal(pem: bytes | bytearray, certificate: x509.Certificate, vault: Vault) -> str:
    """Return the envelope of a key, as its file holds it."""
    return vault.seal(pem, table=_TABLE, record=_record(certificate), field=_FIELD)


def _record(certificate: x509.Certificate) -> str:
    """Name the authority by its key, so that no other one's envelope fits."""
    spki = certificate.public_key().public_bytes(
        Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    )
    return hashlib.sha256(spki).hexdigest()

"""An authority of the site's own is founded: two files, and the key in the vault."""

from __future__ import annotations

from pathlib import Path

from cryptography import x509

from kiosk.certificates import ca_key
from kiosk.certificates.card_certificates import CertificateError
from kiosk.certificates.local_ca import new_issuer
from kiosk.certificates.source_files import unusable, write_private
from kiosk.core import private_files
from storage.vault import Vault


class AuthorityExists(CertificateError):
    """There is an authority already: `file`. It is never overwritten."""

    code = "enrollment.authority_exists"


def found(
    certificate: Path,
    key: Path,
    *,
    name: str,
    days: int,
    now: float,
    vault: Vault | None,
) -> x509.Certificate:
    """Make an authority and write its files (0600); `vault` None: the key as PEM.

    `now` in seconds UTC. AuthorityExists, SourceUnusable.
    """
    for file in (certificate, key):
        if file.exists():
            raise AuthorityExists(file=str(file))
    pem, private = new_issuer(name, now=now, days=days)
    made = x509.load_pem_x509_certificate(pem)
    sealed = private if vault is None else ca_key.seal(private, made, vault).encode()
    _create(key, sealed)
    try:
        _create(certificate, pem)
    except BaseException:
        key.unlink(missing_ok=True)
        raise
    return made


def reseal(certificate: x509.Certificate, key: Path, vault: Vault) -> bool:
    """Encrypt the key with the vault's current key, if it is with an older one.

    SecretFileError, VaultError, SourceUnusable.
    """
    if not ca_key.is_sealed(key):
        return False
    with ca_key.read(key, certificate, vault) as pem:
        sealed = ca_key.seal(pem.reveal(), certificate, vault)
    write_private(key, sealed.encode())
    return True


def _create(file: Path, content: bytes) -> None:
    """Write a file that is not there yet, durably."""
    try:
        private_files.create(file, content)
    except FileExistsError:
        raise AuthorityExists(file=str(file)) from None
    except OSError as error:
        raise unusable(file, error) from error

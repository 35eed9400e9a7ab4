"""Where certificates come from, and whose are believed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kiosk.bootstrap.store import vault_of
from kiosk.bootstrap.tickets import SharedTickets
from kiosk.core.clock import SystemClock
from kiosk.core.errors import KioskError

if TYPE_CHECKING:
    from pathlib import Path

    from cryptography import x509

    from kiosk.certificates.local_ca import Issuer
    from kiosk.certificates.ports import CertificateSource
    from kiosk.certificates.tickets import TicketStore
    from kiosk.config import Config
    from storage.registry import Registry


class NoIssuer(KioskError):
    """The configuration names no authority of the site's own."""

    code = "config.no_issuer"


def source_of(config: Config, registry: Registry | None = None) -> CertificateSource:
    """Return where the certificates of new cards come from. Nothing is connected.

    `registry`: keeps what cards wait for, on its thread; None: the database that the
    configuration names does, or this station's folder.

    SourceUnclear, NotACertificate, and for an authority of our own as `issuer_of`.
    """
    from kiosk.certificates.builder import build
    from kiosk.certificates.tickets import RegistryTickets

    tickets: TicketStore | None = None
    if registry is not None:
        tickets = RegistryTickets(registry)
    elif config.registry.postgresql:
        tickets = SharedTickets(config)
    return build(config, SystemClock(), lambda: issuer_of(config), tickets)


def issuer_of(config: Config) -> Issuer:
    """Return the site's own authority.

    NoIssuer, CertificateError, SecretFileError, VaultError.
    """
    from kiosk.certificates.local_ca import Issuer

    certificate, key = authority_files_of(config)
    days = config.enrollment.certificate_days
    return Issuer.from_files(certificate, key, days=days, vault=vault_of(config))


def authority_files_of(config: Config) -> tuple[Path, Path]:
    """Return where certificate and key of the site's own authority are. NoIssuer."""
    told = config.enrollment
    if told.ca_certificate_file is None or told.ca_key_file is None:
        raise NoIssuer
    return told.ca_certificate_file, told.ca_key_file


def reseal_authority(config: Config) -> int:
    """Encrypt our authority's key with the vault's current one; return how many were.

    VaultError, CertificateError, SecretFileError, SourceUnusable.
    """
    from kiosk.certificates.card_certificates import read_pem
    from kiosk.certificates.create_ca import reseal

    try:
        certificate, key = authority_files_of(config)
    except NoIssuer:
        return 0
    return int(reseal(read_pem(certificate)[0], key, vault_of(config)))


def anchors_of(config: Config) -> list[x509.Certificate]:
    """Return the issuers whose cards this site believes. NotACertificate."""
    from kiosk.certificates.card_certificates import read_pem

    wanted = (config.enrollment.trusted_ca_file, config.enrollment.ca_certificate_file)
    return [
        certificate
        for file in wanted
        if file is not None
        for certificate in read_pem(file)
    ]

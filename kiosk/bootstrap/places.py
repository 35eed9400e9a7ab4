"""Where the files of a station are, for a backup and a restore."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kiosk.bootstrap.store import high_water_of, must_be_there
from kiosk.config import load
from kiosk.core.errors import KioskError

if TYPE_CHECKING:
    from pathlib import Path

    from kiosk.config import Config
    from kiosk.setup.backup import Places


class RegistryElsewhere(KioskError):
    """What is of the registry's file was asked of a database."""

    code = "config.registry_elsewhere"


def places_of(named: Path | None) -> Places:
    """Return where the files of a station are that has its registry.

    NoRegistry, RegistryElsewhere, and what `kiosk.config.load` raises.
    """
    from kiosk.config import find

    config = load(named)
    must_be_there(config)
    return places_in(config, named or find())


def places_in(config: Config, file: Path) -> Places:
    """Return where the files of a station are that has this configuration there.

    RegistryElsewhere.
    """
    from kiosk.certificates.builder import tickets_folder
    from kiosk.setup.backup import Places

    if config.registry.postgresql:
        raise RegistryElsewhere

    anchors = {
        "directory.pem": config.directory.ca_file,
        "enrollment.pem": config.enrollment.trusted_ca_file,
        "certificates.pem": config.certificates.server_ca_file,
        "attestation.pem": config.certificates.attestation_ca_file,
    }
    given_out = (
        config.directory.password_file,
        config.directory.keytab_file,
        config.certificates.password_file,
        config.certificates.client_certificate_file,
        config.certificates.client_key_file,
        config.service.certificate_file,
        config.service.key_file,
    )
    left_out = {
        "backup.left_log": config.log.file,
        "backup.left_requests": config.certificates.folder,
        "backup.left_mark": config.evidence.high_water_file,
        "backup.left_module": config.middleware.module,
    }
    return Places(
        config=file,
        registry=config.registry.path,
        registry_id=config.registry.id,
        vault_key=config.vault.key_file,
        templates=config.templates.folder,
        issuer=config.enrollment.ca_certificate_file,
        issuer_key=config.enrollment.ca_key_file,
        anchors={name: path for name, path in anchors.items() if path is not None},
        stations=config.service.stations_folder,
        given_out=tuple(path for path in given_out if path is not None),
        tickets=tickets_folder(config),
        left_out={why: path for why, path in left_out.items() if path is not None},
        high_water=high_water_of(config),
    )

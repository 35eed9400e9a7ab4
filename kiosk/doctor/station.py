"""The checks of one configured station: `kiosk doctor`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cache, partial
from pathlib import Path

from kiosk.authority.office import naming, templates
from kiosk.authority.rules.compliance import ComplianceProfile
from kiosk.bootstrap import (
    database_of,
    directory_of,
    facts_of,
    high_water_of,
    issuer_of,
    lifecycle_of,
    listening_of,
    middleware_of,
    module_of,
    monitor_of,
    must_be_there,
    registry_of,
    vault_of,
)
from kiosk.certificates.builder import est_client, requests_folder
from kiosk.certificates.card_certificates import read_pem
from kiosk.config import AnyStation, Config
from kiosk.config.sections.enrollment import CertificateOrigin
from kiosk.core.clock import Clock, SystemClock
from kiosk.core.errors import KioskError
from kiosk.directory.ports import Directory
from kiosk.doctor import (
    Check,
    Finding,
    Watching,
    cards,
    certificates,
    database,
    directory,
    domain,
    examine,
    host,
    middleware,
    profile,
    service,
    store,
    unwatched,
)
from storage.registry import Registry
from storage.vault import VaultError

Domain = Callable[[], Directory]


def checks_of(
    config: Config,
    *,
    account: str = "",
    everybody: bool = False,
    watched: Watching = unwatched,
) -> list[tuple[str, Check]]:
    """Return every check of this station, in the order they are read.

    Each opens what it looks at itself, so that what is missing is a finding. All have
    one directory in common: a password that is wrong is tried once, not once a check.
    `watched` shows how far those are that go through all that is remembered.
    """
    from kiosk.doctor import store

    lifecycle_of(config)  # no station begins with an edge that there is not
    domain_of = cache(lambda: directory_of(config))

    dcs = config.directory.dcs
    by_dns = config.directory.domain
    checks: list[tuple[str, Check]] = [
        ("card service", lambda: cards.readers(monitor_of(config))),
        *middleware_checks(config, module_of(config)),
        *(
            (f"directory {dc}", partial(_controller, config, domain_of, dc))
            for dc in dcs
        ),
        *(
            ()
            if dcs
            else ((f"directory {by_dns}", lambda: _located(config, domain_of)),)
        ),
        (
            "service account",
            lambda: _domain(config, domain_of, everybody=everybody),
        ),
        ("templates", lambda: store.templates(config.templates.folder)),
        *_profile_checks(config),
        ("vault key", lambda: store.vault_key(config.vault.key_file)),
        ("registry", lambda: _stored(config, watched)),
        *_certificate_checks(config),
        *_service_checks(config),
        ("file", lambda: host.secret_files(_secret_files(config))),
        ("folder", lambda: host.folders(_folders(config))),
        ("core dumps", host.core_dumps),
        ("swap", host.swap),
        ("trust", lambda: host.trust(config.station.role)),
    ]
    if account:
        checks.insert(
            1 + max(len(dcs), 1),
            (f"account {account}", lambda: _account(config, domain_of, account)),
        )
    return checks


def middleware_checks(config: AnyStation, path: Path | None) -> list[tuple[str, Check]]:
    """Return the checks of a vendor's module, where the station has one."""
    if path is None:
        return []
    return [
        ("middleware", lambda: middleware.module(middleware_of(config, path), path))
    ]


def _profile_checks(config: Config) -> list[tuple[str, Check]]:
    if not config.profile.fips_201:
        return []
    bound = ComplianceProfile(fips_201=True, second_factor=config.profile.second_factor)
    return [
        (
            "FIPS 201-3",
            lambda: profile.fips_201(
                bound,
                templates.read_folder(config.templates.folder),
                config.lifecycle.removed,
            ),
        )
    ]


def _controller(config: Config, domain_of: Domain, dc: str) -> Iterable[Finding]:
    base = config.directory.base_dn
    return directory.controller(domain_of(), dc, SystemClock(), base=base)


def _located(config: Config, domain_of: Domain) -> Iterable[Finding]:
    told = config.directory
    return directory.located(domain_of(), told.domain, SystemClock(), base=told.base_dn)


def _account(config: Config, domain_of: Domain, name: str) -> Iterable[Finding]:
    return directory.account(
        domain_of(),
        name,
        templates.read_folder(config.templates.folder),
        naming.ATTRIBUTES.get(config.enrollment.named_by),
    )


def _domain(config: Config, domain_of: Domain, *, everybody: bool) -> Iterable[Finding]:
    told = config.directory
    try:
        found = templates.read_folder(config.templates.folder)
    except KioskError:  # has a line of its own
        found = ()
    return domain.examine_domain(
        domain_of(),
        told.units or (told.base_dn,),
        found,
        SystemClock(),
        everybody=everybody,
    )


def _stored(config: Config, watched: Watching) -> Iterator[Finding]:
    """Everything that needs the registry open."""
    must_be_there(config)
    clock = SystemClock()
    mark = high_water_of(config)
    seen = mark.read()
    registry = registry_of(config, clock)
    try:
        yield from examine(
            [
                ("registry", lambda: store.registry(registry)),
                ("database", lambda: _database(config)),
                (
                    "registry",
                    lambda: store.high_water(
                        registry, seen, clock, is_damaged=mark.is_damaged
                    ),
                ),
                ("evidence", lambda: _evidence(config, registry, clock, watched)),
                ("clock", lambda: store.clock(registry, clock)),
                (
                    "templates",
                    lambda: store.published(registry, config.templates.folder),
                ),
                (
                    "escrow",
                    lambda: store.escrow(registry, vault_of(config), watched),
                ),
            ]
        )
    finally:
        registry.close()


def _database(config: Config) -> Iterator[Finding]:
    """Say what is to be known of the database, where the registry is one."""
    if not config.registry.postgresql:
        return
    opened = database_of(config)
    try:
        yield from database.database(facts_of(opened))
    finally:
        opened.close()


def _evidence(
    config: Config, registry: Registry, clock: Clock, watched: Watching
) -> Iterator[Finding]:
    """Judge it by this station's own key, where that is readable."""
    try:
        keys = vault_of(config).note_keys()
    except VaultError:  # has a line of its own
        keys = ()
    return store.evidence(registry, clock, keys, watched)


def _certificate_checks(config: Config) -> list[tuple[str, Check]]:
    """Return a check for each source of certificates that this station uses."""
    told, clock = config.certificates, SystemClock()
    used = {told.source, told.card_source}
    checks: list[tuple[str, Check]] = []
    if CertificateOrigin.LOCAL_CA in used and config.enrollment.ca_certificate_file:
        days = config.enrollment.certificate_days
        checks.append(
            (
                certificates.PART,
                lambda: certificates.authority(
                    issuer_of(config).certificate, days, clock
                ),
            )
        )
    if CertificateOrigin.FILES in used:
        checks.append(
            (
                certificates.PART,
                lambda: certificates.folder(requests_folder(config)),
            )
        )
    if CertificateOrigin.EST in used:
        checks.append(
            (certificates.PART, lambda: certificates.server(est_client(config, clock)))
        )
    return checks


def _service_checks(config: Config) -> list[tuple[str, Check]]:
    """Return the check of what serves a fleet, where this machine does."""
    told = config.service
    if told.certificate_file is None and told.key_file is None:
        return []
    return [(service.PART, lambda: _service(config))]


def _service(config: Config) -> Iterator[Finding]:
    told = config.service
    listening = listening_of(told)
    from kiosk.authority.service.server import certificate_loaded

    shown = certificate_loaded(listening)
    own = read_pem(listening.certificate_file)[0]
    return service.certificate(shown, own, told.names or (told.listen,), SystemClock())


def _secret_files(config: Config) -> list[Path]:
    told = config.directory
    own = [file for file in (told.password_file, told.keytab_file) if file is not None]
    files = [*own, config.vault.key_file]
    for file in (
        config.enrollment.ca_key_file,
        config.certificates.password_file,
        config.certificates.client_key_file,
        config.service.key_file,
    ):
        if file is not None:
            files.append(file)
    return files if config.registry.postgresql else [*files, config.registry.path]


def _folders(config: Config) -> list[Path]:
    files = (*_secret_files(config), config.templates.folder / "x")
    return [file.parent for file in files]

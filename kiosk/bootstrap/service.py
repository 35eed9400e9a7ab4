"""What a serving process of the authority is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kiosk.bootstrap.authority import ports_around, witnessed_registry
from kiosk.bootstrap.relay import desk_service_of
from kiosk.bootstrap.store import must_be_there
from kiosk.config import load
from kiosk.core.errors import KioskError
from kiosk.core.figures import UNTOLD

if TYPE_CHECKING:
    from pathlib import Path

    from kiosk.authority.rates import Bounds
    from kiosk.authority.service.callers import Verify
    from kiosk.authority.service.process import ProcessParts
    from kiosk.authority.service.server import Listening
    from kiosk.authority.stations.folder import StationsFolder
    from kiosk.authority.stations.roster import Roster
    from kiosk.config.sections.fleet import ServiceSettings
    from kiosk.core.figures import Figures


class ServiceNotConfigured(KioskError):
    """What `kiosk serve` needs is not set: `key`, of the section `service`."""

    code = "service.not_configured"


class NoServiceLibrary(KioskError):
    """What serves a fleet is not installed."""

    code = "service.no_service_library"


def made_of(
    named: Path | None,
    port: int | None = None,
    figures: Figures = UNTOLD,
    verify: Verify | None = None,
) -> ProcessParts:
    """Read the configuration, and return what it makes of a serving process.

    `port` stands before the configured one; `verify` before who is enrolled (the
    laboratory has stations of its own). Nothing is connected yet: a database that is
    away is opened when it is back. NoRegistry, ServiceNotConfigured,
    NoServiceLibrary, CertificateUnusable, SecretFileError, VaultError, UnknownEdge,
    and what `kiosk.config.load` raises.
    """
    try:
        from kiosk.authority.service import process
    except ImportError as error:
        raise NoServiceLibrary from error
    from kiosk.authority.local import LocalAuthority
    from kiosk.authority.rates import Rates
    from kiosk.authority.service.app import Service
    from kiosk.authority.service.threads import Threads
    from kiosk.authority.stations import enrolling
    from kiosk.authority.stations.limits import StationLimit
    from kiosk.authority.stations.reporting import Reports
    from kiosk.authority.stations.roster import Roster
    from kiosk.authority.stations.standing import counted
    from kiosk.certificates.card_certificates import read_pem
    from kiosk.core.entropy import SystemEntropy
    from kiosk.directory.ldap.kept_lines import KEPT_SECONDS

    config = load(named)
    must_be_there(config)
    told = config.service
    listening = listening_of(told, port)
    around = ports_around(config, figures, Rates(_bounds(told)), KEPT_SECONDS)
    known = _known(told)
    service = Service(
        threads=Threads(
            lambda: around(witnessed_registry(config, figures=figures)),
            count=told.threads,
            waiting=told.waiting,
        ),
        verify=known.may_visit if verify is None else verify,
        desk=desk_service_of(config, around, known, figures),
        enroll=enrolling.enroll if told.stations_folder is None else None,
        report=Reports(known).take if isinstance(known, Roster) else None,
        count=counted if isinstance(known, Roster) else None,
        limit=StationLimit(told.calls_per_station),
        authority_of=LocalAuthority,
        names=frozenset(map(str.lower, told.names or (told.listen,))),
        entropy=SystemEntropy(),
        figures=figures,
    )
    made = process.checked(
        process.ProcessParts(
            service=service, listening=listening, drain_seconds=told.drain_seconds
        )
    )
    ends = read_pem(listening.certificate_file)[0].not_valid_after_utc
    figures.certificate_expires(ends.timestamp())
    return made


def _bounds(told: ServiceSettings) -> Bounds:
    """Return how often something may be begun."""
    from kiosk.authority.rates import Bounds

    return Bounds(
        card=told.visits_per_card,
        account=told.visits_per_account,
        station=told.visits_per_station,
    )


def _known(told: ServiceSettings) -> Roster | StationsFolder:
    """Return what says which station asks: the registry, or a folder of files."""
    from kiosk.authority.stations.folder import StationsFolder
    from kiosk.authority.stations.roster import Roster

    if told.stations_folder is None:
        return Roster()
    return StationsFolder(told.stations_folder)


def listening_of(told: ServiceSettings, port: int | None = None) -> Listening:
    """Return where and as whom a process listens.

    ServiceNotConfigured, NoServiceLibrary.
    """
    try:
        from kiosk.authority.service.server import Listening
    except ImportError as error:
        raise NoServiceLibrary from error
    if told.certificate_file is None:
        raise ServiceNotConfigured(key="certificate_file")
    if told.key_file is None:
        raise ServiceNotConfigured(key="key_file")
    host, _, configured = told.listen.rpartition(":")
    return Listening(
        host=host.strip("[]"),
        port=port or int(configured),
        certificate_file=told.certificate_file,
        key_file=told.key_file,
    )

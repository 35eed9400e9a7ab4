"""The one place that names concrete parts: which adapter stands behind which port.

Nothing is opened when this module is imported, and nothing heavy: each function
imports what it builds.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from kiosk.config import (
    AnyStation,
    Config,
    FleetStation,
    OperatorsConfig,
    load,
    load_as,
)  # , load_as
from kiosk.core.clock import Clock, SystemClock
from kiosk.core.errors import KioskError
from kiosk.core.hardening import harden_process
from kiosk.core.secret_file import credential

if TYPE_CHECKING:
    from cryptography import x509

    from kiosk.authority.client.lines import Lines, Sign
    from kiosk.authority.local_office import LocalOfficeAuthority
    from kiosk.authority.office.policy import OfficePolicy
    from kiosk.authority.office.ports import Office
    from kiosk.authority.proof.checkpointed_registry import CheckpointedRegistry
    from kiosk.authority.required_ports import RequiredPorts
    from kiosk.authority.service.callers import Verify
    from kiosk.authority.service.process import Made
    from kiosk.authority.service.server import Listening
    from kiosk.cards.any_card import MakeCard
    from kiosk.cards.pkcs11.process import ModuleProcess
    from kiosk.cards.ports import Card, Connection, Monitor
    from kiosk.cards.trace import Trace
    from kiosk.cards.values import Family
    from kiosk.certificates.local_ca import Issuer
    from kiosk.certificates.ports import CertificateSource
    from kiosk.config.sections.fleet import ServiceSettings
    from kiosk.desk.context import Site
    from kiosk.desk.station import DeskStation
    from kiosk.directory.ports import Directory
    from kiosk.enrollment.bench import Bench
    from kiosk.setup.backup import Places
    from kiosk.visit.station import FaceSettings, Station
    from statemachine.lifecycle import Event, Lifecycle, State
    from storage.high_water import HighWaterMark
    from storage.postgres.facts import Facts
    from storage.postgres_registry import PostgresRegistry
    from storage.records import AuditEvent
    from storage.registry import RecordDamaged, Registry
    from storage.tinydb_registry import TinyDbRegistry
    from storage.vault import Vault


EXPIRING_DAYS = 30
"""How long before its end a card is on the desk's list of those that expire."""


class UnknownLifecycleEdge(KioskError):
    """The configuration removes an edge that there is not: `edge`."""

    code = "config.unknown_edge"


class NoIssuer(KioskError):
    """The configuration names no authority of the site's own."""

    code = "config.no_issuer"


class PasswordInConfiguration(KioskError):
    """The connection string of the registry holds a password."""

    code = "config.registry_password"


class NoDatabaseLibrary(KioskError):
    """The registry is a database, and what speaks to it is not installed."""

    code = "config.no_database_library"


class RegistryElsewhere(KioskError):
    """What is of the registry's file was asked of a database."""

    code = "config.registry_elsewhere"


class ServiceNotConfigured(KioskError):
    """What `kiosk serve` needs is not set: `key`, of the section `service`."""

    code = "service.not_configured"


class NoServiceLibrary(KioskError):
    """What serves a fleet is not installed."""

    code = "service.no_service_library"


_PASSWORD = re.compile(r"\bpassword\s*=|://[^@/]*:[^@/]*@")
"""A password in a connection string, of either form."""


class ServiceSecretUnclear(KioskError):
    """Not exactly one of password file, credential and keytab is named."""

    code = "config.service_secret"


# --- one part each -----------------------------------------------------------


def open_registry(named: Path | None = None) -> Registry:
    """Open the registry of the configuration (`named`, or the one that is found).

    The caller closes it. RegistryError and what `kiosk.config.load` raises.
    """
    return registry_of(load(named), SystemClock())


def registry_of(
    config: Config, clock: Clock, archives: Sequence[Path] = ()
) -> Registry:
    """Open the registry; evidence of a file is read in `archives`, too.

    RegistryError, PasswordInConfiguration, NoDatabaseLibrary.
    """
    from storage.tinydb_registry import TinyDbRegistry

    if config.registry.postgresql:
        return database_of(config)
    return TinyDbRegistry(
        config.registry.path,
        station=config.station.name,
        now=clock.now(),
        archives=archives,
    )


def high_water_of(config: Config) -> HighWaterMark:
    """Return how far this station has seen the registry come. Nothing is opened."""
    from storage.high_water import HighWaterMark

    beside = config.registry.path.with_name(f"{config.registry.path.name}.seen")
    return HighWaterMark(config.evidence.high_water_file or beside, config.registry.id)


def database_of(config: Config) -> PostgresRegistry:
    """Open the registry that is a database.

    RegistryError, PasswordInConfiguration, NoDatabaseLibrary.
    """
    conninfo = config.registry.postgresql
    if _PASSWORD.search(conninfo):
        raise PasswordInConfiguration
    try:
        from storage.postgres_registry import PostgresRegistry
    except ImportError as error:
        raise NoDatabaseLibrary from error
    return PostgresRegistry(conninfo)


def registry_at(place: str, config: Config) -> Registry:
    """Open what somebody named: a connection string, or a file.

    RegistryError, PasswordInConfiguration, NoDatabaseLibrary.
    """
    if "=" in place or "://" in place:
        return database_of(named_in(config, place))
    return embedded_registry(named_in(config, Path(place)))


def named_in(config: Config, place: str | Path) -> Config:
    """Return the configuration of a station that has its registry there."""
    told = (
        {"path": place, "postgresql": ""}
        if isinstance(place, Path)
        else {"postgresql": place}
    )
    return msgspec.structs.replace(
        config, registry=msgspec.structs.replace(config.registry, **told)
    )


def facts_of(registry: PostgresRegistry) -> Facts:
    """Ask a database what is to be known of it. RegistryError."""
    from storage.postgres.facts import facts

    return facts(registry)


def examined_of(registry: PostgresRegistry) -> Iterator[RecordDamaged | None]:
    """Read every record of a database; yield what is wrong with it, or None."""
    from storage.postgres.facts import examined

    return examined(registry)


def upgraded_database(conninfo: str) -> tuple[list[int], list[str]]:
    """As the tables' owner: make the steps that are missing.

    Returns their numbers, and what the engine does without. RegistryError.
    """
    from storage.postgres.schema import upgraded

    return upgraded(conninfo)


def rights_of(account: str) -> str:
    """Return the SQL that gives an authority's account its rights."""
    from storage.postgres.schema import roles

    return roles(account)


def embedded_registry(config: Config, archives: Sequence[Path] = ()) -> TinyDbRegistry:
    """Open the registry as the file that it is, as `registry_of`. RegistryError."""
    from storage.tinydb_registry import TinyDbRegistry

    return TinyDbRegistry(
        config.registry.path,
        station=config.station.name,
        now=SystemClock().now(),
        archives=archives,
    )


def places_of(named: Path | None) -> Places:
    """Return where the files of a station are. What `kiosk.config.load` raises."""
    from kiosk.config import find

    return places_in(load(named), named or find())


def places_in(config: Config, file: Path) -> Places:
    """Return where the files of a station are that has this configuration there.

    RegistryElsewhere.
    """
    from kiosk.setup.backup import Places

    if config.registry.postgresql:
        raise RegistryElsewhere

    anchors = {
        "directory.pem": config.directory.ca_file,
        "enrollment.pem": config.enrollment.trusted_ca_file,
        "certificates.pem": config.certificates.server_ca_file,
        "attestation.pem": config.certificates.attestation_ca_file,
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
        high_water=high_water_of(config),
    )


def found_registry(config: Config) -> None:
    """Create the registry of a new station, with the templates that its folder has.

    RegistryError, FileErrors.
    """
    from kiosk.authority.office import templates

    clock = SystemClock()
    found = templates.read_folder(config.templates.folder)
    registry = registry_of(config, clock)
    try:
        templates.publish(registry, found, at=clock.now(), station=config.station.name)
    finally:
        registry.close()


def vault_of(config: Config) -> Vault:
    """Read the vault's key file. `storage.vault.VaultError`."""
    from storage.vault import KeyFile, Vault

    return Vault(KeyFile(config.vault.key_file), config.registry.id)


def lifecycle_of(config: Config) -> Lifecycle:
    """Return the lifecycle without the edges the site has removed. UnknownEdge."""
    from statemachine import lifecycle

    try:
        return lifecycle.Lifecycle([_edge(each) for each in config.lifecycle.removed])
    except lifecycle.UnknownEdge as error:
        raise UnknownLifecycleEdge(edge=f"{error.event} {error.source}") from error


def _edge(words: str) -> tuple[Event, State | None]:
    """Read `EVENT STATE`; the state of a card that is new here is `new`."""
    from statemachine.lifecycle import Event, State

    event, _, state = words.partition(" ")
    try:
        return Event(event), None if state == "new" else State(state)
    except ValueError as error:
        raise UnknownLifecycleEdge(edge=words) from error


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


def monitor_of(config: AnyStation, trace: Trace | None = None) -> Monitor:
    """Return what watches this station's readers."""
    from kiosk.cards.pcsc import PcscMonitor
    from kiosk.config.sections.station import PinpadUse

    return PcscMonitor(
        config.readers.names,
        trace,
        use_pinpads=config.readers.pinpad is not PinpadUse.IGNORE,
        requires_pinpads=config.readers.pinpad is PinpadUse.REQUIRED,
        more=_middleware(config),
    )


def module_of(config: AnyStation) -> Path | None:
    """Return the PKCS#11 module of this station, if it has one."""
    from kiosk.cards.pkcs11 import places

    told = config.middleware
    if told.module is not None or not told.search:
        return told.module
    return places.first_there(places.known_places())


def middleware_of(config: AnyStation, module: Path) -> ModuleProcess:
    """Return the process that will load a module; it is not started yet."""
    from kiosk.cards.pkcs11.process import ModuleProcess
    from kiosk.cards.pkcs11.unblocking import Unblocking

    told = config.middleware
    return ModuleProcess(module, Unblocking(told.unblock), seconds=told.time_limit)


def _middleware(config: AnyStation) -> dict[Family, MakeCard]:
    """Return how the card of an insertion is made that a module speaks to."""
    module = module_of(config)
    if module is None:
        return {}
    return _behind(partial(middleware_of, config, module))


def _behind(process: Callable[[], ModuleProcess]) -> dict[Family, MakeCard]:
    from kiosk.cards.pkcs11.card import Pkcs11Card
    from kiosk.cards.values import Family

    def make(
        connect: Callable[[], Connection],  # noqa: ARG001 - the module has its own
        *,
        reader: str,
        insertion: int,
    ) -> Card:
        return Pkcs11Card(process(), reader=reader, insertion=insertion)

    return {Family.PKCS11: make}


def any_monitor(trace: Trace | None = None, module: Path | None = None) -> Monitor:
    """Return what watches every reader: for commands that need no configuration.

    `module`: a PKCS#11 module for what is no PIV and no GIDS card.
    """
    from kiosk.cards.pcsc import PcscMonitor
    from kiosk.cards.pkcs11.process import ModuleProcess
    from kiosk.cards.pkcs11.unblocking import Unblocking

    if module is None:
        return PcscMonitor((), trace)
    process = partial(ModuleProcess, module, Unblocking.AUTO)
    return PcscMonitor((), trace, more=_behind(process))


def directory_of(config: Config) -> Directory:
    """Return the domain, as the service account. Nothing is connected yet."""
    from kiosk.directory.ldap import LdapDirectory, LdapSettings, Protection

    told = config.directory
    password_file, keytab = service_secret_of(config)
    settings = LdapSettings(
        dcs=told.dcs,
        domain=told.domain,
        site=told.site,
        nameservers=told.nameservers,
        base_dn=told.base_dn,
        service_account=told.service_account,
        password_file=password_file,
        keytab=keytab,
        protection=Protection(told.tls),
        ca_file=told.ca_file,
        connect_timeout=told.connect_timeout,
        receive_timeout=told.receive_timeout,
        pdc_check=told.pdc_check,
    )
    return LdapDirectory(settings, SystemClock())


def service_secret_of(config: Config) -> tuple[Path | None, Path | None]:
    """Return the file of the service account's password, or its keytab.

    ServiceSecretUnclear, SecretUnreadable.
    """
    told = config.directory
    named = (told.password_file, told.password_credential, told.keytab_file)
    if sum(map(bool, named)) != 1:
        raise ServiceSecretUnclear
    if told.password_credential:
        return credential(told.password_credential), None
    return told.password_file, told.keytab_file


def source_of(config: Config) -> CertificateSource:
    """Return where the certificates of new cards come from. Nothing is connected.

    SourceUnclear, NotACertificate, and for an authority of our own as `issuer_of`.
    """
    from kiosk.certificates.builder import build

    return build(config, SystemClock(), lambda: issuer_of(config))


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


# --- the authority and what stands before it ---------------------------------


def parts_of(config: Config, archives: Sequence[Path] = ()) -> RequiredPorts:
    """Open everything the authority is made of, the registry as `registry_of` does.

    The caller closes `registry`. RegistryError, VaultError, SecretFileError,
    UnknownEdge, and what `kiosk.authority.office.templates.read_folder` raises.
    """
    around = ports_around(config)
    return around(witnessed_registry(config, archives))


def ports_around(config: Config) -> Callable[[Registry], RequiredPorts]:
    """Return what makes the authority's ports of a registry: all the rest is the same
    for any thread.

    VaultError, SecretFileError, UnknownEdge.
    """
    from kiosk.authority.escrow.wrong_entries import WrongEntries
    from kiosk.authority.operation.deadlines import Deadlines
    from kiosk.authority.proof.seal import SealingKey
    from kiosk.authority.required_ports import RequiredPorts
    from kiosk.authority.rules.compliance import ComplianceProfile
    from kiosk.core.entropy import SystemEntropy

    vault, lifecycle = vault_of(config), lifecycle_of(config)
    directory = directory_of(config)
    sealing, fences, entries = SealingKey(), Deadlines(), WrongEntries()
    profile = ComplianceProfile(
        fips_201=config.profile.fips_201,
        second_factor=config.profile.second_factor,
    )

    def around(registry: Registry) -> RequiredPorts:
        return RequiredPorts(
            registry=registry,
            directory=directory,
            vault=vault,
            clock=SystemClock(),
            entropy=SystemEntropy(),
            lifecycle=lifecycle,
            sealing=sealing,
            profile=profile,
            write_deadline=_write_deadline(config),
            fences=fences,
            entries=entries,
        )

    return around


def witnessed_registry(config: Config, archives: Sequence[Path] = ()) -> Registry:
    """Open the registry, and let it sign checkpoints. As `registry_of`, VaultError."""
    clock = SystemClock()
    store = registry_of(config, clock, archives)
    try:
        return witnessed(config, store, clock)
    except BaseException:
        store.close()
        raise


def witnessed(config: Config, store: Registry, clock: Clock) -> CheckpointedRegistry:
    """Return a registry that signs checkpoints. RegistryError, VaultError."""
    from kiosk.authority.proof.checkpointed_registry import CheckpointedRegistry

    return CheckpointedRegistry(
        store,
        vault=vault_of(config),
        clock=clock,
        station=config.station.name,
        mark=high_water_of(config),
        tell=_teller(config),
    )


def _teller(config: Config) -> Callable[[AuditEvent], None] | None:
    """Return what is told of every new checkpoint, if anything is."""
    from kiosk.authority.proof import heads

    syslog = config.evidence.syslog
    return partial(heads.log_elsewhere, syslog) if syslog else None


def _write_deadline(config: Config) -> float:
    """Seconds after which a write has certainly ended, and a margin.

    At worst it is sent as late as may be, the modify gets no answer, and then the same
    DC is connected to (open, handshake, sign-in), read, tried (open, handshake, bind)
    and read again.
    """
    from kiosk.authority.required_ports import SEND_SECONDS

    directory = config.directory
    answers = 2 * directory.connect_timeout + 7 * directory.receive_timeout
    return SEND_SECONDS + answers + 2.0


def build_station(config: Config, trace: Trace | None = None) -> Station:
    """Return the station that the faces use; `trace` hears what cards are told.

    What is wrong with the configuration is raised at once; a store, key
    or directory that is missing is a fault of the station's health.
    """
    from kiosk.authority.local import LocalAuthority
    from kiosk.visit.station_of_parts import Opened, StationOfParts

    def open_authority() -> Opened:
        parts = parts_of(config)
        registry = parts.registry
        return Opened(
            LocalAuthority(parts, config.station.name),
            registry.close,
            lambda: registry.idle(parts.clock.now()),
        )

    lifecycle_of(config)
    monitor = monitor_of(config, trace)
    return StationOfParts(face_settings_of(config), monitor, open_authority)


def remote_station(
    config: FleetStation, sign: Sign, trace: Trace | None = None
) -> Station:
    """Return a station that has neither registry nor vault nor directory."""
    from kiosk.core.entropy import SystemEntropy
    from kiosk.visit.station_of_parts import Opened, StationOfParts

    def open_authority() -> Opened:
        from kiosk.authority.client.remote import remote

        lines = lines_of(config, sign)
        return Opened(remote(lines, SystemEntropy()), lines.close)

    monitor = monitor_of(config, trace)
    return StationOfParts(face_settings_of(config), monitor, open_authority)


def lines_of(config: FleetStation, sign: Sign) -> Lines:
    """Return a station's connections to its authority. Nothing is connected.

    CaFileUnusable.
    """
    from kiosk.authority.client.line import trusting
    from kiosk.authority.client.lines import Lines

    told = config.authority
    context = trusting(told.ca_file)
    return Lines(told.addresses, context, sign, SystemClock())


def made_of(named: Path | None, verify: Verify, port: int | None = None) -> Made:
    """Read the configuration, and return what it makes of a serving process.

    `port` stands before the configured one. Nothing is connected yet: a registry that
    is away is opened when it is back. ServiceNotConfigured, NoServiceLibrary,
    CertificateUnusable, SecretFileError, VaultError, UnknownEdge, and what
    `kiosk.config.load` raises.
    """
    try:
        from kiosk.authority.service import process
    except ImportError as error:
        raise NoServiceLibrary from error
    from kiosk.authority.local import LocalAuthority
    from kiosk.authority.service.app import Service
    from kiosk.authority.service.threads import Threads
    from kiosk.core.entropy import SystemEntropy

    config = load(named)
    told = config.service
    listening = _listening(told, port)
    around = ports_around(config)
    service = Service(
        threads=Threads(
            lambda: around(witnessed_registry(config)),
            count=told.threads,
            waiting=told.waiting,
        ),
        verify=verify,
        authority_of=LocalAuthority,
        names=frozenset(map(str.lower, told.names or (told.listen,))),
        entropy=SystemEntropy(),
    )
    return process.checked(
        process.Made(
            service=service, listening=listening, drain_seconds=told.drain_seconds
        )
    )


def _listening(told: ServiceSettings, port: int | None) -> Listening:
    """Return where and as whom a process listens. ServiceNotConfigured."""
    from kiosk.authority.service.server import Listening

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


def build_desk(config: Config, trace: Trace | None = None) -> DeskStation:
    """Return the desk that the operators' screens use. As `build_station`."""
    from kiosk.desk.station import EmbeddedDesk, OpenedDesk

    def open_desk_parts() -> OpenedDesk:
        parts = parts_of(config)
        registry = parts.registry
        return OpenedDesk(
            office_of(config, parts),
            site_of(config),
            registry.close,
            lambda: registry.idle(parts.clock.now()),
        )

    lifecycle_of(config)
    monitor = monitor_of(config, trace)
    return EmbeddedDesk(face_settings_of(config), monitor, open_desk_parts)


def office_of(config: Config, parts: RequiredPorts) -> LocalOfficeAuthority:
    """Return the operators' half of the authority, for this station."""
    from kiosk.authority.local_office import LocalOfficeAuthority
    from kiosk.certificates.judge import SiteCertificates

    certificates = SiteCertificates(lambda: anchors_of(config))
    policy = office_policy_of(config)
    return LocalOfficeAuthority(parts, config.station.name, policy, certificates)


def site_of(config: Config) -> Site:
    """Return what a desk has of its own."""
    from kiosk.config.sections.enrollment import CertificateOrigin
    from kiosk.core.entropy import SystemEntropy
    from kiosk.desk.context import Site

    told = config.certificates
    is_own = told.source is CertificateOrigin.LOCAL_CA
    has_source = not is_own or config.enrollment.ca_certificate_file is not None
    return Site(
        clock=SystemClock(),
        entropy=SystemEntropy(),
        issuer=(lambda: source_of(config)) if has_source else None,
        questions=config.helpdesk.questions,
        answers=config.helpdesk.answers,
    )


def office_policy_of(config: Config) -> OfficePolicy:
    """Return what the site has decided about its operators."""
    from kiosk.authority.office.operators import Action
    from kiosk.authority.office.policy import OfficePolicy
    from kiosk.config import OperatorRole

    told = config.sign_in
    return OfficePolicy(
        groups={
            OperatorRole.HELPDESK: told.helpdesk_group,
            OperatorRole.OFFICER: told.officer_group,
            OperatorRole.AUDITOR: told.auditor_group,
            OperatorRole.ADMINISTRATOR: told.administrator_group,
        },
        with_account=told.with_account,
        second_for=frozenset(Action(each) for each in told.second_operator),
        named_by=config.enrollment.named_by,
        expiring_days=EXPIRING_DAYS,
    )


def face_settings_of(config: AnyStation) -> FaceSettings:
    """Return what the screens need of the configuration."""
    from kiosk.visit.station import FaceSettings, Helpdesk

    screens = config.screens
    return FaceSettings(
        station=config.station.name,
        title=config.station.title,
        helpdesk=Helpdesk(contact=config.helpdesk.contact, hours=config.helpdesk.hours),
        idle_warning_after=screens.idle_after,
        idle_wipe_after=screens.idle_after + screens.warning_lasts,
        print_with=config.printing.command,
        forgotten_card_bell=screens.forgotten_card_bell,
        pause=screens.pause,
        languages=config.display.languages,
        high_contrast=config.display.high_contrast,
        big_digits=config.display.big_digits,
    )


def operators_config(named: Path | None) -> OperatorsConfig:
    """Read the configuration that says what the person at the keyboard may do.

    NotInstalled, for somebody who works as another user (through sudo) and names a
    file of their own choice: a backup's copy would bring a role back that they lost.
    Then what `kiosk.config.load` raises.
    """
    from kiosk.authority.office.operators import works_as_another
    from kiosk.config import installed

    return load_as(OperatorsConfig, installed(named) if works_as_another() else named)


@contextmanager
def open_office(
    config: OperatorsConfig, archives: Sequence[Path] = ()
) -> Iterator[Office]:
    """Sign the person at the keyboard in as an operator, and open the authority.

    NotAnOperator, before anything is opened; then as `parts_of`.
    """
    from kiosk.authority.office.operators import login_name, signed_in

    harden_process()
    operator = signed_in(config.operators, login_name())
    parts = parts_of(config, archives)
    try:
        yield office_of(config, parts).session(operator)
    finally:
        parts.registry.close()


def bench_of(office: Office) -> Bench:
    """Return where somebody at the keyboard works on cards."""
    from kiosk.core.entropy import SystemEntropy
    from kiosk.enrollment.bench import Bench

    return Bench(office=office, clock=SystemClock(), entropy=SystemEntropy())

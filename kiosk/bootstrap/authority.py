"""What the authority is made of."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from kiosk.bootstrap.directory import directory_of
from kiosk.bootstrap.store import (
    high_water_of,
    must_be_there,
    registry_of,
    vault_of,
)
from kiosk.core.clock import SystemClock
from kiosk.core.errors import KioskError
from kiosk.core.figures import UNTOLD

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from kiosk.authority.proof.checkpointed_registry import CheckpointedRegistry
    from kiosk.authority.rates import Rates
    from kiosk.authority.required_ports import RequiredPorts
    from kiosk.config import Config
    from kiosk.core.clock import Clock
    from kiosk.core.figures import Figures
    from statemachine.lifecycle import Event, Lifecycle, State
    from storage.records import AuditEvent
    from storage.registry import Registry


class UnknownLifecycleEdge(KioskError):
    """The configuration removes an edge that there is not: `edge`."""

    code = "config.unknown_edge"


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


def parts_of(
    config: Config, archives: Sequence[Path] = (), figures: Figures = UNTOLD
) -> RequiredPorts:
    """Open everything the authority is made of.

    The caller closes `registry`. NoRegistry, RegistryError, VaultError,
    SecretFileError, UnknownEdge, and what
    `kiosk.authority.office.templates.read_folder` raises.
    """
    around = ports_around(config, figures)
    return around(witnessed_registry(config, archives, figures))


def ports_around(
    config: Config,
    figures: Figures = UNTOLD,
    rates: Rates | None = None,
    keep_seconds: float = 0.0,
) -> Callable[[Registry], RequiredPorts]:
    """Return what makes the authority's ports of a registry: all the rest is the same
    for any thread.

    `rates`: how often something may be begun; None: as often as somebody likes.
    `keep_seconds`: how long a line to the directory is used after its sign-in.
    VaultError, SecretFileError, UnknownEdge.
    """
    from kiosk.authority.operation.deadlines import Deadlines
    from kiosk.authority.proof.kept_keys import KeptKeys
    from kiosk.authority.rates import Rates
    from kiosk.authority.required_ports import RequiredPorts
    from kiosk.authority.rules.compliance import ComplianceProfile
    from kiosk.core.entropy import SystemEntropy
    from kiosk.figures.watched import WatchedDirectory

    vault, lifecycle = vault_of(config), lifecycle_of(config)
    directory = WatchedDirectory(directory_of(config, keep_seconds), figures)
    sealing = KeptKeys(vault, SystemClock(), SystemEntropy())
    fences, bounded = Deadlines(), rates or Rates()
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
            rates=bounded,
            fences=fences,
        )

    return around


def witnessed_registry(
    config: Config, archives: Sequence[Path] = (), figures: Figures = UNTOLD
) -> Registry:
    """Open the registry, and let it sign checkpoints.

    NoRegistry, VaultError, and as `registry_of`.
    """
    from kiosk.figures.watched import WatchedRegistry, watched_opening

    clock = SystemClock()
    with watched_opening(figures):
        must_be_there(config)
        store = registry_of(config, clock, archives)
    try:
        return witnessed(config, WatchedRegistry(store, figures), clock)
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

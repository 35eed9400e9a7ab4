"""The one place that names concrete parts: which adapter stands behind which port.

Nothing is opened when this module is imported, and nothing heavy: each function
imports what it builds.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from kiosk.clock import Clock, SystemClock
from kiosk.config import Config, load
from kiosk.errors import KioskError

if TYPE_CHECKING:
    from statemachine.lifecycle import Event, Lifecycle, State
    from storage.registry import Registry
    from storage.vault import Vault


class UnknownEdge(KioskError):
    """The configuration removes an edge that there is not: `edge`."""

    code = "config.unknown_edge"


# --- one part each -----------------------------------------------------------


def open_registry(named: Path | None = None) -> Registry:
    """Open the registry of the configuration (`named`, or the one that is found).

    The caller closes it. RegistryError and what `kiosk.config.load` raises.
    """
    return registry_of(load(named), SystemClock())


def registry_of(config: Config, clock: Clock) -> Registry:
    """Open the registry. RegistryError."""
    from storage.tinydb_registry import TinyDbRegistry

    return TinyDbRegistry(
        config.registry.path, station=config.station.name, now=clock.now()
    )


def found_registry(config: Config) -> None:
    """Create an empty registry for a new station. RegistryError."""
    registry_of(config, SystemClock()).close()


def vault_of(config: Config) -> Vault:
    """Read the vault's key file. `storage.vault.VaultError`."""
    from storage.vault import KeyRing, Vault

    return Vault(KeyRing.from_file(config.vault.key_file), config.registry.id)


def lifecycle_of(config: Config) -> Lifecycle:
    """Return the lifecycle without the edges the site has removed. UnknownEdge."""
    from statemachine import lifecycle

    try:
        return lifecycle.Lifecycle([_edge(each) for each in config.lifecycle.removed])
    except lifecycle.UnknownEdge as error:
        raise UnknownEdge(edge=f"{error.event} {error.source}") from error


def _edge(words: str) -> tuple[Event, State | None]:
    """Read `EVENT STATE`; the state of a card that is new here is `new`."""
    from statemachine.lifecycle import Event, State

    event, _, state = words.partition(" ")
    try:
        return Event(event), None if state == "new" else State(state)
    except ValueError as error:
        raise UnknownEdge(edge=words) from error

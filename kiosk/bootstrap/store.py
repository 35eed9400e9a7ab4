"""What is remembered: the registry, as file or database, and the vault."""

from __future__ import annotations

import re
import stat
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from kiosk.config import load
from kiosk.core.clock import SystemClock
from kiosk.core.errors import KioskError
from storage import groups
from storage.errors import RegistryError, StoreUnsuitable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from kiosk.config import Config
    from kiosk.core.clock import Clock
    from storage.errors import RecordDamaged
    from storage.high_water import HighWaterMark
    from storage.postgres.facts import DatabaseFacts
    from storage.postgres_registry import PostgresRegistry
    from storage.registry import Registry
    from storage.tinydb_registry import TinyDbRegistry
    from storage.vault import Vault


class PasswordInConfiguration(KioskError):
    """The connection string of the registry holds a password."""

    code = "config.registry_password"


class NoDatabaseLibrary(KioskError):
    """The registry is a database, and what speaks to it is not installed."""

    code = "config.no_database_library"


_PASSWORD = re.compile(r"\bpassword\s*=|://[^@/]*:[^@/]*@")
"""A password in a connection string, of either form."""


class NoRegistry(RegistryError):
    """There is no registry there: `path`."""

    code = "config.nothing_there"


class EmptyRegistry(NoRegistry):
    """A file is there, and ends before the first that it would hold: `path`."""

    code = "config.registry_empty"


def must_be_there(config: Config) -> None:
    """Refuse to work with a registry that is not: opening it would make an empty one,
    which everything is well with and no card is known to. Nothing is written.

    NoRegistry (EmptyRegistry: it was emptied, or its `kiosk init` died),
    StoreUnsuitable.
    """
    if config.registry.postgresql:
        return
    path = config.registry.path
    try:
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise NoRegistry(path=str(path)) from error
    except OSError:
        return  # whoever opens it says what it is
    if not stat.S_ISREG(status.st_mode):
        raise StoreUnsuitable(path=str(path), reason="no file")
    with suppress(OSError), path.open("rb") as stream:
        if groups.lacks_the_first(stream, status.st_size):
            raise EmptyRegistry(path=str(path))


def open_registry(named: Path | None = None) -> Registry:
    """Open the registry of the configuration (`named`, or the one that is found).

    The caller closes it. NoRegistry, RegistryError and what `kiosk.config.load` raises.
    """
    config = load(named)
    must_be_there(config)
    return registry_of(config, SystemClock())


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


def embedded_registry(config: Config, archives: Sequence[Path] = ()) -> TinyDbRegistry:
    """Open the registry as the file that it is, as `registry_of`. RegistryError."""
    from storage.tinydb_registry import TinyDbRegistry

    return TinyDbRegistry(
        config.registry.path,
        station=config.station.name,
        now=SystemClock().now(),
        archives=archives,
    )


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


def registry_at(place: str, config: Config, archives: Sequence[Path] = ()) -> Registry:
    """Open what somebody named: a connection string, or a file.

    Evidence of a file is read in `archives`, too. RegistryError,
    PasswordInConfiguration, NoDatabaseLibrary.
    """
    if "=" in place or "://" in place:
        return database_of(named_in(config, place))
    return embedded_registry(named_in(config, Path(place)), archives)


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


def high_water_of(config: Config) -> HighWaterMark:
    """Return how far this station has seen the registry come. Nothing is opened."""
    from storage.high_water import HighWaterMark

    beside = config.registry.path.with_name(f"{config.registry.path.name}.seen")
    return HighWaterMark(config.evidence.high_water_file or beside, config.registry.id)


def facts_of(registry: PostgresRegistry) -> DatabaseFacts:
    """Ask a database what is to be known of it. RegistryError."""
    from storage.postgres.facts import facts

    return facts(registry)


def others_at(registry: PostgresRegistry) -> list[str]:
    """Return who else of this program is connected to a database. RegistryError."""
    from storage.postgres.facts import others

    return others(registry)


def examined_of(registry: PostgresRegistry) -> Iterator[RecordDamaged | None]:
    """Read every record of a database; yield what is wrong with it, or None."""
    from storage.postgres.facts import examined

    return examined(registry)


def upgraded_database(
    conninfo: str, told: Callable[[int, int], object]
) -> tuple[list[int], list[str]]:
    """As the tables' owner: make the steps that are missing.

    `told` hears how many statements are made, and of how many. Returns the steps'
    numbers, and what the engine does without. RegistryError.
    """
    from storage.postgres.schema import upgraded

    return upgraded(conninfo, told)


def rights_of(account: str) -> str:
    """Return the SQL that gives an authority's account its rights."""
    from storage.postgres.schema import roles

    return roles(account)


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

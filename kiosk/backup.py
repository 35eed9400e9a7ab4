"""Backup and restore of a station: registry, configuration, templates; the key apart.

A backup is a folder with a manifest of checksums. The vault's key is never in it: who
has both has every escrowed secret, so the key is copied to a place of its own. A
restore writes over nothing, checks everything first, and voids the nonces and codes
that were open: they may have been used since the backup was made.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import msgspec

from kiosk.errors import KioskError
from storage import audit
from storage.registry import RegistryError
from storage.tinydb_registry import TinyDbRegistry
from storage.vault import KeyRing, Vault, VaultError

MANIFEST = "manifest.json"
REGISTRY = "registry.journal"
CONFIG = "kiosk.toml"
TEMPLATES = "templates"
_FORMAT = 1


class BackupError(KioskError):
    """Root of what is wrong with a backup."""

    code = "backup.error"


class TargetThere(BackupError):
    """Nothing is written over: `file`."""

    code = "backup.target_there"


class NotWritten(BackupError):
    """A file could not be written: `file`, `reason`."""

    code = "backup.not_written"


class NotABackup(BackupError):
    """The folder is no backup, or one of a later version: `folder`."""

    code = "backup.not_a_backup"


class Damaged(BackupError):
    """A file is not what the manifest says: `file`."""

    code = "backup.damaged"


class WrongKey(BackupError):
    """The vault's key does not open what the registry has sealed: `file`."""

    code = "backup.wrong_key"


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a backup says of itself."""

    format: int
    made_at: float
    registry_id: str
    files: dict[str, str]
    """SHA-256 (hex) by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where a station's files are."""

    config: Path
    registry: Path
    registry_id: str
    vault_key: Path
    templates: Path


def back_up(
    places: Places,
    folder: Path,
    *,
    now: float,
    key_copy: Path | None = None,
) -> Manifest:
    """Write a backup into a new folder (0700), at one moment of the registry.

    `key_copy`: a new file (0600) for the vault's key, if it is wanted. The station may
    go on working. TargetThere, NotWritten, RegistryError.
    """
    for target in (folder, key_copy):
        if target is not None and target.exists():
            raise TargetThere(file=str(target))
    with _named(folder):
        folder.mkdir(mode=0o700, parents=True)
    registry = TinyDbRegistry(places.registry)
    try:
        registry.snapshot(folder / REGISTRY)
    finally:
        registry.close()
    _copy(places.config, folder / CONFIG)
    for template in sorted(places.templates.glob("*.toml")):
        _copy(template, folder / TEMPLATES / template.name)
    if key_copy is not None:
        _copy(places.vault_key, key_copy)
    names = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    manifest = Manifest(
        format=_FORMAT,
        made_at=now,
        registry_id=places.registry_id,
        files={str(path.relative_to(folder)): _sum(path) for path in names},
    )
    _write(folder / MANIFEST, msgspec.json.encode(manifest))
    return manifest


def read(folder: Path) -> Manifest:
    """Check a backup's files against its manifest. NotABackup, Damaged."""
    try:
        raw = (folder / MANIFEST).read_bytes()
        manifest = msgspec.json.decode(raw, type=Manifest)
    except (OSError, msgspec.DecodeError) as error:
        raise NotABackup(folder=str(folder)) from error
    if manifest.format != _FORMAT or REGISTRY not in manifest.files:
        raise NotABackup(folder=str(folder))
    for name, expected in manifest.files.items():
        path = folder / name
        inside = path.resolve().is_relative_to(folder.resolve())
        if not inside or not path.is_file() or _sum(path) != expected:
            raise Damaged(file=str(path))
    return manifest


def restore(
    folder: Path,
    places: Places,
    *,
    station: str,
    now: float,
    key_copy: Path | None = None,
) -> int:
    """Put registry and vault key back where a station expects them.

    Returns how many credentials there are. Configuration and templates are put back
    by whoever calls, before `places` can be known. TargetThere, NotABackup, Damaged,
    WrongKey, NotWritten, RegistryError.
    """
    manifest = read(folder)
    if places.registry.exists():
        raise TargetThere(file=str(places.registry))
    key = key_copy or places.vault_key
    if key_copy is not None and places.vault_key.exists():
        raise TargetThere(file=str(places.vault_key))
    _check_key(folder / REGISTRY, key, manifest.registry_id)
    with _all_or_none() as written:
        if key_copy is not None:
            _copy(key_copy, places.vault_key)
            written.append(places.vault_key)
        _copy(folder / REGISTRY, places.registry)
        written.append(places.registry)
        registry = TinyDbRegistry(places.registry, station=station, now=now)
        try:
            registry.distrust(station=station, now=now)
            return registry.run(lambda tx: len(tx.credentials()))
        finally:
            registry.close()


def restore_config(folder: Path, config: Path, templates: Path) -> tuple[Path, ...]:
    """Put configuration and templates back where there are none; return what was.

    NotABackup, Damaged, NotWritten.
    """
    manifest = read(folder)
    wanted = {config: folder / CONFIG}
    for name in manifest.files:
        if name.startswith(f"{TEMPLATES}/"):
            wanted[templates / Path(name).name] = folder / name
    missing = {
        target: source for target, source in wanted.items() if not target.exists()
    }
    with _all_or_none() as written:
        for target, source in missing.items():
            _copy(source, target)
            written.append(target)
    return tuple(missing)


# --- checks --------------------------------------------------------------------


def _check_key(journal: Path, key: Path, registry_id: str) -> None:
    """Read the backup's registry whole, verify its evidence, and try the key."""
    scratch = journal.with_name(journal.name + ".check")
    _copy(journal, scratch)
    try:
        registry = TinyDbRegistry(scratch)
        try:
            if not audit.verify(registry.audit_events()).is_sound:
                raise Damaged(file=str(journal))
            _try_key(registry, key, registry_id)
        finally:
            registry.close()
    except RegistryError as error:
        raise Damaged(file=str(journal)) from error
    finally:
        for left in journal.parent.glob(scratch.name + "*"):
            left.unlink(missing_ok=True)


def _try_key(registry: TinyDbRegistry, key: Path, registry_id: str) -> None:
    try:
        vault = Vault(KeyRing.from_file(key), registry_id)
        for credential in registry.run(lambda tx: tx.credentials()):
            sealed = credential.escrow.current_sealed
            if sealed:
                plain = vault.open(
                    sealed,
                    table="credentials",
                    record=credential.id,
                    field="escrow.current",
                )
                plain[:] = bytes(len(plain))
                return
    except VaultError as error:
        raise WrongKey(file=str(key)) from error


# --- files ---------------------------------------------------------------------


@contextmanager
def _named(file: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise NotWritten(file=str(file), reason=reason) from error


@contextmanager
def _all_or_none() -> Iterator[list[Path]]:
    written: list[Path] = []
    try:
        yield written
    except BaseException:
        for file in written:
            file.unlink(missing_ok=True)
        raise


def _copy(source: Path, target: Path) -> None:
    with _named(target):
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with source.open("rb") as stream, _created(target) as handle:
            shutil.copyfileobj(stream, handle)


def _write(target: Path, data: bytes) -> None:
    with _named(target), _created(target) as handle:
        handle.write(data)


@contextmanager
def _created(target: Path) -> Iterator[BinaryIO]:
    """Create a new file (0600); durable when this ends."""
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        yield stream
        stream.flush()
        os.fsync(stream.fileno())


def _sum(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()

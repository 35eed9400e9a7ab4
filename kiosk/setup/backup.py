"""Backup and restore of a station: registry, configuration, templates; the keys apart.

A backup is a folder with a manifest of checksums. The keys (the vault's, the issuing
authority's) are never in it: who has both has every escrowed secret, and can make cards
that the domain trusts. They are copied to a folder of their own. A restore writes over
nothing, checks everything first, and voids the nonces and codes that were open: they
may have been used since the backup was made.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from kiosk.core import private_files
from kiosk.core.errors import KioskError, reason_of
from storage import audit, walk
from storage.high_water import HighWaterMark
from storage.registry import RegistryError
from storage.segments import folder_of
from storage.tinydb_registry import TinyDbRegistry
from storage.vault import KeyRing, Vault, VaultError

MANIFEST = "manifest.json"
REGISTRY = "registry.journal"
EVIDENCE = folder_of(Path(REGISTRY)).name
"""The folder of sealed evidence."""
CONFIG = "kiosk.toml"
DESK = "desk.toml"
TEMPLATES = "templates"
ANCHORS = "anchors"
VAULT_KEY = "vault.key"
ISSUER, ISSUER_KEY = "issuer.pem", "issuer.key"
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


class Unreadable(BackupError):
    """A file may not be read by who restores: `file`, `reason`."""

    code = "backup.unreadable"


class KeyMissing(BackupError):
    """A key that this station has is neither in its place nor given: `file`."""

    code = "backup.key_missing"


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
    issuer: Path | None = None
    issuer_key: Path | None = None
    anchors: Mapping[str, Path] = field(default_factory=dict)
    """Certificates that are trusted, by what they are for."""
    high_water: HighWaterMark | None = None
    """How far the station has seen the registry come: a restore begins it anew."""

    @property
    def keys(self) -> dict[str, Path]:
        """What is kept apart, by its name in a folder of keys."""
        named = {
            VAULT_KEY: self.vault_key,
            ISSUER: self.issuer,
            ISSUER_KEY: self.issuer_key,
        }
        return {name: path for name, path in named.items() if path is not None}

    @property
    def desk(self) -> Path:
        """The configuration of an operators' terminal, where this station has one."""
        return self.config.with_name(DESK)


def back_up(
    places: Places,
    folder: Path,
    *,
    now: float,
    keys: Path | None = None,
) -> Manifest:
    """Write a backup into a new folder (0700), at one moment of the registry.

    `keys`: a new folder for the keys, if they are wanted. The station may go on
    working. TargetThere, NotWritten, RegistryError.
    """
    for target in (folder, keys):
        if target is not None and target.exists():
            raise TargetThere(file=str(target))
    with _named(folder):
        folder.mkdir(mode=0o700, parents=True)
    registry = TinyDbRegistry(places.registry)
    try:
        registry.snapshot(folder / REGISTRY)
        for name in registry.sealed_files():
            _copy(folder_of(places.registry) / name, folder / EVIDENCE / name)
    finally:
        registry.close()
    _copy(places.config, folder / CONFIG)
    if places.desk.is_file():
        _copy(places.desk, folder / DESK)
    for template in sorted(places.templates.glob("*.toml")):
        _copy(template, folder / TEMPLATES / template.name)
    for name, anchor in places.anchors.items():
        if anchor.is_file():
            _copy(anchor, folder / ANCHORS / name)
    if keys is not None:
        for name, key in places.keys.items():
            _copy(key, keys / name)
    names = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    manifest = Manifest(
        format=_FORMAT,
        made_at=now,
        registry_id=places.registry_id,
        files={str(path.relative_to(folder)): _sum(path) for path in names},
    )
    with _named(folder / MANIFEST):
        private_files.create(folder / MANIFEST, msgspec.json.encode(manifest))
    return manifest


def read(folder: Path) -> Manifest:
    """Check a backup's files against its manifest. NotABackup, Damaged, Unreadable."""
    try:
        raw = (folder / MANIFEST).read_bytes()
        manifest = msgspec.json.decode(raw, type=Manifest)
    except PermissionError as error:
        reason = reason_of(error)
        raise Unreadable(file=str(folder / MANIFEST), reason=reason) from error
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
    keys: Path | None = None,
) -> int:
    """Put a station back: registry, keys, and templates and configuration if missing.

    `keys`: the folder of keys; None: they are in their places. Returns how many
    credentials there are. TargetThere, NotABackup, Damaged, KeyMissing, WrongKey,
    NotWritten, RegistryError.
    """
    manifest = read(folder)
    new = {places.registry: folder / REGISTRY}
    for name in manifest.files:
        if name.startswith(f"{EVIDENCE}/"):
            new[folder_of(places.registry) / Path(name).name] = folder / name
    if keys is not None:
        new |= {target: keys / name for name, target in places.keys.items()}
    for target in new:
        if target.exists():
            raise TargetThere(file=str(target))
    for target in places.keys.values():
        if not new.get(target, target).is_file():
            raise KeyMissing(file=str(new.get(target, target)))
    key = new.get(places.vault_key, places.vault_key)
    _check_key(folder / REGISTRY, key, manifest.registry_id)
    for name in manifest.files:
        if name.startswith(f"{TEMPLATES}/"):
            new[places.templates / Path(name).name] = folder / name
    for name, target in places.anchors.items():
        # What lies in the system's own folders is the system's to put back.
        if f"{ANCHORS}/{name}" in manifest.files and _may_write(target.parent):
            new[target] = folder / ANCHORS / name
    new[places.config] = folder / CONFIG
    if DESK in manifest.files:
        new[places.desk] = folder / DESK
    with private_files.all_or_none() as written:
        for target, source in new.items():
            if target.exists():
                continue
            _copy(source, target)
            written.append(target)
        registry = TinyDbRegistry(places.registry, station=station, now=now)
        try:
            registry.distrust(station=station, now=now)
            if places.high_water is not None:
                with _named(places.registry.parent):
                    places.high_water.restart(registry.read(lambda it: it.heads()))
            return registry.read(lambda it: it.count())
        finally:
            registry.close()


# --- checks --------------------------------------------------------------------


def _check_key(journal: Path, key: Path, registry_id: str) -> None:
    """Read the backup's registry whole, verify its evidence, and try the key."""
    with tempfile.TemporaryDirectory(prefix="pin-kiosk-") as scratch:
        copied = Path(scratch) / REGISTRY
        _copy(journal, copied)
        evidence = folder_of(copied)
        evidence.mkdir()
        for sealed in folder_of(journal).glob("*.segment"):
            (evidence / sealed.name).symlink_to(sealed.resolve())
        try:
            registry = TinyDbRegistry(copied)
            try:
                verdict = audit.verify(registry.audit_events(), registry.moved_away())
                if not verdict.is_sound:
                    raise Damaged(file=str(journal))
                _try_key(registry, key, registry_id)
            finally:
                registry.close()
        except RegistryError as error:
            raise Damaged(file=str(journal)) from error


def _try_key(registry: TinyDbRegistry, key: Path, registry_id: str) -> None:
    try:
        vault = Vault(KeyRing.from_file(key), registry_id)
        for credential in walk.credentials(registry):
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
        reason = reason_of(error)
        raise NotWritten(file=str(error.filename or file), reason=reason) from error


def _may_write(folder: Path) -> bool:
    return os.access(folder, os.W_OK, effective_ids=True)


def _copy(source: Path, target: Path) -> None:
    with _named(target):
        private_files.copy(source, target)


def _sum(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        reason = reason_of(error)
        raise Unreadable(file=str(path), reason=reason) from error

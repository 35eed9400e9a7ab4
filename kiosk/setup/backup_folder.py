"""What a backup is: a folder with a manifest, each file with its checksum."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from kiosk.core import private_files
from kiosk.core.errors import KioskError, reason_of
from storage.journal_copy import Told
from storage.known_types import known
from storage.segments import folder_of

MANIFEST = "manifest.json"
REGISTRY = "registry.journal"
EVIDENCE = folder_of(Path(REGISTRY)).name
"""The folder of sealed evidence."""
CONFIG = "kiosk.toml"
DESK = "desk.toml"
TEMPLATES = "templates"
ANCHORS = "anchors"
STATIONS = "stations"
TICKETS = "pending-certificates"
VAULT_KEY = "vault.key"
ISSUER, ISSUER_KEY = "issuer.pem", "issuer.key"
FORMAT = 1
_PIECE = 1 << 20
"""Bytes that are read at a time."""


class BackupError(KioskError):
    """Root of what is wrong with a backup."""

    code = "backup.error"


class TargetThere(BackupError):
    """Nothing is written over: `file`."""

    code = "backup.target_there"


class KeysTogether(BackupError):
    """The keys would lie in one folder with the backup: `file`, that of the keys."""

    code = "backup.keys_together"


class NotWritten(BackupError):
    """A file could not be written: `file`, `reason`."""

    code = "backup.not_written"


class NotRead(BackupError):
    """A file that a backup is made of could not be read: `file`, `reason`."""

    code = "backup.not_read"


class NotABackup(BackupError):
    """The folder is no backup, or one of a later version: `folder`."""

    code = "backup.not_a_backup"


class NoSuchFolder(BackupError):
    """What was named as a backup is not there: `folder`."""

    code = "backup.no_such_folder"


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


def read(folder: Path, told: Told = lambda _bytes: None) -> Manifest:
    """Check a backup's files against its manifest.
    NoSuchFolder, NotABackup, Damaged, Unreadable.
    """
    try:
        raw = (folder / MANIFEST).read_bytes()
        manifest = msgspec.json.decode(raw, type=known(Manifest))
    except PermissionError as error:
        reason = reason_of(error)
        raise Unreadable(file=str(folder / MANIFEST), reason=reason) from error
    except FileNotFoundError as error:
        if not folder.exists():
            raise NoSuchFolder(folder=str(folder)) from error
        raise NotABackup(folder=str(folder)) from error
    except (OSError, msgspec.DecodeError) as error:
        raise NotABackup(folder=str(folder)) from error
    if manifest.format != FORMAT or REGISTRY not in manifest.files:
        raise NotABackup(folder=str(folder))
    for name, expected in manifest.files.items():
        path = folder / name
        inside = path.resolve().is_relative_to(folder.resolve())
        if not inside or not path.is_file() or checksum(path, told) != expected:
            raise Damaged(file=str(path))
    return manifest


# --- files ---------------------------------------------------------------------


@contextmanager
def named(file: Path) -> Iterator[None]:
    """Let an OSError come out as NotWritten."""
    try:
        yield
    except OSError as error:
        reason = reason_of(error)
        raise NotWritten(file=str(error.filename or file), reason=reason) from error


def copy(source: Path, target: Path, told: Told = lambda _bytes: None) -> None:
    """Copy into a new file; `told` hears of the bytes. NotWritten."""
    with named(target):
        private_files.copy(source, target, told)


def checksum(path: Path, told: Told = lambda _bytes: None) -> str:
    """Return a file's SHA-256, hex; `told` hears of the bytes. Unreadable."""
    digest = hashlib.sha256()
    try:
        with path.open("rb") as stream:
            while piece := stream.read(_PIECE):
                digest.update(piece)
                told(len(piece))
        return digest.hexdigest()
    except OSError as error:
        reason = reason_of(error)
        raise Unreadable(file=str(path), reason=reason) from error

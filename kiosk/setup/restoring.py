"""A station from its backup: checked first, written over nothing, all of it or none.

The nonces and codes that were open are made void: they may have been used since the
backup was made. In constant memory, as the backup.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from kiosk.core import private_files
from kiosk.setup.backup import Places
from kiosk.setup.backup_folder import (
    ANCHORS,
    CONFIG,
    DESK,
    EVIDENCE,
    REGISTRY,
    STATIONS,
    TEMPLATES,
    TICKETS,
    Damaged,
    KeyMissing,
    Manifest,
    NotWritten,
    TargetThere,
    WrongKey,
    copy,
    named,
    read,
)
from storage import audit, journal_copy, segments
from storage.audit import Head
from storage.errors import RegistryError
from storage.journal_copy import Kept, Told
from storage.journal_lock import lock_files
from storage.records import AuditEvent, Credential
from storage.rotation import envelopes
from storage.segments import folder_of
from storage.tinydb_registry import DISTRUSTED, TinyDbRegistry
from storage.tinydb_tables import decode
from storage.vault import KeyRing, Vault, VaultError

_TRIED = 20
"""Credentials with an escrowed secret on which the key is tried."""
_SEALED = b'_sealed":"v'
"""Stands in a credential that has one, of whatever kind."""


def restore(
    folder: Path,
    places: Places,
    *,
    station: str,
    now: float,
    keys: Path | None = None,
    told: Told = lambda _bytes: None,
) -> Manifest:
    """Put a station back: registry, keys, and templates and configuration if missing.

    `keys`: the folder of keys; None: they are in their places. `told` hears of each
    byte three times: its checksum, what it says, its copy. TargetThere, NotABackup,
    Damaged, KeyMissing, WrongKey, NotWritten, RegistryError.
    """
    manifest = read(folder, told)
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
    _check(folder / REGISTRY, key, manifest.registry_id, told)
    for inside, place in (
        (TEMPLATES, places.templates),
        (STATIONS, places.stations),
        (TICKETS, places.tickets),
    ):
        for name in manifest.files:
            if place is not None and name.startswith(f"{inside}/"):
                new[place / Path(name).name] = folder / name
    for name, target in places.anchors.items():
        # What lies in the system's own folders is the system's to put back.
        if f"{ANCHORS}/{name}" in manifest.files and _may_write(target.parent):
            new[target] = folder / ANCHORS / name
    new[places.config] = folder / CONFIG
    if DESK in manifest.files:
        new[places.desk] = folder / DESK
    with _folders_too(new), private_files.all_or_none() as written:
        for target, source in new.items():
            if target.exists():
                continue
            written.append(target)  # before: Ctrl+C may come just behind it
            try:
                copy(source, target, told)
            except NotWritten:
                written.remove(target)  # it may be somebody else's
                raise
        seen = [places.high_water.file] if places.high_water is not None else []
        written += [
            each for each in (*lock_files(places.registry), *seen) if not each.exists()
        ]
        registry = TinyDbRegistry(
            places.registry, station=station, now=now, only=DISTRUSTED
        )
        try:
            registry.distrust(station=station, now=now)
            if places.high_water is not None:
                with named(places.registry.parent):
                    places.high_water.restart(registry.read(lambda it: it.heads()))
        finally:
            registry.close()
    return manifest


@contextmanager
def _folders_too(files: Iterable[Path]) -> Iterator[None]:
    """Remove folders again that were made for files, should the block not end well."""
    above = {folder for file in files for folder in file.parents}
    missing = [folder for folder in above if not folder.exists()]
    try:
        yield
    except BaseException:
        for folder in sorted(missing, reverse=True):  # what is inside comes first
            with suppress(OSError):  # somebody has put something there
                folder.rmdir()
        raise


def _may_write(folder: Path) -> bool:
    return os.access(folder, os.W_OK, effective_ids=True)


# --- checks --------------------------------------------------------------------


def _check(journal: Path, key: Path, registry_id: str, told: Told) -> None:
    """Read the backup's registry whole, verify its evidence, and try the key."""
    kept = journal_copy.looking_at()
    try:
        groups = journal_copy.look(journal, kept, told)
        sealed = journal_copy.last_put(groups, "credentials", _SEALED, _TRIED)
        begins = _moved_away(kept)
        if not audit.verify(_events(journal, kept, told), begins).is_sound:
            raise Damaged(file=str(journal))
    except (RegistryError, OSError) as error:
        raise Damaged(file=str(journal)) from error
    _try_key([decode(Credential, raw) for raw in sealed], key, registry_id)


def _moved_away(kept: Kept) -> dict[str, Head]:
    ends: dict[str, Head] = {}
    for segment in kept.segments():
        if segment.archived:
            ends |= segment.ends
    return ends


def _events(journal: Path, kept: Kept, told: Told) -> Iterator[AuditEvent]:
    for segment in kept.segments():
        if not segment.archived:
            yield from segments.read(folder_of(journal), segment)
            told(segment.size)
    yield from kept.events()


def _try_key(credentials: list[Credential], key: Path, registry_id: str) -> None:
    """Let pass a key that opens something. WrongKey.

    One secret that is damaged does not keep the others from being restored.
    """
    try:
        vault = Vault(KeyRing.from_file(key), registry_id)
    except VaultError as error:
        raise WrongKey(file=str(key)) from error
    tried = [_opens(vault, each) for each in credentials]
    if tried and not any(tried):
        raise WrongKey(file=str(key))


def _opens(vault: Vault, credential: Credential) -> bool:
    """Say whether the key opens all that is sealed of one credential."""
    try:
        for field, envelope in envelopes(credential).items():
            if not envelope:
                continue
            plain = vault.open(
                envelope, table="credentials", record=credential.id, field=field
            )
            plain[:] = bytes(len(plain))
    except VaultError:
        return False
    return True

"""A station from its backup: checked first, written over nothing, all of it or none.

The nonces and codes that were open are made void: they may have been used since the
backup was made. In constant memory, as the backup.

A station that is out of service looks again and again whether its registry is there,
and works with what it finds. So that gets its name last, whole and on the disk.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
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
from storage.high_water import HighWaterMark
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
    journal = _apart(places.registry)
    new: dict[Path, Path] = {}
    for name in manifest.files:
        if name.startswith(f"{EVIDENCE}/"):
            new[folder_of(places.registry) / Path(name).name] = folder / name
    if keys is not None:
        new |= {target: keys / name for name, target in places.keys.items()}
    for target in (places.registry, journal, *new):
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
    made = (places.registry, *new)
    with private_files.folders_too(made), private_files.all_or_none() as written:
        for target, source in new.items():
            if not target.exists():
                _take(source, target, written, told)
        _take(folder / REGISTRY, journal, written, told)
        written += [each for each in lock_files(journal) if not each.exists()]
        registry = TinyDbRegistry(journal, station=station, now=now, only=DISTRUSTED)
        try:
            registry.distrust(station=station, now=now)
            heads = registry.read(lambda view: view.heads())
        finally:
            registry.close()
        with _begun_anew(places.high_water, heads):
            _name(journal, places.registry, written)
        for lock in lock_files(journal):
            with suppress(OSError):  # nobody minds one
                lock.unlink(missing_ok=True)
    return manifest


def _apart(registry: Path) -> Path:
    """Return where a registry lies until it is whole: where no station looks."""
    return registry.with_name(f"{registry.name}.restoring")


def _take(source: Path, target: Path, written: list[Path], told: Told) -> None:
    """Copy into a file that is not there, and say so in `written`. NotWritten."""
    written.append(target)  # before: Ctrl+C may come just behind it
    try:
        copy(source, target, told)
    except NotWritten:
        written.remove(target)  # it may be somebody else's
        raise


def _name(journal: Path, registry: Path, written: list[Path]) -> None:
    """Give a registry that is whole its own name, durably. TargetThere, NotWritten."""
    written.append(registry)
    try:
        with named(registry):
            private_files.give_name(journal, registry)
    except NotWritten as error:
        if not isinstance(error.__cause__, FileExistsError):
            raise
        written.remove(registry)  # it is somebody else's
        raise TargetThere(file=str(registry)) from error


@contextmanager
def _begun_anew(
    mark: HighWaterMark | None, heads: Mapping[str, Head]
) -> Iterator[None]:
    """Begin the mark of how far the registry has come anew, before anybody can open it:
    it would be taken for an older one. It is as it was, should the block not end well.

    NotWritten.
    """
    if mark is None:
        yield
        return
    with named(mark.file):
        before = mark.file.read_bytes() if mark.file.exists() else None
    try:
        with named(mark.file):
            mark.restart(heads)
        yield
    except BaseException:
        with suppress(OSError):  # what has ended it says more
            if before is None:
                mark.file.unlink(missing_ok=True)
            else:
                private_files.replace(mark.file, before)
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

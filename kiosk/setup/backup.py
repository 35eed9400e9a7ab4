"""A station's backup: registry, configuration, templates; the keys apart.

A backup is a folder with a manifest of checksums. The keys (the vault's, the issuing
authority's) are never in it: who has both has every escrowed secret, and can make cards
that the domain trusts. They are copied to a folder of their own. It is written in
constant memory, however much is remembered (`kiosk.setup.restoring` is the way back).
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from kiosk.core import private_files
from kiosk.setup.backup_folder import (
    ANCHORS,
    CONFIG,
    DESK,
    EVIDENCE,
    FORMAT,
    ISSUER,
    ISSUER_KEY,
    MANIFEST,
    REGISTRY,
    STATIONS,
    TEMPLATES,
    TICKETS,
    VAULT_KEY,
    KeysTogether,
    Manifest,
    NotRead,
    TargetThere,
    Unreadable,
    checksum,
    copy,
    named,
)
from storage import journal_copy, segments
from storage.fileops import FileOps
from storage.high_water import HighWaterMark
from storage.journal_copy import Told
from storage.journal_lock import LOCK_SECONDS
from storage.lock_file import held
from storage.segments import Segment, folder_of, sealing_lock


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
    stations: Path | None = None
    """The folder that says which stations of a fleet may ask."""
    tickets: Path | None = None
    """The folder that says which cards wait for a certificate, and with which keys."""
    given_out: tuple[Path, ...] = ()
    """Passwords, keytabs, TLS certificates and their keys: in no backup, because
    whoever gave them out does so again."""
    left_out: Mapping[str, Path] = field(default_factory=dict)
    """What else is named and in no backup, by the sentence that says why."""
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


@dataclass(frozen=True, slots=True)
class MadeBackup:
    """A backup that was made."""

    manifest: Manifest
    copied: int
    """Bytes that were copied; the rest is linked to the backup before."""
    moved_away: int
    """Segments of evidence that are in an archive, and so in no backup."""


def back_up(
    places: Places,
    folder: Path,
    *,
    now: float,
    keys: Path | None = None,
    like: Path | None = None,
    told: Told = lambda _bytes: None,
) -> MadeBackup:
    """Write a backup into a new folder (0700), at one moment of the registry.

    `keys`: a new folder for the keys, if they are wanted. `like`: an earlier backup;
    a segment of evidence that is in it, byte for byte, is linked to and not copied.
    The station may go on working; it seals and moves no evidence meanwhile. What ends
    before its end, in any way, leaves neither folder, and takes none away that somebody
    else has made meanwhile. TargetThere, NotRead, NotWritten, RegistryError.
    """
    targets = [target for target in (folder, keys) if target is not None]
    for target in targets:
        if target.exists():
            raise TargetThere(file=str(target))
    ours: list[Path] = []
    try:
        for target in targets:
            _make(target)
            ours.append(target)
        return _back_up(places, folder, now, keys, like, told)
    except BaseException:
        for target in ours:
            shutil.rmtree(target, ignore_errors=True)
        raise


def _make(target: Path) -> None:
    """Make a folder that is not there (0700). TargetThere, NotWritten."""
    with named(target):
        private_files.make_folders_above(target)
        try:
            target.mkdir(mode=0o700)
        except FileExistsError as error:
            raise TargetThere(file=str(target)) from error


def must_be_apart(keys: Path, folder: Path) -> None:
    """Refuse keys in one folder with the backups: who gets one would have both.

    `folder`: of the backup, or of all of them. KeysTogether.
    """
    one, other = keys.resolve(), folder.resolve()
    if one.is_relative_to(other) or other.is_relative_to(one):
        raise KeysTogether(file=str(keys))


def _back_up(
    places: Places,
    folder: Path,
    now: float,
    keys: Path | None,
    like: Path | None,
    told: Told,
) -> MadeBackup:
    ops = FileOps()
    files: dict[str, str] = {}
    lock = sealing_lock(places.registry)
    with named(lock), held(ops, lock, LOCK_SECONDS, places.registry, is_shared=True):
        with private_files.created(folder / REGISTRY) as stream:
            copied = journal_copy.copy(ops, places.registry, stream, told)
        files[REGISTRY], size = copied.sha256, copied.size
        own = folder_of(places.registry)
        for segment in copied.segments:
            if not segment.archived:
                files[f"{EVIDENCE}/{segment.file}"] = segment.sha256
                size += _take(segment, own, folder / EVIDENCE, like)
                told(segment.size)
    others = [(places.config, CONFIG)]
    if places.desk.is_file():
        others.append((places.desk, DESK))
    for template in sorted(places.templates.glob("*.toml")):
        others.append((template, f"{TEMPLATES}/{template.name}"))
    if places.stations is not None:
        for station in sorted(places.stations.glob("*.toml")):
            others.append((station, f"{STATIONS}/{station.name}"))
    for name, anchor in places.anchors.items():
        if anchor.is_file():
            others.append((anchor, f"{ANCHORS}/{name}"))
    for source, name in others:
        copy(source, folder / name)
        files[name] = _sum_of(folder / name)
    for name in _take_tickets(places.tickets, folder / TICKETS):
        files[f"{TICKETS}/{name}"] = _sum_of(folder / TICKETS / name)
    if keys is not None:
        for name, key in places.keys.items():
            copy(key, keys / name)
    manifest = Manifest(
        format=FORMAT,
        made_at=now,
        registry_id=places.registry_id,
        files=dict(sorted(files.items())),
    )
    with named(folder / MANIFEST):
        private_files.create(folder / MANIFEST, msgspec.json.encode(manifest))
    return MadeBackup(manifest, size, sum(each.archived for each in copied.segments))


def _sum_of(copied: Path) -> str:
    """Return the checksum of what was just copied. NotRead."""
    try:
        return checksum(copied)
    except Unreadable as error:
        raise NotRead(**error.data) from error


def _take_tickets(own: Path | None, target: Path) -> Iterator[str]:
    """Copy what cards wait for; yield the names. One that has just come is in none."""
    for ticket in sorted(own.glob("*.json")) if own is not None else ():
        copied = target / ticket.name
        with named(copied):
            try:
                private_files.copy(ticket, copied)
            except FileNotFoundError:
                continue
        yield ticket.name


def size_of(places: Places) -> int:
    """Return about how many bytes a backup will have gone through. OSError."""
    sealed = folder_of(places.registry).glob("*.segment")
    return sum(file.stat().st_size for file in (places.registry, *sealed))


def _take(segment: Segment, own: Path, target: Path, like: Path | None) -> int:
    """Have a segment in a backup, as it was sealed; return how much was copied.

    A link is to the earlier backup, never to the station's own file: what happens to
    that must not happen to its copies, too.
    """
    copied = target / segment.file
    earlier = like / EVIDENCE / segment.file if like is not None else None
    if earlier is not None and _linked(earlier, copied, segment):
        return 0
    data = segments.sealed_bytes(own, segment)
    with named(copied):
        private_files.create(copied, data)
    return len(data)


def _linked(earlier: Path, copied: Path, segment: Segment) -> bool:
    """Link to an earlier copy that is sound; False: there is none, or no links."""
    try:
        if checksum(earlier) != segment.sha256:
            return False
        copied.parent.mkdir(mode=0o700, exist_ok=True)
        copied.hardlink_to(earlier)
    except (OSError, Unreadable):
        return False
    return True

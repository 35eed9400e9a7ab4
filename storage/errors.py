"""What a registry refuses and why: one class a kind, each with its data."""

from __future__ import annotations

from typing import ClassVar


class RegistryError(Exception):
    """Root of what a registry may raise; `code` is a key of the catalogue."""

    code: ClassVar[str] = "registry.error"

    def __init__(self, **data: str | int) -> None:
        super().__init__(self.code, data)
        self._data = data

    @property
    def data(self) -> dict[str, str | int]:
        """The values that the sentence names."""
        return self._data

    def __str__(self) -> str:
        return f"{self.code} {self._data}" if self._data else self.code


class RecordMissing(RegistryError):
    """No record of that kind has that key: `kind`, `key`."""

    code = "registry.record_missing"


class VersionConflict(RegistryError):
    """Somebody saved the record since it was read: `kind`, `key`."""

    code = "registry.version_conflict"


class DuplicateRecord(RegistryError):
    """A unique key is taken: `kind`, `key`."""

    code = "registry.duplicate"


class StoreLocked(RegistryError):
    """Another process held the lock for too long: `path`, `seconds`."""

    code = "registry.locked"


class StoreCorrupt(RegistryError):
    """The store's middle is damaged; nothing was changed: `path`, `offset`."""

    code = "registry.corrupt"


class EvidenceMissing(RegistryError):
    """A file of sealed evidence is not there, or cannot be read: `path`."""

    code = "registry.evidence_missing"


class EvidenceDamaged(RegistryError):
    """A file of sealed evidence is not as it was sealed: `path`, `offset`."""

    code = "registry.evidence_damaged"


class ArchiveBusy(RegistryError):
    """Another program is sealing or moving evidence: `path`."""

    code = "registry.archive_busy"


class ArchiveTaken(RegistryError):
    """An archive has another file of a segment's name: `path`."""

    code = "registry.archive_taken"


class ArchiveNotWritten(RegistryError):
    """Something of an archive could not be written: `path`, `reason`."""

    code = "registry.archive_not_written"


class CopiesUnreadable(RegistryError):
    """Of where copies are named something may not be seen: `path`, `reason`."""

    code = "registry.copies_unreadable"


class StoreChanged(RegistryError):
    """The open store's file is no longer what it was; nothing is written: `path`."""

    code = "registry.changed"


class StoreDeleted(StoreChanged):
    """It is not there any more: `path`."""

    code = "registry.deleted"


class StoreShortened(StoreChanged):
    """It ends before what has been committed: `path`, `size`, `offset`."""

    code = "registry.shortened"


class StoreReplaced(StoreChanged):
    """Another one lies in its place, as after a restore: `path`."""

    code = "registry.replaced"


class StorePoisoned(RegistryError):
    """A write or fsync failed; reopen to find out what is durable: `path`."""

    code = "registry.poisoned"


class StoreTooNew(RegistryError):
    """A later version of the program has worked with it: `path`, `version`."""

    code = "registry.too_new"


class StoreTooOld(RegistryError):
    """Its owner has to bring it forward first: `path`, `version`, `needed`."""

    code = "registry.too_old"


class StoreForeign(RegistryError):
    """Its tables are not what this program made: `place`."""

    code = "registry.foreign"


class StoreForbidden(RegistryError):
    """The account may not do what an authority does: `place`."""

    code = "registry.forbidden"


class CommitUnknown(RegistryError):
    """Whether the last change was committed cannot be told now: `place`."""

    code = "registry.outcome_unknown"


class RecordDamaged(RegistryError):
    """A record is not what was written: `kind`, `key`."""

    code = "registry.record_damaged"


class StoresDiffer(RegistryError):
    """Two stores that are to hold the same do not: `kind`, `key`."""

    code = "registry.stores_differ"


class EvidenceElsewhere(RegistryError):
    """A part of the evidence was moved into an archive that was not named: `count`."""

    code = "registry.evidence_elsewhere"


class ChainBroken(RegistryError):
    """An event is not the next link of its chain: `station` (or its lane), `seq`."""

    code = "registry.chain_broken"


class StoreFull(RegistryError):
    """No space or no permission to write; nothing was changed: `path`."""

    code = "registry.full"


class StoreUnsuitable(RegistryError):
    """The place cannot hold a registry (network file system, foreign file): `path`."""

    code = "registry.unsuitable"


class StoreUnavailable(RegistryError):
    """The store cannot be reached: `place`."""

    code = "registry.unavailable"


class StoreNotOpened(StoreUnavailable):
    """As its owner is told: `place`, and the `reason` in the database's own words."""

    code = "registry.not_opened"


class NoConnectionString(StoreUnavailable):
    """What was named is no place of a database: `place`, of which nothing is shown."""

    code = "registry.no_connection_string"

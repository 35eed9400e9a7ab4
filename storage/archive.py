"""Moving sealed evidence away, so that a registry keeps what its site wants at hand.

Each segment is copied into the archive, read back and durable before one commit calls
it archived; only then is the original removed. So whenever the process dies, each
segment is whole in one of the two places at least, and the next move goes on there.
What is moved is always the beginning of the evidence: the chains go on from its ends.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from storage import segments
from storage.errors import ArchiveBusy, ArchiveNotWritten, ArchiveTaken
from storage.fileops import FileOps, make_folders
from storage.records import AuditDraft
from storage.registry import Registry, Tx
from storage.segments import Segment
from storage.tinydb_evidence import Evidence

KIND = "evidence.archived"
"""The event that tells of each move: which segments, and the hash over theirs."""
TOGETHER = 50
"""Segments that one commit calls archived: it holds the lock for a millisecond."""


def due(evidence: Evidence, before: float) -> list[Segment]:
    """Return what can be moved: all until the last segment with earlier events only.

    A single event of a clock that was wrong does not keep what came after it.
    """
    here = [each for each in evidence.segments() if not each.archived]
    old = [number for number, each in enumerate(here, 1) if each.last_at < before]
    return here[: max(old, default=0)]


def move(
    registry: Registry,
    evidence: Evidence,
    ops: FileOps,
    target: Path,
    *,
    before: float,
    draft: AuditDraft,
) -> Iterator[Segment]:
    """Move what is `due` into the folder `target`; yield each when it is copied.

    `draft`, without its kind and data, becomes the event of each commit, which
    `registry` (the one that `evidence` is of) makes. It may be given up at any moment
    and called again. ArchiveBusy, ArchiveTaken, ArchiveNotWritten, EvidenceMissing,
    EvidenceDamaged; what `Registry.run` raises.
    """
    with evidence.alone() as is_alone:
        if not is_alone:
            raise ArchiveBusy(path=str(evidence.folder))
        _prepare(target, evidence.folder)
        _tidy(evidence, ops, target)
        chosen = due(evidence, before)
        for begin in range(0, len(chosen), TOGETHER):
            part = chosen[begin : begin + TOGETHER]
            for segment in part:
                _copy(ops, evidence.folder, target, segment)
                yield segment
            _synced(ops, target)
            registry.run(lambda tx, part=part: _name(tx, evidence, part, draft))  # type: ignore[misc]  # mypy cannot infer a lambda's default
            _remove(ops, evidence.folder, part)


def _prepare(target: Path, own: Path) -> None:
    try:
        make_folders(target)
        inside = target.resolve().is_relative_to(own.resolve())
    except OSError as error:
        raise _not_written(target, error) from error
    if inside:
        raise ArchiveNotWritten(path=str(target), reason="the evidence's own folder")


def _tidy(evidence: Evidence, ops: FileOps, target: Path) -> None:
    """Move what is called archived and lies here all the same: somebody died, or put
    it back. It is removed only where the archive has it.
    """
    left = [
        each
        for each in evidence.segments()
        if each.archived and (evidence.folder / each.file).exists()
    ]
    for segment in left:
        _copy(ops, evidence.folder, target, segment)
    _synced(ops, target)
    _remove(ops, evidence.folder, left)


def _copy(ops: FileOps, own: Path, target: Path, segment: Segment) -> None:
    """Have a segment in the archive, byte for byte what was sealed."""
    copied = target / segment.file
    if copied.exists():
        if _hash(copied) != segment.sha256:
            raise ArchiveTaken(path=str(copied))
        return
    data = segments.sealed_bytes(own, segment)
    part = copied.with_suffix(".part")
    try:
        handle = ops.create(part)
        try:
            ops.write(handle, data)
            ops.fsync(handle)
        finally:
            ops.close(handle)
        if _hash(part) != segment.sha256:
            raise ArchiveNotWritten(path=str(part), reason="not read as it was written")
        ops.rename(part, copied)
    except (OSError, KeyboardInterrupt) as error:
        with suppress(OSError):  # the disk may be read-only
            part.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise _not_written(copied, error) from error
        raise


def _hash(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise _not_written(path, error) from error


def _synced(ops: FileOps, target: Path) -> None:
    try:
        ops.fsync_dir(target)
        ops.fsync_dir(target.parent)
    except OSError as error:
        raise _not_written(target, error) from error


def _name(tx: Tx, evidence: Evidence, part: list[Segment], draft: AuditDraft) -> None:
    evidence.call_archived(part)
    over = hashlib.sha256("".join(each.sha256 for each in part).encode())
    tx.audit(
        AuditDraft(
            at=draft.at,
            station=draft.station,
            kind=KIND,
            actor=draft.actor,
            data={
                "first": part[0].file,
                "last": part[-1].file,
                "events": str(sum(each.events for each in part)),
                "sha256": over.hexdigest(),
            },
        )
    )


def _remove(ops: FileOps, own: Path, part: list[Segment]) -> None:
    try:
        for segment in part:
            ops.remove(own / segment.file)
        if part:
            ops.fsync_dir(own)
    except OSError as error:
        raise _not_written(own, error) from error


def _not_written(path: Path, error: OSError) -> ArchiveNotWritten:
    reason = error.strerror or type(error).__name__
    return ArchiveNotWritten(path=str(path), reason=reason)

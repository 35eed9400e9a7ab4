"""Mending what can be mended with nothing lost: a segment that a copy is the same as.

A segment's SHA-256 stands in the journal, so a file that has it is the segment,
wherever it comes from. What lies in its place is kept aside and never removed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from storage.errors import ArchiveBusy, EvidenceDamaged, EvidenceMissing, StoreFull
from storage.fileops import FileOps
from storage.segments import Segment
from storage.tinydb_evidence import Evidence

ASIDE = ".damaged"
"""What the name of a file ends with that was not as it was sealed."""


def mend(
    evidence: Evidence, ops: FileOps, places: Sequence[Path]
) -> Iterator[tuple[Segment, EvidenceMissing | EvidenceDamaged | None, Path | None]]:
    """Look at each segment that is to be here; put back from `places` what is not.

    Yield it, what was wrong, and the copy that is in its place now: None, there was no
    such copy. `places`: folders of segments, archives, backups, or folders of backups.
    ArchiveBusy, StoreFull.
    """
    with evidence.alone() as is_alone:
        if not is_alone:
            raise ArchiveBusy(path=str(evidence.folder))
        is_whole = True
        for segment, trouble in zip(
            evidence.segments(), evidence.examined(), strict=True
        ):
            copy = None
            if trouble is not None:
                copy = _copy_of(segment, evidence.folder.name, places)
            if copy is not None:
                _put_back(ops, evidence.folder / segment.file, copy.read_bytes())
            is_whole = is_whole and (trouble is None or copy is not None)
            yield segment, trouble, copy
        if is_whole:  # else an index may know what no segment says any more
            evidence.index.make_anew()


def _copy_of(segment: Segment, folder: str, places: Sequence[Path]) -> Path | None:
    for place in places:
        for inside in ("", folder, "*.evidence", "*/*.evidence"):
            for found in sorted(place.glob(f"{inside}/{segment.file}".lstrip("/"))):
                if _is_it(found, segment):
                    return found
    return None


def _is_it(found: Path, segment: Segment) -> bool:
    try:
        with found.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:  # one copy of several; another may be readable
        return False
    return digest == segment.sha256


def _put_back(ops: FileOps, path: Path, data: bytes) -> None:
    part = path.with_suffix(".part")
    try:
        path.parent.mkdir(mode=0o700, exist_ok=True)
        handle = ops.create(part)
        try:
            ops.write(handle, data)
            ops.fsync(handle)
        finally:
            ops.close(handle)
        if path.exists():
            ops.rename(path, path.with_name(path.name + ASIDE))
        ops.rename(part, path)
        ops.fsync_dir(path.parent)
    except OSError as error:
        raise StoreFull(path=str(path)) from error

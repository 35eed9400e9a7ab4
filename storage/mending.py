"""Mending what can be mended with nothing lost: a segment that a copy is the same as.

A segment's SHA-256 stands in the journal, so a file that has it is the segment,
wherever it comes from. What lies in its place is kept aside and never removed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from storage.errors import (
    ArchiveBusy,
    CopiesUnreadable,
    EvidenceDamaged,
    EvidenceMissing,
    StoreFull,
)
from storage.fileops import FileOps
from storage.segments import SUFFIX, Segment
from storage.tinydb_evidence import Evidence

ASIDE = ".damaged"
"""What the name of a file ends with that was not as it was sealed."""


def mend(
    evidence: Evidence, ops: FileOps, places: Sequence[Path]
) -> Iterator[tuple[EvidenceMissing | EvidenceDamaged | None, Path | None]]:
    """Look at each segment that is to be here; put back from `places` what is not.

    Yield what was wrong with it, and the copy that is in its place now: None, there was
    no such copy. If all are whole, their index is made anew, and something is yielded
    for each once more. `places`: folders of segments, archives, backups, or folders of
    backups. ArchiveBusy, StoreFull; CopiesUnreadable: of the places themselves before
    anything is done, of what is in them at the end, if a segment is left that may have
    a copy there.
    """
    copies = _Copies(places)
    with evidence.alone() as is_alone:
        if not is_alone:
            raise ArchiveBusy(path=str(evidence.folder))
        is_whole = True
        for segment, trouble in zip(
            evidence.segments(), evidence.examined(), strict=True
        ):
            copy = None
            if trouble is not None:
                copy = copies.of(segment)
            if copy is not None:
                _put_back(ops, evidence.folder / segment.file, copy.read_bytes())
            is_whole = is_whole and (trouble is None or copy is not None)
            yield trouble, copy
        if is_whole:  # else an index may know what no segment says any more
            for _ in evidence.index.make_anew():
                yield None, None
        if copies.unreadable is not None:
            raise copies.unreadable


class _Copies:
    """Where copies of segments may be."""

    def __init__(self, places: Sequence[Path]) -> None:
        """CopiesUnreadable: one of the places itself."""
        self.unreadable: CopiesUnreadable | None = None
        """What may have a copy of a segment of which there is no other."""
        self._unseen: OSError | None = None
        self._folders = list[Path]()
        for place in places:
            try:
                inside = sorted(place.iterdir())
            except OSError as error:
                raise _unreadable(place, error) from error
            self._folders.append(place)
            self._folders += [each for each in inside if _has_segments(each)]
            for each in inside:
                if not _has_segments(each):
                    self._folders += filter(_has_segments, self._seen_in(each))

    def of(self, segment: Segment) -> Path | None:
        """Return a copy that is the same; None: there is none that may be read."""
        unseen = self._unseen
        for folder in self._folders:
            found = folder / segment.file
            try:
                if _is_it(found, segment):
                    return found
            except (FileNotFoundError, NotADirectoryError):
                continue
            except OSError as error:  # another one may be readable
                unseen = unseen or error
        if unseen is not None and self.unreadable is None:
            self.unreadable = _unreadable(Path(str(unseen.filename)), unseen)
        return None

    def _seen_in(self, folder: Path) -> list[Path]:
        try:
            return sorted(folder.iterdir())
        except NotADirectoryError:
            return []
        except OSError as error:  # what is looked for may be in another one
            self._unseen = self._unseen or error
            return []


def _has_segments(folder: Path) -> bool:
    return folder.name.endswith(SUFFIX)


def _unreadable(path: Path, error: OSError) -> CopiesUnreadable:
    return CopiesUnreadable(path=str(path), reason=error.strerror or str(error))


def _is_it(found: Path, segment: Segment) -> bool:
    """OSError."""
    with found.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
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

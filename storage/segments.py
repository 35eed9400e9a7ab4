"""Sealed evidence: what has happened, in files that are written once and never again.

    PIN-KIOSK EVIDENCE 1
    G …                          one group of the journal's format (`storage.groups`)
    P "audit" "<chain>|<seq>" <json>
    P "operations" "<id>" <json>

Events come first, then operations that have ended. One that is saved again lives in the
journal again, and is sealed once more with a higher version: the highest counts.

A segment is one group, numbered like it, and names the checksum of the segment before
(its place). What segments there are, and their SHA-256, stands in the journal: a file
that the journal does not name is no evidence, and one that it names is looked at whole
before anything in it is believed.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, TypeVar

import msgspec

from storage import canonical, groups
from storage.audit import Head
from storage.errors import EvidenceDamaged, EvidenceMissing, StoreFull
from storage.fileops import FileOps, make_folder
from storage.groups import Change
from storage.known_types import known
from storage.records import AuditEvent, Operation, Record

MAGIC = b"PIN-KIOSK EVIDENCE 1\n"
AUDIT, OPERATIONS = "audit", "operations"
SUFFIX = ".evidence"
"""What the name of a folder of segments ends with, whose journal it is of before it."""
T = TypeVar("T")
as_event = msgspec.json.Decoder(known(AuditEvent)).decode
as_operation = msgspec.json.Decoder(known(Operation)).decode


class Segment(Record, frozen=True, kw_only=True):
    """What the journal says of one segment."""

    number: int
    events: int
    operations: int = 0
    size: int
    sha256: str
    """Of the whole file, hex."""
    body: str
    """What the next segment names as the one before it."""
    first_at: float
    last_at: float
    ends: dict[str, Head]
    """The last link of each chain that is in it, by its name."""
    archived: bool = False
    """It has been moved away; the chains go on from its `ends`."""

    @property
    def file(self) -> str:
        return file_name(self.number)


class Located(NamedTuple):
    """One event, and where its JSON lies in a segment's file."""

    offset: int
    length: int
    event: AuditEvent


class LocatedOperation(NamedTuple):
    """One operation, and where its JSON lies in a segment's file."""

    offset: int
    length: int
    operation: Operation


def folder_of(journal: Path) -> Path:
    """Return where the segments of a journal lie."""
    return journal.with_name(journal.name + SUFFIX)


def sealing_lock(journal: Path) -> Path:
    """Return what is locked by whoever seals, moves or copies segments."""
    return journal.with_name(journal.name + ".sealing.lock")


def file_name(number: int) -> str:
    """Return the name of a segment's file."""
    return f"{number:08d}.segment"


def seal(
    ops: FileOps,
    folder: Path,
    number: int,
    before: str,
    documents: Sequence[tuple[str, bytes]],
    ended: Sequence[tuple[str, bytes]] = (),
) -> Segment:
    """Write events (key and JSON, in order) into a new segment; durable. StoreFull.

    `ended`: operations that have, the same.

    A file of that number is replaced: the journal has not named it, so it is what a
    process left behind that died here.
    """
    changes = [Change(AUDIT, key, raw) for key, raw in documents]
    changes += [Change(OPERATIONS, key, raw) for key, raw in ended]
    group, body = groups.write(number, changes, before)
    data = MAGIC + group
    path = folder / file_name(number)
    part = path.with_suffix(".part")
    try:
        make_folder(folder)
        handle = ops.create(part)
        try:
            ops.write(handle, data)
            ops.fsync(handle)
        finally:
            ops.close(handle)
        ops.rename(part, path)
        ops.fsync_dir(folder)
        ops.fsync_dir(folder.parent)
    except OSError as error:
        with suppress(OSError):  # the disk may be read-only
            part.unlink(missing_ok=True)
        raise StoreFull(path=str(path)) from error
    events = [as_event(raw) for _, raw in documents]
    times = [event.at for event in events]
    times += [as_operation(raw).ended_at or 0.0 for _, raw in ended]
    return Segment(
        number=number,
        events=len(events),
        operations=len(ended),
        size=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        body=body,
        first_at=min(times),
        last_at=max(times),
        ends={event.lane: Head(event.seq, event.hash) for event in events},
    )


def sealed_bytes(folder: Path, segment: Segment) -> bytes:
    """Return a segment's file, as it was sealed. EvidenceMissing, EvidenceDamaged."""
    path = folder / segment.file
    try:
        data = path.read_bytes()
    except OSError as error:
        raise EvidenceMissing(path=str(path)) from error
    if hashlib.sha256(data).hexdigest() != segment.sha256:
        raise EvidenceDamaged(path=str(path), offset=_damage(data))
    return data


def read(
    folder: Path, segment: Segment, lane: str | None = None
) -> Iterator[AuditEvent]:
    """Return the events of a segment, after all of it was found to be as it was sealed.

    `lane`: only those that may be of that chain. EvidenceMissing, EvidenceDamaged.
    """
    data = sealed_bytes(folder, segment)
    if lane is not None:
        data = b"\n".join(_with(data, lane))
    return map(as_event, _events_of(data))


def _with(data: bytes, lane: str) -> Iterator[bytes]:
    """Yield the lines that name a chain."""
    mark = b":" + canonical.encode(lane)
    found = data.find(mark)
    while found >= 0:
        end = data.index(b"\n", found)
        yield data[data.rindex(b"\n", 0, found) + 1 : end]
        found = data.find(mark, end)


def everything(folder: Path, segment: Segment) -> Iterator[Located | LocatedOperation]:
    """Yield all that is in a segment, as `read` does."""
    for table, at, raw in _lines(sealed_bytes(folder, segment)):
        if table == _AUDIT:
            yield Located(at, len(raw), as_event(raw))
        else:
            yield LocatedOperation(at, len(raw), as_operation(raw))


_AUDIT = canonical.encode(AUDIT)
_events_of = re.compile(rb"^P\t%s\t[^\t\n]*\t(.*)$" % _AUDIT, re.MULTILINE).findall
"""The JSON of each event: in one go, because all that are verified are read by it."""


def _lines(data: bytes) -> Iterator[tuple[bytes, int, bytes]]:
    """Yield table, offset and JSON of each line of a segment's file."""
    at = data.index(b"\n", len(MAGIC)) + 1
    while at < len(data):
        end = data.index(b"\n", at)
        _, table, _, raw = data[at:end].split(b"\t", 3)
        yield table, end - len(raw), raw
        at = end + 1


def record_at(
    ops: FileOps,
    folder: Path,
    segment: Segment,
    place: tuple[int, int],
    decode: Callable[[bytes], T],
) -> T:
    """Read what lies where an index says it does (offset, length).

    EvidenceMissing, EvidenceDamaged.
    """
    path, (offset, length) = folder / segment.file, place
    try:
        handle = ops.open_readonly(path)
    except OSError as error:
        raise EvidenceMissing(path=str(path)) from error
    try:
        return decode(ops.read(handle, offset, length))
    except (OSError, msgspec.DecodeError) as error:
        raise EvidenceDamaged(path=str(path), offset=offset) from error
    finally:
        ops.close(handle)


def _damage(data: bytes) -> int:
    """Return where a segment's file stops being sound; 0: it is another file."""
    if not data.startswith(MAGIC):
        return 0
    try:
        for group in groups.read(data[len(MAGIC) :], len(MAGIC), None, 0):
            if group.end < len(data):
                return group.end
    except groups.Torn as torn:
        return torn.offset
    return 0

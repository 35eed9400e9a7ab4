"""An exported file of evidence: JSON Lines, one link a line.

An extract's first line says what it is an extract of. The file is read as often as it
takes, a line at a time: evidence of ten years need not fit into memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

import msgspec

from storage import canonical
from storage.checkpoints import LANE
from storage.completeness import EvidenceSource
from storage.extracts import Extract, ExtractLine
from storage.known_types import known
from storage.records import AuditEvent
from storage.signed_note import MalformedNote, WrongSignature

_LONGEST_LINE = 1 << 22
"""Bytes; no line is as long, and not every file has an end."""
_TOLD_OF = 100
"""Lines that are told of at once."""
_EXTRACT = b'{"extract":'
_event = msgspec.json.Decoder(known(AuditEvent)).decode


Told = Callable[[int], None]


class NotAnExport(ValueError):
    """A line of a file is no link as `write` writes it, and no extract's first line."""

    def __init__(self, line: int) -> None:
        super().__init__(f"line {line}")
        self.line = line


def write(
    events: Iterable[AuditEvent], stream: BinaryIO, *, first: ExtractLine | None = None
) -> int:
    """Write links as JSON Lines; return how many."""
    if first is not None:
        stream.write(canonical.encode(first) + b"\n")
    count = 0
    for event in events:
        stream.write(canonical.encode(event) + b"\n")
        count += 1
    return count


def open_file(path: Path, told: Told = lambda _bytes: None) -> EvidenceSource:
    """Return the evidence of a file. OSError, NotAnExport, also while it is read.

    `told` hears of each line's bytes, each time that it is read.
    """
    with path.open("rb") as stream:
        line = stream.readline(_LONGEST_LINE)
    extract = _extract(line) if line.startswith(_EXTRACT) else None
    skip = 1 if extract is not None else 0

    def events(having: bytes = b"") -> Iterator[AuditEvent]:
        with path.open("rb") as stream:
            yield from read(stream, skip=skip, told=told, having=having)

    return EvidenceSource(
        checkpoints=lambda: events(canonical.encode(LANE)),
        events=events,
        extract=extract,
    )


def read(
    stream: BinaryIO,
    *,
    skip: int = 0,
    told: Told = lambda _bytes: None,
    having: bytes = b"",
) -> Iterator[AuditEvent]:
    """Read what `write` wrote, without the first lines. NotAnExport names the line.

    `having`: only lines with that in them, or with what may be a spelling of it.
    """
    lines = iter(lambda: stream.readline(_LONGEST_LINE), b"")
    size = 0
    for number, line in enumerate(lines, 1):
        size += len(line)
        if not number % _TOLD_OF:
            told(size)
            size = 0
        if len(line) == _LONGEST_LINE and line[-1:] != b"\n":
            raise NotAnExport(number)
        if number <= skip or (having not in line and b"\\u" not in line):
            continue
        try:
            event = _event(line)
        except msgspec.DecodeError as error:
            raise NotAnExport(number) from error
        if canonical.encode(event) != line.rstrip():  # its hash is of nothing else
            raise NotAnExport(number)
        yield event
    told(size)


def _extract(line: bytes) -> Extract:
    try:
        return Extract.read(msgspec.json.decode(line, type=known(ExtractLine)))
    except (msgspec.DecodeError, MalformedNote, WrongSignature) as error:
        raise NotAnExport(1) from error

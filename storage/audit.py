"""Tamper-evident evidence: one hash chain per station.

Each event carries the hash of the one before; a chain that verifies has lost,
gained, changed and reordered nothing between its first and its last event. The tail
may be cut unseen unless its head is known elsewhere: export it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

import msgspec

from storage import canonical
from storage.records import AuditDraft, AuditEvent

GENESIS = "0" * 64


class Head(msgspec.Struct, frozen=True):
    """The last link of one station's chain."""

    seq: int
    hash: str


_LONGEST_LINE = 1 << 20
"""Bytes; no event is as long, and not every file has an end."""


def link(draft: AuditDraft, *, seq: int, previous: str) -> AuditEvent:
    """Give a draft its place in its station's chain."""
    fields = msgspec.structs.asdict(draft)
    return AuditEvent(
        **fields, seq=seq, previous=previous, hash=_digest(fields, seq, previous)
    )


def _digest(fields: dict[str, object], seq: int, previous: str) -> str:
    body = canonical.encode({**fields, "seq": seq, "previous": previous})
    return hashlib.sha256(body).hexdigest()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a chain proves. `problem` is empty, or `gap`, `broken`, `altered`."""

    events: int
    problem: str = ""
    station: str = ""
    seq: int = 0

    @property
    def is_sound(self) -> bool:
        return not self.problem


def verify(events: Iterable[AuditEvent]) -> Verdict:
    """Verify every station's chain from its first event; name the first bad link."""
    heads: dict[str, tuple[int, str]] = {}
    count = 0
    for event in events:
        seq, previous = heads.get(event.station, (0, GENESIS))
        fields = msgspec.structs.asdict(event)
        for name in ("seq", "previous", "hash"):
            del fields[name]
        if event.seq != seq + 1:
            return Verdict(count, "gap", event.station, event.seq)
        if event.previous != previous:
            return Verdict(count, "broken", event.station, event.seq)
        if event.hash != _digest(fields, event.seq, event.previous):
            return Verdict(count, "altered", event.station, event.seq)
        heads[event.station] = (event.seq, event.hash)
        count += 1
    return Verdict(count)


class NotAnExport(ValueError):
    """A line of a file is no audit event."""

    def __init__(self, line: int) -> None:
        super().__init__(f"line {line}")
        self.line = line


def export(events: Iterable[AuditEvent], stream: BinaryIO) -> int:
    """Write events as JSON Lines; return how many."""
    count = 0
    for event in events:
        stream.write(canonical.encode(event) + b"\n")
        count += 1
    return count


def read(stream: BinaryIO) -> Iterator[AuditEvent]:
    """Read what `export` wrote. NotAnExport names the line."""
    decoder = msgspec.json.Decoder(AuditEvent)
    lines = iter(lambda: stream.readline(_LONGEST_LINE), b"")
    for number, line in enumerate(lines, 1):
        try:
            yield decoder.decode(line)
        except msgspec.DecodeError as error:
            raise NotAnExport(number) from error

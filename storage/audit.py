"""Tamper-evident evidence: one hash chain per station.

Each event carries the hash of the one before; a chain that verifies has lost,
gained, changed and reordered nothing between its first and its last event. That it
goes on until its end is what `storage.checkpoints` show.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import msgspec

from storage import canonical
from storage.records import AuditDraft, AuditEvent

GENESIS = "0" * 64


class Head(msgspec.Struct, frozen=True):
    """The last link of one station's chain."""

    seq: int
    hash: str


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
class ChainVerdict:
    """What a chain proves. `problem` is empty, or `gap`, `broken`, `altered`."""

    events: int
    problem: str = ""
    station: str = ""
    seq: int = 0

    @property
    def is_sound(self) -> bool:
        return not self.problem


class Chains:
    """Follows the chains of all stations, link by link."""

    def __init__(self, begins: Mapping[str, Head] = MappingProxyType({})) -> None:
        """`begins`: the last link before the first that will come, by station."""
        self.heads: dict[str, Head] = dict(begins)
        """The last sound link of each."""

    def follow(self, event: AuditEvent) -> str:
        """Take the next link of its chain; return its problem, or nothing."""
        head = self.heads.get(event.station, Head(0, GENESIS))
        if event.seq != head.seq + 1:
            return "gap"
        if event.previous != head.hash:
            return "broken"
        if not is_whole(event):
            return "altered"
        self.heads[event.station] = Head(event.seq, event.hash)
        return ""


def is_whole(event: AuditEvent) -> bool:
    """Say whether an event is what its hash was made of."""
    fields = msgspec.structs.asdict(event)
    for name in ("seq", "previous", "hash"):
        del fields[name]
    return event.hash == _digest(fields, event.seq, event.previous)


def verify(
    events: Iterable[AuditEvent], begins: Mapping[str, Head] = MappingProxyType({})
) -> ChainVerdict:
    """Verify every station's chain from its beginning; name the first bad link."""
    chains = Chains(begins)
    count = 0
    for event in events:
        if problem := chains.follow(event):
            return ChainVerdict(count, problem, event.station, event.seq)
        count += 1
    return ChainVerdict(count)

"""Tamper-evident evidence: a few hash chains.

In a file each station has its own; where hosts share a registry, stations share a
fixed number of them (`shared_lane`), so that what is signed over all of them stays
small however many stations there are. Each event carries the hash of the one before;
a chain that verifies has lost, gained, changed and reordered nothing between its first
and its last event. That it goes on until its end is what `storage.checkpoints` show.
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
LANES = 64
"""Chains that stations share. More would make every checkpoint longer; with fewer, two
authorities would have to wait for each other more often."""
OWN_MARK = "_"
"""What the name of a chain begins with that is no station's: no station's may."""


class Head(msgspec.Struct, frozen=True):
    """The last link of one chain."""

    seq: int
    hash: str


def shared_lane(station: str) -> str:
    """Return the one of `LANES` chains that a station's events are links of.

    A station keeps to one: what came first is told by the chain alone.
    """
    if station.startswith(OWN_MARK):
        return station
    digest = hashlib.sha256(station.encode()).digest()
    return f"{OWN_MARK}lane-{int.from_bytes(digest[:8], 'big') % LANES:02d}"


def link(
    draft: AuditDraft, *, seq: int, previous: str, lane: str | None = None
) -> AuditEvent:
    """Give a draft its place in a chain; None: its station's own."""
    event = AuditEvent(
        **msgspec.structs.asdict(draft),
        chain=msgspec.UNSET if lane in (None, draft.station) else lane,
        seq=seq,
        previous=previous,
        hash="",
    )
    return msgspec.structs.replace(event, hash=_digest(event))


def _digest(event: AuditEvent) -> str:
    """Return what its hash has to be, whatever it is."""
    body = msgspec.structs.replace(event, hash=msgspec.UNSET)
    return hashlib.sha256(canonical.encode(body)).hexdigest()


_NOTHING = Head(0, GENESIS)
_UNSET, _changed, _sha256 = msgspec.UNSET, msgspec.structs.replace, hashlib.sha256


@dataclass(frozen=True, slots=True)
class ChainVerdict:
    """What a chain proves. `problem` is empty, or `gap`, `broken`, `altered`."""

    events: int
    problem: str = ""
    station: str = ""
    """Or the chain that it shares."""
    seq: int = 0

    @property
    def is_sound(self) -> bool:
        return not self.problem


class Chains:
    """Follows all chains, link by link. One thread."""

    def __init__(self, begins: Mapping[str, Head] = MappingProxyType({})) -> None:
        """`begins`: the last link before the first that will come, by chain."""
        self.heads: dict[str, Head] = dict(begins)
        """The last sound link of each."""
        self._body = bytearray()
        """What the hash of the link is made of that is looked at."""

    def follow(self, event: AuditEvent) -> str:
        """Take the next link of its chain; return its problem, or nothing."""
        lane = event.station if event.chain is _UNSET else event.chain
        head = self.heads.get(lane, _NOTHING)
        if event.seq != head.seq + 1:
            return "gap"
        if event.previous != head.hash:
            return "broken"
        body = self._body
        canonical.encode_into(_changed(event, hash=_UNSET), body)
        if event.hash != _sha256(body).hexdigest():
            return "altered"
        self.heads[lane] = Head(event.seq, event.hash)
        return ""


def is_whole(event: AuditEvent) -> bool:
    """Say whether an event is what its hash was made of."""
    return event.hash == _digest(event)


def verify(
    events: Iterable[AuditEvent], begins: Mapping[str, Head] = MappingProxyType({})
) -> ChainVerdict:
    """Verify every chain from its beginning; name the first bad link."""
    chains = Chains(begins)
    count = 0
    for event in events:
        if problem := chains.follow(event):
            return ChainVerdict(count, problem, event.lane, event.seq)
        count += 1
    return ChainVerdict(count)

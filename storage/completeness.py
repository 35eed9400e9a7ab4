"""Is evidence whole: from when to when, under whose key, and who else knows it?

The chains show that nothing between two links is missing; the checkpoints, where each
chain ended when they were signed; a key or a checkpoint that is known from elsewhere,
that the checkpoints themselves are not made up. Evidence for which nothing is known
from elsewhere is *unanchored*: whoever gave it could have made all of it. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from msgspec import UNSET

from storage.audit import Chains, Head, is_whole
from storage.checkpoints import LANE, SignedCheckpoint
from storage.coverage import UNCOVERED, Coverage
from storage.extracts import Extract
from storage.records import AuditEvent
from storage.signed_note import MalformedNote, NoteKey, SignedNote, WrongSignature


class Damage(StrEnum):
    """What can be wrong with evidence as a whole."""

    GAP = "gap"
    BROKEN = "broken"
    ALTERED = "altered"
    REWRITTEN = "rewritten"
    """A link is another one than a checkpoint names."""
    CUT = "cut"
    """A chain ends before the link that a checkpoint names, or a link is not here that
    an extract says was added to it."""
    STATION_MISSING = "station_missing"
    CHECKPOINT_FORGED = "checkpoint_forged"
    CHECKPOINT_BACK = "checkpoint_back"
    """It names less than one before it."""
    CHECKPOINTS_CUT = "checkpoints_cut"
    """The checkpoint that is known from elsewhere has not come yet."""
    OTHER_CHECKPOINT = "other_checkpoint"
    """It is another one than is known from elsewhere under its number."""
    OTHER_KEY = "other_key"
    """No checkpoint is signed with a key that is known from elsewhere."""
    NOT_OF_EXTRACT = "not_of_extract"
    """A link that the extract does not tell of."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Where evidence is not whole."""

    damage: Damage
    station: str
    """Or the chain that it shares."""
    seq: int


@dataclass(frozen=True, slots=True)
class Span:
    """Checkpoints one after the other that one key has signed."""

    key: NoteKey
    first: int
    last: int
    until: float


@dataclass(frozen=True, slots=True)
class KnownHead:
    """A checkpoint that is known from elsewhere: its number, and its note or link."""

    number: int
    note: SignedNote | None = None
    link: str = ""
    """The beginning of the hash of its link, which is of its signature and key, too."""

    def is_of(self, event: AuditEvent, signed: SignedCheckpoint) -> bool:
        """Say whether that is the checkpoint, and of the key that signed it then."""
        if self.note is None:
            return event.hash.startswith(self.link)
        if self.note.text != signed.checkpoint.text():
            return False
        try:
            self.note.verified_by([signed.key])
        except WrongSignature:
            return False
        return True


@dataclass(frozen=True, slots=True)
class EvidenceSource:
    """Where evidence is read from, as often as it takes."""

    checkpoints: Callable[[], Iterable[AuditEvent]]
    """The links of the checkpoints' chain; others among them are passed over."""
    events: Callable[[], Iterable[AuditEvent]]
    extract: Extract | None = None
    begins: Mapping[str, Head] = field(default_factory=dict)
    """The last link of each chain that was moved away, by its name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Completeness:
    """What evidence shows of itself as a whole."""

    fault: Fault | None
    events: int
    stations: tuple[str, ...]
    left_out: tuple[str, ...]
    """Stations that the checkpoints name and the extract leaves out."""
    since: float
    """The first link's time."""
    spans: tuple[Span, ...]
    uncovered: int
    """Links after the newest checkpoint: they could be cut unseen."""
    uncovered_since: float
    """The first such link's time."""
    known: Span | None
    """Until where it is known from elsewhere; None: it is unanchored."""
    covers: Coverage

    @property
    def until(self) -> float:
        """The newest checkpoint's time; 0: there is none."""
        return self.spans[-1].until if self.spans else 0.0


def judge(
    evidence: EvidenceSource,
    *,
    keys: Sequence[NoteKey] = (),
    heads: Sequence[KnownHead] = (),
    coverage: Coverage | None = None,
    seen: Callable[[AuditEvent], None] = lambda _event: None,
) -> Completeness:
    """Judge evidence against what is known from elsewhere; name its first fault.

    `seen` takes each event that is found sound, when `coverage` knows all checkpoints:
    what it makes of them counts only if there is no fault in the end.
    """
    walk = _Walk(evidence, keys, heads, Coverage() if coverage is None else coverage)
    fault = walk.through_checkpoints() or walk.through_events(seen)
    fault = fault or walk.at_the_end()
    extract = evidence.extract
    named = set(walk.coverage.last())
    return Completeness(
        fault=fault,
        events=walk.events,
        stations=tuple(sorted(set(walk.chains.heads) - {LANE})),
        left_out=tuple(sorted(named - extract.lanes)) if extract else (),
        since=walk.since,
        spans=tuple(walk.spans),
        uncovered=walk.uncovered,
        uncovered_since=walk.uncovered_since,
        known=walk.known() if fault is None else None,
        covers=walk.coverage,
    )


class _Walk:
    """One reading of evidence: first its checkpoints, then everything."""

    def __init__(
        self,
        evidence: EvidenceSource,
        keys: Sequence[NoteKey],
        heads: Sequence[KnownHead],
        coverage: Coverage,
    ) -> None:
        self._evidence = evidence
        self._keys = keys
        self._heads: dict[int, list[KnownHead]] = {}
        for head in heads:
            self._heads.setdefault(head.number, []).append(head)
        self.coverage = coverage
        self.chains = Chains(evidence.begins)
        self.spans: list[Span] = []
        self._met: Span | None = None
        """The newest checkpoint that is known from elsewhere and was found."""
        self.events = 0
        self.uncovered = 0
        self.uncovered_since = 0.0
        self.since = 0.0
        self._added = set[tuple[str, int, str]]()
        """The links that came and that an extract says were added to it."""
        self._next: dict[str, tuple[int, str]] = {}
        """The next link of each chain that a checkpoint names, and its hash."""

    # --- the checkpoints --------------------------------------------------------

    def through_checkpoints(self) -> Fault | None:
        chain = Chains(self._evidence.begins)
        for event in self._evidence.checkpoints():
            if event.lane != LANE:
                continue
            fault = self._checkpoint(chain, event)
            if fault is not None:
                return fault
        away = self._evidence.begins.get(LANE, Head(0, "")).seq
        last = self.spans[-1].last if self.spans else away
        for number in self._heads:
            if number > last:
                return Fault(Damage.CHECKPOINTS_CUT, LANE, number)
        return self._other_key()

    def _checkpoint(self, chain: Chains, event: AuditEvent) -> Fault | None:
        if problem := chain.follow(event):
            return Fault(Damage(problem), LANE, event.seq)
        try:
            signed = SignedCheckpoint.of(event)
        except (MalformedNote, WrongSignature):
            return Fault(Damage.CHECKPOINT_FORGED, LANE, event.seq)
        read = signed.checkpoint
        known = self._heads.get(read.number, ())
        if not all(each.is_of(event, signed) for each in known):
            return Fault(Damage.OTHER_CHECKPOINT, LANE, read.number)
        if known:
            self._met = Span(signed.key, read.number, read.number, read.at)
        first = read.number
        if self.spans and self.spans[-1].key == signed.key:
            first = self.spans.pop().first
        self.spans.append(Span(signed.key, first, read.number, read.at))
        lane = self.coverage.add(read)
        return Fault(Damage.CHECKPOINT_BACK, lane, read.number) if lane else None

    def _other_key(self) -> Fault | None:
        if not self._keys or not self.spans:
            return None
        if any(span.key in self._keys for span in self.spans):
            return None
        return Fault(Damage.OTHER_KEY, LANE, self.spans[-1].last)

    # --- the events -------------------------------------------------------------

    def through_events(self, seen: Callable[[AuditEvent], None]) -> Fault | None:
        judged = self._event if self._evidence.extract is None else self._extracted
        count = 0
        try:
            for event in self._evidence.events():
                fault = judged(event)
                if fault is not None:
                    return fault
                count += 1
                seen(event)
        finally:
            self.events += count
        return None

    def _extracted(self, event: AuditEvent) -> Fault | None:
        """Judge a link of an extract, which has some chains whole and of others only
        what it tells of.
        """
        extract, lane = self._evidence.extract, event.lane
        if extract is None or lane in (LANE, *extract.lanes):
            return self._event(event)
        if not (extract.holds(event) and is_whole(event)):
            return Fault(Damage.NOT_OF_EXTRACT, lane, event.seq)
        named = self.coverage.named(lane, event.seq)
        if named and named != event.hash:
            return Fault(Damage.REWRITTEN, lane, event.seq)
        self._added.add((lane, event.seq, event.hash))
        self._count(event, is_covered=named is not None)
        return None

    def _event(self, event: AuditEvent) -> Fault | None:
        lane = event.station if event.chain is UNSET else event.chain
        seq = event.seq
        if problem := self.chains.follow(event):
            return Fault(Damage(problem), lane, seq)
        named, digest = self._next.get(lane, (0, ""))
        if named < seq:
            named, digest = self._next[lane] = self.coverage.next_named(lane, seq)
        if named == seq and digest != event.hash:
            return Fault(Damage.REWRITTEN, lane, seq)
        if lane != LANE and (named == UNCOVERED or not 0 < self.since <= event.at):
            self._count(event, is_covered=named < UNCOVERED)
        return None

    def _count(self, event: AuditEvent, *, is_covered: bool) -> None:
        if not 0.0 < self.since <= event.at:
            self.since = event.at
        if not is_covered:
            self.uncovered += 1
            self.uncovered_since = self.uncovered_since or event.at

    def at_the_end(self) -> Fault | None:
        extract = self._evidence.extract
        for lane, seq in self.coverage.last().items():
            if extract is not None and lane not in extract.lanes:
                continue
            reached = self.chains.heads.get(lane)
            if reached is None:
                return Fault(Damage.STATION_MISSING, lane, seq)
            if reached.seq < seq:
                return Fault(Damage.CUT, lane, reached.seq)
        if extract is None:
            return None
        last = self.spans[-1].last if self.spans else 0
        if last < extract.checkpoint:
            return Fault(Damage.CHECKPOINTS_CUT, LANE, extract.checkpoint)
        if all(span.key != extract.key for span in self.spans):
            return Fault(Damage.CHECKPOINT_FORGED, extract.station, 0)
        for lane, seq, _ in sorted(extract.added - self._added):
            return Fault(Damage.CUT, lane, seq)
        return None

    def known(self) -> Span | None:
        """Return until where it is known: by a checkpoint, or by the newest key.

        What an extract is of is known only from a key that is known, or from the one
        that signed the checkpoint.
        """
        extract, known = self._evidence.extract, self._met
        if self.spans and self.spans[-1].key in self._keys:
            known = self.spans[-1]
        if extract is None or known is None:
            return known
        return known if extract.key in (known.key, *self._keys) else None

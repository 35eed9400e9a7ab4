"""All audit events of one registry: the living in the journal, the others sealed.

An event lives in the journal until `seal` has written it into a segment; both are
changed in one commit, so that at every moment it is in one of the two. Sealing takes
the journal's lock only for that commit. Operations that have ended are sealed, too
(`tinydb_operations` finds them).

A segment that is not there spoils what needs it and nothing else: whoever asks either
hears of it as an error, or is told beside what the rest holds.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TypeVar

import msgspec

from storage import canonical, groups, segments
from storage.audit import Head
from storage.covered_index import CoveredIndex, Trouble, as_segment, key_of
from storage.errors import ArchiveBusy, EvidenceDamaged, EvidenceMissing, StoreFull
from storage.evidence_index import EvidenceIndex, IndexWrong, Spot
from storage.fileops import READ_ONLY, FileOps
from storage.journal import Journal
from storage.lock_file import tried
from storage.memory_view import matches
from storage.records import AuditEvent
from storage.segments import OPERATIONS, Located, LocatedOperation, Segment
from storage.tinydb_indexes import AUDIT, SEGMENTS, Indexes
from storage.view import ByTime

T = TypeVar("T")
LIVING = 4_000
"""Events that may live in the journal before the oldest are sealed."""
BATCH = 2_000
"""Events of one segment: its commit holds the lock for some milliseconds."""
ENDED = 2_000
"""Operations that have ended and may live in the journal, until half are sealed."""
REST_SECONDS = 10.0
"""How long a seal is waited for; who moves evidence takes longer."""
_decode = segments.as_event


class Evidence:
    """The events of one open journal. One thread."""

    def __init__(
        self,
        journal: Journal,
        ops: FileOps,
        indexes: Indexes,
        *,
        living: int = 0,
        batch: int = 0,
        ended: int = 0,
    ) -> None:
        self._journal = journal
        self._ops = ops
        self._indexes = indexes
        self._most_living, self._batch = living or LIVING, batch or BATCH
        self._most_ended = ended or ENDED
        self.folder: Path = segments.folder_of(journal.path)
        self.index = CoveredIndex(journal, self.folder, indexes)

    def close(self) -> None:
        """Close the index. Safe to call twice."""
        self.index.close()

    archives: Sequence[Path] = ()
    """Folders that segments were moved to, and that are to be read, too."""

    # --- reading ----------------------------------------------------------------

    def segments(self) -> list[Segment]:
        """Return every segment that the journal names, in order."""
        keys = sorted(self._journal.keys(SEGMENTS))
        return [self._named(key) for key in keys]

    def moved_away(self) -> dict[str, Head]:
        """Return the ends of what was moved away and lies in none of the archives."""
        ends: dict[str, Head] = {}
        for named in self.segments():
            if not named.archived or self._folder_of(named) is not None:
                break
            ends |= named.ends
        return ends

    def _folder_of(self, named: Segment) -> Path | None:
        """Return where a segment lies; None: it was moved to somewhere else."""
        if not named.archived:
            return self.folder
        for folder in (self.folder, *self.archives):
            if (folder / named.file).exists():
                return folder
        return None

    def _readable(self) -> Iterator[tuple[Path, Segment]]:
        """Yield every segment behind those that were moved away. EvidenceMissing."""
        begun = False
        for named in self.segments():
            folder = self._folder_of(named)
            if folder is None and begun:
                raise EvidenceMissing(path=str(self.folder / named.file))
            if folder is not None:
                begun = True
                yield folder, named

    def _named(self, key: str) -> Segment:
        raw = self._journal.get(SEGMENTS, key)
        if raw is None:
            raise KeyError(key)
        return as_segment(raw)

    def matching(
        self,
        wanted: Mapping[str, str],
        *,
        since: float | None,
        until: float | None,
        after: ByTime | None,
        newest_first: bool,
        limit: int,
        missing: list[Trouble] | None = None,
    ) -> Iterator[AuditEvent]:
        """Yield events that match, in no order; of all, the first `limit` are there.

        `missing`: takes what could not be read; silent: EvidenceMissing,
        EvidenceDamaged.
        """

        def fits(event: AuditEvent) -> bool:
            return (
                (since is None or event.at >= since)
                and (until is None or event.at < until)
                and matches(event, **wanted)
            )

        needles = [
            b'"%s":%s' % (name.encode(), canonical.encode(value))
            for name, value in wanted.items()
        ]
        raws = self._living(wanted.get("credential"))
        for needle in needles:
            raws = [raw for raw in raws if needle in raw]
        yield from filter(fits, map(_decode, raws))
        first, last = since, until
        if after is not None and newest_first:
            last = after.at if until is None else min(until, after.at)
        elif after is not None:
            first = after.at if since is None else max(since, after.at)
        sealed = self._sealed(
            wanted, fits, first, last, after, newest_first, limit, missing
        )
        yield from filter(fits, sealed)

    def _sealed(
        self,
        wanted: Mapping[str, str],
        fits: Callable[[AuditEvent], bool],
        since: float | None,
        until: float | None,
        after: ByTime | None,
        newest_first: bool,  # noqa: FBT001 - handed on
        limit: int,
        missing: list[Trouble] | None,
    ) -> Iterable[AuditEvent]:
        """Return the first sealed events behind `after`, and those of the same time."""
        if not self._journal.size(SEGMENTS):
            return ()

        def ask(index: EvidenceIndex) -> list[AuditEvent]:
            events: list[AuditEvent] = []
            found, last = 0, None
            troubles: list[Trouble] = []
            for spot in index.spots(
                wanted, since=since, until=until, newest_first=newest_first
            ):
                if found >= limit and spot.at != last:
                    break
                try:
                    event = self.record_at(spot, segments.as_event)
                except (EvidenceMissing, EvidenceDamaged) as error:
                    troubles.append(error)
                    continue
                if event is None or not fits(event):
                    continue
                events.append(event)
                place = ByTime.of(event)
                if after is None or (place < after if newest_first else place > after):
                    found, last = found + 1, spot.at
            begin = last if found >= limit and newest_first else since
            end = last if found >= limit and not newest_first else until
            for named, trouble in self.index.unread.values():
                if (end is None or named.first_at <= end) and (
                    begin is None or named.last_at >= begin
                ):
                    troubles.append(trouble)
            _tell(troubles, missing)
            return events

        answer = self.index.asked(ask)
        return self._all_sealed(missing=missing) if answer is None else answer

    def _living(self, credential: str | None = None) -> Iterable[bytes]:
        """Return what lives; `credential`: of others only what is not committed."""
        journal = self._journal
        committed, changed = journal.committed(AUDIT), journal.changed(AUDIT)
        if credential is not None:
            own = self._indexes.living.of(credential, committed)
            committed = {key: committed[key] for key in own}
        if not changed:
            return committed.values()
        return [raw for raw in {**committed, **changed}.values() if raw is not None]

    def record_at(self, spot: Spot, decode: Callable[[bytes], T]) -> T | None:
        """Read what lies there; None: the index is of a later moment than this.

        EvidenceMissing, EvidenceDamaged; IndexWrong: the segment is as it was sealed.
        """
        raw = self._journal.get(SEGMENTS, key_of(spot.number))
        if raw is None or (named := as_segment(raw)).archived:
            return None
        place = spot.offset, spot.length
        try:
            return segments.record_at(self._ops, self.folder, named, place, decode)
        except EvidenceDamaged as error:
            segments.sealed_bytes(self.folder, named)  # says so, if it is the segment
            raise IndexWrong from error

    def _all_sealed(
        self, lane: str | None = None, missing: list[Trouble] | None = None
    ) -> Iterator[AuditEvent]:
        for folder, named in self._readable():
            if lane not in (None, *named.ends):
                continue
            try:
                events = segments.read(folder, named, lane)
                if lane is None:
                    yield from events
                else:
                    yield from (event for event in events if event.lane == lane)
            except (EvidenceMissing, EvidenceDamaged) as error:
                _tell([error], missing)

    def chains(self, lane: str | None) -> Iterator[AuditEvent]:
        """Yield all events, each chain in its order; errors are those of `matching`."""
        yield from self._all_sealed(lane)
        for raw in self._living():
            event = _decode(raw)
            if lane in (None, event.lane):
                yield event

    def link(self, lane: str, seq: int) -> AuditEvent | None:
        """Return the last link of a chain, by its number. EvidenceMissing,
        EvidenceDamaged.

        It lives, or it is the last of the chain in the segment that ends with it.
        """
        living = map(_decode, self._with(canonical.encode(lane)))
        sealed = (
            event
            for named in reversed(self.segments())
            if lane in named.ends and named.ends[lane].seq == seq
            for event in segments.read(
                self._folder_of(named) or self.folder, named, lane
            )
        )
        for event in itertools.chain(living, sealed):
            if (event.lane, event.seq) == (lane, seq):
                return event
        return None

    def _with(self, needle: bytes) -> Iterator[bytes]:
        return (raw for raw in self._living() if needle in raw)

    def examined(self) -> Iterator[Trouble | None]:
        """Read each segment whole; yield what is wrong with it, or None."""
        for named in self.segments():
            trouble: Trouble | None = None
            folder = self._folder_of(named)
            if folder is not None:
                try:
                    for _ in segments.everything(folder, named):
                        pass
                except (EvidenceMissing, EvidenceDamaged) as error:
                    trouble = error
            yield trouble

    @contextmanager
    def at_rest(self) -> Iterator[None]:
        """`Registry.evidence_at_rest`."""
        lock = segments.sealing_lock(self._journal.path)
        waits = tried(self._ops, lock, REST_SECONDS, is_shared=True)
        with ExitStack() as stack:
            try:
                is_held = stack.enter_context(waits)
            except OSError as error:
                if error.errno not in READ_ONLY:
                    raise StoreFull(path=str(lock)) from error
                is_held = True  # nobody has sealed here, and nobody can
            if not is_held:
                raise ArchiveBusy(path=str(self.folder))
            yield

    # --- sealing ------------------------------------------------------------------

    def seal(self, *, least: int | None = None) -> bool:
        """Seal the oldest events, and the operations that ended first, if more live
        than may; say whether it did.

        StoreFull, StoreLocked. Another process that is at it goes on alone.
        """
        if not any(self._due(least)):
            return False
        with self.alone() as is_alone:
            if not is_alone:
                return False
            self._journal.look()
            events, ended = self._due(least)
            if not events and not ended:
                return False
            self._seal(
                self._documents(AUDIT, events), self._documents(OPERATIONS, ended)
            )
        self.index.cover()
        return True

    def _due(self, least: int | None) -> tuple[list[str], list[str]]:
        """Return the keys of the events and of the operations that are to be sealed."""
        journal, values = self._journal, self._indexes.values
        events: list[str] = []
        if journal.size(AUDIT) > (self._most_living if least is None else least):
            events = list(itertools.islice(journal.committed(AUDIT), self._batch))
        ended = values.size("ended", "")
        surplus = ended - self._most_ended // 2 if ended > self._most_ended else 0
        return events, values.first("ended", "", min(surplus, self._batch))

    def _documents(self, table: str, keys: list[str]) -> list[tuple[str, bytes]]:
        journal = self._journal
        return [(key, raw) for key in keys if (raw := journal.get(table, key))]

    def _seal(
        self, events: list[tuple[str, bytes]], ended: list[tuple[str, bytes]]
    ) -> None:
        journal = self._journal
        last = max(journal.keys(SEGMENTS), default="")
        number = int(last) + 1 if last else 1
        before = self._named(last).body if last else groups.START
        made = segments.seal(self._ops, self.folder, number, before, events, ended)
        with journal.transaction():
            if journal.get(SEGMENTS, key_of(number)) is not None or any(
                journal.get(AUDIT, key) != raw for key, raw in events
            ):
                raise EvidenceDamaged(path=str(self.folder / made.file), offset=0)
            journal.put(SEGMENTS, key_of(number), canonical.encode(made))
            for key, _ in events:
                journal.delete(AUDIT, key)
            for key, raw in ended:
                if journal.get(OPERATIONS, key) == raw:  # else it goes on living
                    journal.delete(OPERATIONS, key)

    @property
    def has_segments(self) -> bool:
        """Whether anything is sealed."""
        return self._journal.size(SEGMENTS) > 0

    def everything(self) -> Iterator[Located | LocatedOperation]:
        """Read all segments. EvidenceMissing, EvidenceDamaged."""
        for folder, named in self._readable():
            yield from segments.everything(folder, named)

    def call_archived(self, moved: Iterable[Segment]) -> None:
        """Inside a transaction: say of segments that they were moved away."""
        for named in moved:
            archived = msgspec.structs.replace(named, archived=True)
            self._journal.put(
                SEGMENTS, key_of(named.number), canonical.encode(archived)
            )

    @contextmanager
    def alone(self) -> Iterator[bool]:
        """Hold the lock of whoever seals or moves segments; False: another does.

        StoreFull.
        """
        lock = segments.sealing_lock(self._journal.path)
        with ExitStack() as stack:
            try:
                is_alone = stack.enter_context(tried(self._ops, lock, 0.0))
            except OSError as error:
                raise StoreFull(path=str(lock)) from error
            yield is_alone


def _tell(troubles: list[Trouble], missing: list[Trouble] | None) -> None:
    """Say once of each file what could not be read of it."""
    if troubles and missing is None:
        raise troubles[0]
    for each in troubles:
        known = [(it.code, it.data["path"]) for it in missing or ()]
        if missing is not None and (each.code, each.data["path"]) not in known:
            missing.append(each)

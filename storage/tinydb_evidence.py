"""All audit events of one registry: the living in the journal, the others sealed.

An event lives in the journal until `seal` has written it into a segment; both are
changed in one commit, so that at every moment it is in one of the two. Sealing takes
the journal's lock only for that commit.
"""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import msgspec

from storage import canonical, groups, segments
from storage.audit import Head
from storage.evidence_index import EvidenceIndex, Spot
from storage.fileops import FileOps
from storage.journal import Journal
from storage.lock_file import tried
from storage.memory_view import matches
from storage.records import AuditEvent
from storage.registry import EvidenceDamaged, EvidenceMissing
from storage.segments import Segment
from storage.view import ByTime

T = TypeVar("T")
AUDIT, SEGMENTS = "audit", "segments"
LIVING = 4_000
"""Events that may live in the journal before the oldest are sealed."""
BATCH = 2_000
"""Events of one segment: its commit holds the lock for some milliseconds."""
_decode = msgspec.json.Decoder(AuditEvent).decode
_segment = msgspec.json.Decoder(Segment).decode


class Evidence:
    """The events of one open journal. One thread."""

    def __init__(
        self,
        journal: Journal,
        ops: FileOps,
        *,
        living: int = 0,
        batch: int = 0,
    ) -> None:
        self._journal = journal
        self._ops = ops
        self._most_living, self._batch = living or LIVING, batch or BATCH
        self.folder: Path = segments.folder_of(journal.path)
        self._index = EvidenceIndex(self.folder)
        self._indexed: set[str] = set()
        """Keys of segments that the index is known to have."""

    def close(self) -> None:
        """Close the index. Safe to call twice."""
        self._index.close()

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
        return _segment(raw)

    def matching(
        self,
        wanted: Mapping[str, str],
        *,
        since: float | None,
        until: float | None,
        after: ByTime | None,
        newest_first: bool,
        limit: int,
    ) -> Iterator[AuditEvent]:
        """Yield events that match, in no order; of all, the first `limit` are there.

        EvidenceMissing, EvidenceDamaged.
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
        raws = self._living()
        for needle in needles:
            raws = [raw for raw in raws if needle in raw]
        yield from filter(fits, map(_decode, raws))
        first, last = since, until
        if after is not None and newest_first:
            last = after.at if until is None else min(until, after.at)
        elif after is not None:
            first = after.at if since is None else max(since, after.at)
        sealed = self._sealed(wanted, fits, first, last, after, newest_first, limit)
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
    ) -> Iterable[AuditEvent]:
        """Return the first sealed events behind `after`, and those of the same time."""
        if not self._journal.size(SEGMENTS):
            return ()

        def ask(index: EvidenceIndex) -> list[AuditEvent]:
            events: list[AuditEvent] = []
            found, last = 0, None
            for spot in index.spots(
                wanted, since=since, until=until, newest_first=newest_first
            ):
                if found >= limit and spot.at != last:
                    break
                event = self._at(spot)
                if event is None or not fits(event):
                    continue
                events.append(event)
                place = ByTime.of(event)
                if after is None or (place < after if newest_first else place > after):
                    found, last = found + 1, spot.at
            return events

        answer = self._with_index(ask)
        return self._all_sealed() if answer is None else answer

    def _living(self) -> Iterable[bytes]:
        journal = self._journal
        committed, changed = journal.committed(AUDIT), journal.changed(AUDIT)
        if not changed:
            return committed.values()
        return [raw for raw in {**committed, **changed}.values() if raw is not None]

    def _at(self, spot: Spot) -> AuditEvent | None:
        """Read one event; None: the index is of a later moment than this."""
        raw = self._journal.get(SEGMENTS, _key(spot.number))
        if raw is None or (named := _segment(raw)).archived:
            return None
        return segments.event_at(
            self._ops, self.folder, named, spot.offset, spot.length
        )

    def _all_sealed(self, lane: str | None = None) -> Iterator[AuditEvent]:
        for folder, named in self._readable():
            if lane in (None, *named.ends):
                for located in segments.read(folder, named, lane):
                    if lane in (None, located.event.lane):
                        yield located.event

    def chains(self, lane: str | None) -> Iterator[AuditEvent]:
        """Yield all events, each chain in its order; errors are those of `matching`."""
        yield from self._all_sealed(lane)
        for raw in self._living():
            event = _decode(raw)
            if lane in (None, event.lane):
                yield event

    def examined(self) -> Iterator[EvidenceMissing | EvidenceDamaged | None]:
        """Read each segment whole; yield what is wrong with it, or None."""
        for named in self.segments():
            trouble: EvidenceMissing | EvidenceDamaged | None = None
            folder = self._folder_of(named)
            if folder is not None:
                try:
                    for _ in segments.read(folder, named):
                        pass
                except (EvidenceMissing, EvidenceDamaged) as error:
                    trouble = error
            yield trouble

    # --- the index ----------------------------------------------------------------

    def _with_index(self, act: Callable[[EvidenceIndex], T]) -> T | None:
        """Ask the index, made anew if it is damaged; None: it cannot be used now."""
        for last in (False, True):
            try:
                self._cover()
                return act(self._index)
            except sqlite3.DatabaseError as error:
                busy = isinstance(error, sqlite3.OperationalError)
                if last or (busy and not str(error).startswith("no such")):
                    return None
            except OSError:
                return None
            try:
                self._index.make_anew()
            except OSError:
                return None
            self._indexed = set()
        return None

    def make_index_anew(self) -> None:
        """Throw the index away and make it of the segments. OSError."""
        self._index.make_anew()
        self._indexed = set()
        if self._journal.size(SEGMENTS):
            self._with_index(lambda _: None)

    def _cover(self) -> None:
        """Bring the index up to what the journal names."""
        keys = set(self._journal.keys(SEGMENTS))
        if keys == self._indexed:
            return
        covered = self._index.covered()
        for key in sorted(keys):
            named = self._named(key)
            known = covered.get(named.number)
            if named.archived:
                if known is not None:
                    self._index.drop(named.number)
            elif known != named.sha256:
                located = segments.read(self.folder, named)
                self._index.add(named.number, named.sha256, located)
        self._indexed = keys

    # --- sealing ------------------------------------------------------------------

    def seal(self, *, least: int | None = None) -> bool:
        """Seal the oldest events if more live than may; say whether it did.

        StoreFull, StoreLocked. Another process that is at it goes on alone.
        """
        least = self._most_living if least is None else least
        journal = self._journal
        if journal.size(AUDIT) <= least:
            return False
        with self.alone() as is_alone:
            if not is_alone:
                return False
            journal.look()
            if journal.size(AUDIT) <= least:
                return False
            keys = list(itertools.islice(journal.keys(AUDIT), self._batch))
            documents = [(key, raw) for key in keys if (raw := journal.get(AUDIT, key))]
            last = max(journal.keys(SEGMENTS), default="")
            number = int(last) + 1 if last else 1
            before = self._named(last).body if last else groups.START
            made = segments.seal(self._ops, self.folder, number, before, documents)
            with journal.transaction():
                if journal.get(SEGMENTS, _key(number)) is not None or any(
                    journal.get(AUDIT, key) != raw for key, raw in documents
                ):
                    raise EvidenceDamaged(path=str(self.folder / made.file), offset=0)
                journal.put(SEGMENTS, _key(number), canonical.encode(made))
                for key, _ in documents:
                    journal.delete(AUDIT, key)
        self._with_index(lambda _: None)
        return True

    def call_archived(self, moved: Iterable[Segment]) -> None:
        """Inside a transaction: say of segments that they were moved away."""
        for named in moved:
            archived = msgspec.structs.replace(named, archived=True)
            self._journal.put(SEGMENTS, _key(named.number), canonical.encode(archived))

    @contextmanager
    def alone(self) -> Iterator[bool]:
        """Hold the lock of whoever seals or moves segments; False: another does."""
        lock = segments.sealing_lock(self._journal.path)
        with tried(self._ops, lock, 0.0) as is_alone:
            yield is_alone


def _key(number: int) -> str:
    return f"{number:08d}"

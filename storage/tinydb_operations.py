"""Operations that have ended and are sealed, found by what an index says of them.

What lives in the journal is newer than what is sealed of the same operation, and of two
that are sealed the one with the higher version. One thread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from storage import segments
from storage.evidence_index import EvidenceIndex, Spot
from storage.records import Operation
from storage.segments import LocatedOperation
from storage.tinydb_evidence import Evidence
from storage.view import ByStart


class SealedOperations:
    """Those of one registry's segments."""

    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence

    def by_id(self, id: str) -> Operation | None:
        """Return the operation; None: none is sealed.

        EvidenceMissing, EvidenceDamaged: it may be in what cannot be read.
        """
        found = self._newest(lambda index: index.operation_spots("id", id), "id", id)
        if not found:
            self._doubt(0.0)
        return found[0] if found else None

    def by_event(self, event: str, *, surely: bool = True) -> list[Operation]:
        """Return those of an event number, as `by_id` does; not `surely`: as far as can
        be seen.
        """
        found = self._newest(
            lambda index: index.operation_spots("event", event), "event", event
        )
        if not found and surely:
            self._doubt(0.0)
        return found

    def of(
        self, credential: str, *, since: float, limit: int, after: ByStart | None
    ) -> list[Operation]:
        """Return a credential's first ones behind `after`, and those of the same time.

        EvidenceMissing, EvidenceDamaged.
        """
        begin = max(since, after.started_at) if after else since

        def ask(index: EvidenceIndex) -> list[Operation]:
            found: list[Operation] = []
            ids: set[str] = set()
            last = None
            spots = index.operation_spots("credential", credential, since=begin)
            for spot in spots:
                if len(ids) >= limit and spot.at != last:
                    break
                each = self._evidence.record_at(spot, segments.as_operation)
                if each is None or each.credential != credential:
                    continue
                found.append(each)
                if after is None or ByStart.of(each) > after:
                    ids.add(each.id)
                    last = spot.at
            return found

        if not self._evidence.has_segments:
            return []
        found = self._evidence.index.asked(ask)
        self._doubt(begin)
        if found is None:
            found = list(self._scan("credential", credential))
        return _newest_of(found)

    def _newest(
        self,
        spots: Callable[[EvidenceIndex], Iterator[Spot]],
        name: str,
        value: str,
    ) -> list[Operation]:
        def ask(index: EvidenceIndex) -> list[Operation]:
            decode = segments.as_operation
            read = (self._evidence.record_at(each, decode) for each in spots(index))
            return [each for each in read if each and getattr(each, name) == value]

        found = self._evidence.index.asked(ask) if self._evidence.has_segments else []
        return _newest_of(self._scan(name, value) if found is None else found)

    def _scan(self, name: str, value: str) -> Iterator[Operation]:
        """Look at each: there is no index now."""
        for each in self._evidence.everything():
            if (
                isinstance(each, LocatedOperation)
                and getattr(each.operation, name) == value
            ):
                yield each.operation

    def _doubt(self, since: float) -> None:
        """Raise what is wrong with a segment that may hold what is looked for."""
        for named, trouble in self._evidence.index.unread.values():
            if named.operations and named.last_at >= since:
                raise trouble


def _newest_of(found: Iterator[Operation] | list[Operation]) -> list[Operation]:
    """Return each operation once."""
    newest: dict[str, Operation] = {}
    for each in found:
        known = newest.get(each.id)
        if known is None or known.version < each.version:
            newest[each.id] = each
    return list(newest.values())

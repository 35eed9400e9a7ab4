"""The audit events of a journal, found by what stands in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from storage import canonical
from storage.records import AuditEvent
from storage.tinydb_journal import JournalTable
from storage.view import ByTime

_decode = msgspec.json.Decoder(AuditEvent).decode


class Evidence:
    """All events of one registry."""

    def __init__(self, living: JournalTable) -> None:
        self._living = living

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
        """Yield events that match, in no order; of all, the first `limit` are there."""
        del after, newest_first, limit
        needles = [
            b'"%s":%s' % (name.encode(), canonical.encode(value))
            for name, value in wanted.items()
        ]
        for raw in self._living.raws():
            if all(needle in raw for needle in needles):
                event = _decode(raw)
                if (
                    (since is None or event.at >= since)
                    and (until is None or event.at < until)
                    and all(getattr(event, n) == v for n, v in wanted.items())
                ):
                    yield event

    def chains(self, station: str | None) -> Iterator[AuditEvent]:
        """Yield all events, each chain in its order."""
        for raw in self._living.raws():
            event = _decode(raw)
            if station in (None, event.station):
                yield event
